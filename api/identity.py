"""Signing: the token by which a company's own server says who its visitor is."""

import json
import secrets
import time
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import OctKey

from api.lasting import lasting
from api.settings import BadSetting, Settings

SECRET_FILE = "identity.secret"
SECRET_BYTES = 32
LIFE_SECONDS = 3000
"""Below the hour that the door accepts, so that clocks may differ."""


def identity_secret(settings: Settings) -> str:
    """Return the secret that signs customers' identities: the setting, or one made once for this folder."""
    if settings.identity_secret:
        return settings.identity_secret
    return lasting(settings.data / SECRET_FILE, size=SECRET_BYTES)


def sign(customer: str, *, secret: str, audience: str) -> str:
    """Return a token naming `customer`, good for under an hour."""
    now = int(time.time())
    claims = {
        "sub": customer,
        "aud": audience,
        "iat": now,
        "exp": now + LIFE_SECONDS,
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(secret))


def customer_token(customer: str, *, settings: Settings) -> str:
    """Return an identity token for commands, which have the installation's secret at hand.

    Raises `BadSetting` where identities are signed by a key that is not here.
    """
    if settings.identity_public_key:
        raise BadSetting(
            "This installation accepts identities signed by another server's private key only.",
            remedy="Leave --customer out, or run with MAYAK_IDENTITY_SECRET instead of the public key.",
        )
    named = customer_named(customer, shop=settings.company / "shop")
    return sign(named, secret=identity_secret(settings), audience=settings.identity_audience)


def customer_named(name: str, *, shop: Path) -> str:
    """Return the id of the embedded shop's customer with this login; any other name is an id already."""
    file = shop / "customers.json"
    if not file.is_file():
        return name
    rows = json.loads(file.read_text("utf-8"))["customers"]
    return str(next((row["id"] for row in rows if row.get("login") == name), name))
