"""What letters say: words, sentences, dates, quantities, queries repaired. Pure."""
