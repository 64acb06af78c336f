"""The company's provider over HTTP: its discovery document, its keys, a code for claims.

```
discovery ─► authorization address (code, PKCE S256, state, nonce) ··· browser ···► code
code + verifier ─► token endpoint ─► ID token ─► verified by JWKS ─► claims, with those of userinfo that it lacks
```
Documents are kept for an hour; a token of an unknown key has the keys fetched anew, at most once a minute.
"""

import base64
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from api.security import is_local
from api.sign_on.token import ALGORITHMS, Key, UnknownKey, keys_of, verified

KEPT_SECONDS = 3600
AGAIN_SECONDS = 60
TIMEOUT_SECONDS = 5.0
LONGEST_ANSWER = 512 * 1024
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")

logger = logging.getLogger("mayak.sign_on")


class NoProvider(Exception):
    """The provider did not do its part; the words are for the log."""


class NotGranted(Exception):
    """The provider did not take the code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What this installation is to the provider."""

    issuer: str
    id: str
    secret: str
    scopes: tuple[str, ...]
    back: str
    """Where the browser comes back to."""


class Provider:
    """One issuer; safe to share between requests."""

    def __init__(
        self,
        client: Client,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client = client
        self._now = now
        self._transport = transport
        self._known: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, tuple[Key, ...]] | None = None

    async def address(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return where the browser goes to sign in. Raises `NoProvider`."""
        known = await self._discovered()
        asked = {
            "response_type": "code",
            "client_id": self.client.id,
            "redirect_uri": self.client.back,
            "scope": " ".join(self.client.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        address = str(known["authorization_endpoint"])
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"

    async def examined(self) -> int:
        """Fetch what a sign-in needs and return the number of keys. Raises `NoProvider`."""
        keys = await self._fetched_keys(await self._discovered())
        if not keys:
            raise NoProvider("it publishes no key that signs what we accept")
        return len(keys)

    async def is_from(self, issuer: str) -> bool:
        """Whether an answer with this `iss` came from here (RFC 9207); empty where the provider writes none."""
        known = await self._discovered()
        written = known.get("authorization_response_iss_parameter_supported") is True
        return issuer == self.client.issuer if issuer or written else True

    async def claims(self, code: str, *, nonce: str, verifier: str) -> Mapping[str, Any]:
        """Return what is said of whoever signed in. Raises `NoProvider`, `NotGranted`, `BadToken`."""
        known = await self._discovered()
        granted = await self._granted(known, code, verifier)
        token = granted.get("id_token")
        if not isinstance(token, str):
            raise NoProvider("the token endpoint gave no ID token; is `openid` among MAYAK_OIDC_SCOPES?")
        try:
            claims = self._verified(token, await self._fetched_keys(known), known, nonce)
        except UnknownKey:
            claims = self._verified(token, await self._fetched_keys(known, anew=True), known, nonce)
        return await self._completed(claims, known, granted)

    def _verified(
        self, token: str, keys: tuple[Key, ...], known: Mapping[str, Any], nonce: str
    ) -> Mapping[str, Any]:
        listed = known.get("id_token_signing_alg_values_supported")
        return verified(
            token,
            keys=keys,
            issuer=self.client.issuer,
            client=self.client.id,
            nonce=nonce,
            now=self._now(),
            algorithms=listed if isinstance(listed, list) else tuple(ALGORITHMS),
        )

    async def _completed(
        self, claims: Mapping[str, Any], known: Mapping[str, Any], granted: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Add what only userinfo tells; it must be about the same person, and nothing of the token is replaced."""
        address, token = known.get("userinfo_endpoint"), granted.get("access_token")
        if not isinstance(address, str) or not isinstance(token, str):
            return claims
        more = await self._json("GET", address, headers={"Authorization": f"Bearer {token}"})
        if more.get("sub") != claims["sub"]:
            raise NoProvider("userinfo is about somebody else than the ID token")
        return {**more, **claims}

    async def _granted(self, known: Mapping[str, Any], code: str, verifier: str) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.back,
            "code_verifier": verifier,
        }
        methods = known.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if self.client.secret and "client_secret_basic" in methods:
            auth = (quote(self.client.id, safe=""), quote(self.client.secret, safe=""))
        else:
            form["client_id"] = self.client.id
            if self.client.secret:
                form["client_secret"] = self.client.secret
        return await self._json("POST", str(known["token_endpoint"]), data=form, auth=auth)

    async def _discovered(self) -> Mapping[str, Any]:
        if self._known is not None and self._now() - self._known[0] < KEPT_SECONDS:
            return self._known[1]
        issuer = self.client.issuer
        found = await self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise NoProvider(f"the discovery document is of {found.get('issuer')!r}, not of {issuer!r}")
        for name in (*NEEDED, "userinfo_endpoint"):
            address = found.get(name, "" if name in NEEDED else issuer)
            if not isinstance(address, str) or not is_safe(address):
                raise NoProvider(f"the discovery document has no usable `{name}`")
        self._known = (self._now(), found)
        return found

    async def _fetched_keys(self, known: Mapping[str, Any], *, anew: bool = False) -> tuple[Key, ...]:
        kept = AGAIN_SECONDS if anew else KEPT_SECONDS
        if self._keys is not None and self._now() - self._keys[0] < kept:
            return self._keys[1]
        keys = keys_of(await self._json("GET", str(known["jwks_uri"])))
        self._keys = (self._now(), keys)
        return keys

    async def _json(self, method: str, address: str, **sent: Any) -> Mapping[str, Any]:
        """Ask and return the JSON object. Raises `NoProvider`; `NotGranted` where a form was refused."""
        try:
            # A proxy of the environment would see the secret, as whoever a redirect names would.
            async with httpx.AsyncClient(
                transport=self._transport, timeout=TIMEOUT_SECONDS, trust_env=False, follow_redirects=False
            ) as http:
                answer = await http.request(
                    method, address, **{k: v for k, v in sent.items() if v is not None}
                )
        except httpx.HTTPError as fault:
            raise NoProvider(f"{address}: {fault!r}") from fault
        if method == "POST" and answer.status_code in (400, 401):
            raise NotGranted(f"{address}: {answer.status_code} {answer.text[:200]}")
        if answer.status_code != 200 or len(answer.content) > LONGEST_ANSWER:
            raise NoProvider(f"{address}: {answer.status_code}, {len(answer.content)} bytes")
        try:
            found = answer.json()
        except ValueError as wrong:
            raise NoProvider(f"{address}: no JSON") from wrong
        if not isinstance(found, dict):
            raise NoProvider(f"{address}: no JSON object")
        return found


def challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def is_safe(address: str) -> bool:
    """Whether an address may carry codes and tokens: TLS, or this very machine."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and (host == "localhost" or is_local(host)))
    )
