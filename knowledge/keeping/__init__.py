"""The rows behind the catalogue: tables, versions, history, what counts at a moment."""
