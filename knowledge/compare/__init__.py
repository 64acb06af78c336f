"""Statements and values made comparable, to find contradictions. Pure."""
