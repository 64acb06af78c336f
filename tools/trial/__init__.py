"""Systems that fail to order: the embedded shop behind a line with faults, for trials and never for customers."""
