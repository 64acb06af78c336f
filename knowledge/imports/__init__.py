"""What was read goes into the library, with an account of it."""
