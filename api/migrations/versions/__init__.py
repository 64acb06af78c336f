"""Steps of the schema, oldest first by their chain of `down_revision`."""
