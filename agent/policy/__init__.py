"""Rules that hold even when the model is down: pure functions."""
