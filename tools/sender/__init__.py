"""Letters that leave the house: one-time codes to the contact a customer has on file."""
