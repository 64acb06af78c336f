"""What makes a search good and honest: weights, needs, signals, confidence. Pure."""
