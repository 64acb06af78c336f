"""The hand-off under load: customers who call for people, people who answer, and a count of every message at both ends."""
