"""Receipts as they leave the house: for people, and for programs that read consent and processing records."""
