"""The chat widget: static files only, no build step; `api.routes.widget` serves them."""
