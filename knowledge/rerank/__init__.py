"""Optional second readers that put the first few passages in order, one adapter a file."""
