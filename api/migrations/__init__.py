"""The database's history: one file a step under `versions/`, applied by `api.migrate`."""
