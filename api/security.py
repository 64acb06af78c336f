"""Who may do what over HTTP: conversation tokens, signed customers, rates."""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.errors import Problem
from api.settings import BadSetting
from tools.context import ConversationId, CustomerId

LONGEST_LIFE = 3600
"""Seconds an identity token may live."""
SECRET_BYTES = 32
LEEWAY = 60
"""Seconds by which two clocks may differ."""
KNOWN_ADDRESSES = 50_000


def new_id() -> ConversationId:
    """Return a conversation's id: 128 bits of chance."""
    return ConversationId(secrets.token_urlsafe(16))


def new_token(prefix: str = "") -> str:
    """Return a bearer token with 256 bits of chance."""
    return f"{prefix}{secrets.token_urlsafe(32)}"


def hashed(token: str) -> str:
    """Return what is stored of a token; a random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def same(token: str, stored: str) -> bool:
    """Compare a token with a stored hash in constant time; an empty hash fits nothing."""
    return hmac.compare_digest(hashed(token), stored) and bool(stored)


def bearer(header: str | None) -> str:
    """Return the token of an Authorization header. Raises a 401 problem."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(
            401,
            "token_missing",
            "Token missing",
            detail="This address needs the conversation's token.",
            remedy="Send the header “Authorization: Bearer …” with the token POST /v1/conversations returned.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return token.strip()


def conversation_of(token: str) -> ConversationId:
    """Return the conversation a token was made for; whether it is genuine is checked by its hash."""
    return ConversationId(token.partition(".")[0])


class Identity:
    """Checks the signed token by which a company's site says who its visitor is.

    One key, one family of algorithms: a secret accepts HS256 alone, a public key RS256 or ES256 alone,
    so that a public key can never be used as a secret.
    """

    def __init__(
        self,
        *,
        secret: str = "",
        public_key: str = "",
        audience: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.audience = audience
        self._now = now
        self._key, self._algorithms = _key(secret, public_key)

    def customer(self, token: str) -> CustomerId:
        """Return the customer a token names. Raises a 401 problem for anything that is wrong with it."""
        try:
            decoded = jwt.decode(token, self._key, algorithms=self._algorithms)
            claims = decoded.claims
            registry = jwt.JWTClaimsRegistry(
                now=int(self._now()),
                leeway=LEEWAY,
                aud={"essential": True, "value": self.audience},
                exp={"essential": True},
                sub={"essential": True},
                jti={"essential": True},
            )
            registry.validate(claims)
            subject, expires = claims["sub"], int(claims["exp"])
        except (JoseError, ValueError, TypeError, KeyError) as wrong:
            raise _bad_identity(str(wrong)) from wrong
        if expires - self._now() > LONGEST_LIFE + LEEWAY:
            raise _bad_identity("it lives longer than one hour")
        if not isinstance(subject, str) or not 0 < len(subject) <= 200:
            raise _bad_identity("`sub` must be the customer's id")
        return CustomerId(subject)


def _key(secret: str, public_key: str) -> tuple[OctKey | RSAKey | ECKey, list[str]]:
    if public_key:
        for kind, algorithm in ((RSAKey, "RS256"), (ECKey, "ES256")):
            try:
                return kind.import_key(public_key), [algorithm]
            except (JoseError, ValueError, TypeError):
                continue
        raise BadSetting(
            "MAYAK_IDENTITY_PUBLIC_KEY is neither an RSA nor an EC public key.",
            remedy="Give the whole PEM text, from -----BEGIN PUBLIC KEY----- to the end.",
        )
    if len(secret.encode()) < SECRET_BYTES:
        raise BadSetting(
            f"MAYAK_IDENTITY_SECRET has fewer than {SECRET_BYTES} bytes.",
            remedy="Use a longer random one, or leave it unset: one is made and kept in the data folder.",
        )
    return OctKey.import_key(secret), ["HS256"]


def _bad_identity(why: str) -> Problem:
    return Problem(
        401,
        "identity_refused",
        "Identity refused",
        detail=f"The identity token was not accepted: {why}.",
        remedy="Sign a fresh token on your server (sub, aud, exp ≤ 1 h, jti), or leave it out: "
        "the visitor is then anonymous.",
        headers={"WWW-Authenticate": "Bearer"},
    )


class Rate:
    """A token bucket a key: `per_minute` on average, as many at once. Forgets the keys unused longest."""

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._now = now
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> None:
        """Take one, or raise a 429 problem that says how long to wait."""
        now = self._now()
        left, since = self._buckets.pop(key, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - since) * self.per_minute / 60)
        self._buckets[key] = (max(0.0, left - 1), now) if left >= 1 else (left, now)
        while len(self._buckets) > KNOWN_ADDRESSES:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) * 60 / self.per_minute + 0.5))
            raise Problem(
                429,
                "too_many_requests",
                "Too many requests",
                detail=f"At most {self.per_minute} a minute.",
                remedy=f"Wait {wait} s and send the same request again.",
                headers={"Retry-After": str(wait)},
            )


def is_local(address: str) -> bool:
    """Whether a request comes from this machine itself: a command, not a visitor behind a proxy."""
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
