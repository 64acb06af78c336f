"""Whether an ID token says who signed in: here, now, for us. Pure: keys and the moment are given.

```
header: a known algorithm ─► the one key of that id and kind ─► signature ─► claims
        none, HS… : never         unknown id: `UnknownKey`                    iss aud azp exp iat nbf nonce sub
```
Source: OpenID Connect Core 1.0, 3.1.3.7; RFC 8725.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

Key = RSAKey | ECKey | OKPKey
KINDS: Mapping[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
ALGORITHMS: Mapping[str, str] = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
}
"""What may sign, and the kind of key it takes. Nothing a secret could sign: a public key is no secret."""
LEEWAY = 60
"""Seconds by which two clocks may differ."""
OLDEST = 600
"""Seconds since a token was issued: it comes straight from the provider."""
LONGEST_TOKEN = 32_768

Fault = Literal[
    "unreadable",
    "algorithm",
    "key",
    "signature",
    "issuer",
    "audience",
    "party",
    "expired",
    "early",
    "old",
    "nonce",
    "subject",
]


class BadToken(Exception):
    """The token proves nothing; `fault` says which check it failed."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"the ID token was refused: {fault}")
        self.fault: Fault = fault


class UnknownKey(BadToken):
    """It names a key that is not among the known ones: the provider may have a new one."""

    def __init__(self) -> None:
        super().__init__("key")


def keys_of(document: Mapping[str, Any]) -> tuple[Key, ...]:
    """Return the public signing keys of a JWKS document; what cannot be read or does not sign is left out."""
    found: list[Key] = []
    listed = document.get("keys")
    for row in listed if isinstance(listed, list) else ():
        kind = KINDS.get(row.get("kty", "")) if isinstance(row, dict) else None
        if kind is None or row.get("use", "sig") != "sig" or "d" in row:
            continue
        try:
            found.append(kind.import_key(row))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return tuple(found)


def verified(
    token: str,
    *,
    keys: Sequence[Key],
    issuer: str,
    client: str,
    nonce: str,
    now: float,
    algorithms: Sequence[str] = tuple(ALGORITHMS),
) -> Mapping[str, Any]:
    """Return the claims of a token that says who signed in. Raises `BadToken`; `now` in seconds since 1970."""
    if len(token) > LONGEST_TOKEN:
        raise BadToken("unreadable")
    header = _header(token)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or algorithm not in algorithms:
        raise BadToken("algorithm")
    key = _key(keys, kind=ALGORITHMS[algorithm], id=header.get("kid"))
    try:
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
    except BadSignatureError as wrong:
        raise BadToken("signature") from wrong
    except (JoseError, ValueError, TypeError) as wrong:
        raise BadToken("unreadable") from wrong
    _check(claims, issuer=issuer, client=client, nonce=nonce, now=now)
    return claims


def _header(token: str) -> Mapping[str, Any]:
    part = token.split(".", 1)[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError) as wrong:
        raise BadToken("unreadable") from wrong
    if not isinstance(header, dict):
        raise BadToken("unreadable")
    return header


def _key(keys: Sequence[Key], *, kind: str, id: object) -> Key:
    """Return the key that must have signed; without an id it must be the only one of its kind."""
    fitting = [one for one in keys if one.key_type == kind and (id is None or one.kid == id)]
    if not fitting:
        raise UnknownKey
    if len(fitting) > 1:
        raise BadToken("key")
    return fitting[0]


def _check(claims: Mapping[str, Any], *, issuer: str, client: str, nonce: str, now: float) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    party = claims.get("azp")
    expires, issued, since = (_moment(claims, name) for name in ("exp", "iat", "nbf"))
    subject = claims.get("sub")
    checks: tuple[tuple[Fault, bool], ...] = (
        ("issuer", claims.get("iss") == issuer),
        ("audience", client in audiences),
        ("party", party == client if party is not None or len(audiences) > 1 else True),
        ("expired", expires is not None and now < expires + LEEWAY),
        ("early", issued is not None and max(issued, since or 0.0) <= now + LEEWAY),
        ("old", issued is not None and now - issued <= OLDEST),
        ("nonce", bool(nonce) and _same(claims.get("nonce"), nonce)),
        ("subject", isinstance(subject, str) and subject.isascii() and 0 < len(subject) <= 255),
    )
    for fault, holds in checks:
        if not holds:
            raise BadToken(fault)


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    found = claims.get(name)
    # True is an int for Python, and no moment.
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def _same(found: object, expected: str) -> bool:
    return isinstance(found, str) and hmac.compare_digest(found.encode("utf-8", "replace"), expected.encode())
