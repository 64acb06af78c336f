"""Begins a tool of one's own: templates in, files that pass the project's checks out."""
