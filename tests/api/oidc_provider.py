"""A provider of the tests' own: it grants codes to whoever the test says, and forges whatever the test wants."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER, CLIENT, SECRET = "https://id.example.test", "mayak", "a secret: of the client"
BACK = "http://desk.test/console/sign-on/callback"


def key(id: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": id, "use": "sig"})


class FakeProvider:
    """`claims` and `header` are put over what an honest token says; None takes one away."""

    def __init__(self) -> None:
        self.key = key("one")
        self.published = [self.key]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.userinfo: dict[str, Any] | None = None
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self._codes: dict[str, Mapping[str, str]] = {}

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def signs_in(self, address: str, subject: str, **claims: Any) -> dict[str, str]:
        """What the browser brings back after somebody signed in at this address."""
        parts = urlsplit(address)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/authorize"
        assert asked["redirect_uri"] == BACK
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = f"code{len(self._codes)}"
        self._codes[code] = {**asked, "sub": subject, "claims": json.dumps(claims)}
        return {"code": code, "state": asked["state"]}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rsplit("/", 1)[-1]
        self.asked.append(name)
        if name in self.broken:
            return httpx.Response(500, text="broken")
        documents = {
            "openid-configuration": self._discovery,
            "jwks": lambda request: {"keys": [one.as_dict(private=False) for one in self.published]},
            "token": self._token,
            "userinfo": lambda request: self.userinfo or {},
        }
        told = documents[name](request)
        return told if isinstance(told, httpx.Response) else httpx.Response(200, json=told)

    def _discovery(self, request: httpx.Request) -> dict[str, Any]:
        found = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
        }
        if self.userinfo is not None:
            found["userinfo_endpoint"] = f"{ISSUER}/userinfo"
        return {**found, **self.metadata}

    def _token(self, request: httpx.Request) -> Any:
        sent = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        basic = base64.b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        assert [unquote(part) for part in basic.split(":", 1)] == [CLIENT, SECRET]
        # A code is good for one exchange.
        asked = self._codes.pop(sent["code"], None)
        digest = hashlib.sha256(sent["code_verifier"].encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != proof or sent["redirect_uri"] != BACK:
            return httpx.Response(400, json={"error": "invalid_grant"})
        return {"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(asked)}

    def _id_token(self, asked: Mapping[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": CLIENT,
            "sub": asked["sub"],
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
            **json.loads(asked["claims"]),
            **self.claims,
        }
        header = {"alg": "RS256", "kid": self.key.kid, **self.header}
        said = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, said, self.key)
