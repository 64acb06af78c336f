"""Webhooks out: systems of the company are told what happens, signed, in order, until they have it (docs/webhooks.md)."""
