"""The demo shop's page: templates, texts, drawings; `api.routes.shop_page` serves them."""
