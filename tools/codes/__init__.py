"""One-time codes: what somebody who has the customer's mailbox or phone can tell us."""
