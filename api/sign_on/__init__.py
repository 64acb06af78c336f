"""Staff who sign in at the company's own provider (OpenID Connect)."""
