"""Proofs told in the conversation: one-time codes, and, where a company counts it, a name with a postcode."""
