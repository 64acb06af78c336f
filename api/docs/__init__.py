"""Files of the API explorer (`/docs`)."""
