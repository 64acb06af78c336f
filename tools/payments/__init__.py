"""Paying for an order: a link of the company's own, for what the order system says is due."""
