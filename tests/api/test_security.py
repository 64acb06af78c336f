"""Who may do what: tokens, signed identities, other people's conversations, rates, origins, bodies."""

import base64
import hmac
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.errors import Problem
from api.gate import API_BYTES
from api.identity import sign
from api.security import KNOWN_ADDRESSES, Identity, Rate, bearer, hashed, is_local, same
from api.settings import BadSetting
from tests.api.desk import SECRET, Door, open_door, settings_in

module_loop = pytest.mark.asyncio(loop_scope="module")
AUDIENCE = "mayak"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    async with open_door(settings_in(tmp_path_factory.mktemp("house"))) as door:
        yield door


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    given = {"sub": "anna", "aud": AUDIENCE, "iat": now, "exp": now + 600, "jti": "1"}
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def signed(secret: str = SECRET, alg: str = "HS256", **changes: Any) -> str:
    return jwt.encode({"alg": alg}, claims(**changes), OctKey.import_key(secret), algorithms=[alg])


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def unsigned(alg: str = "none") -> str:
    return f"{encoded(json.dumps({'alg': alg}).encode())}.{encoded(json.dumps(claims()).encode())}."


def confused(public_key: str) -> str:
    told = unsigned("HS256").removesuffix(".")
    return f"{told}.{encoded(hmac.digest(public_key.encode(), told.encode(), 'sha256'))}"


RSA = RSAKey.generate_key(2048)
EC = ECKey.generate_key("P-256")
NOW = int(time.time())
BAD = {
    "another secret": signed("x" * 40),
    "no signature": unsigned(),
    "expired": signed(exp=NOW - 120),
    "never expires": signed(exp=None),
    "lives for a day": signed(exp=NOW + 86_400),
    "another audience": signed(aud="else"),
    "no audience": signed(aud=None),
    "nobody": signed(sub=None),
    "empty subject": signed(sub=""),
    "a subject that is no text": signed(sub=7),
    "no id": signed(jti=None),
    "another algorithm": signed(alg="HS512", secret=SECRET * 2),
    "signed by a private key": jwt.encode({"alg": "RS256"}, claims(), RSA),
    "not yet valid": signed(nbf=NOW + 3400, exp=NOW + 3500),
    "cut": signed()[:-4],
    "nonsense": "nonsense",
}


@pytest.mark.parametrize("why", BAD)
@module_loop
async def test_an_identity_that_is_not_whole_is_refused_and_not_taken_for_anonymous(
    door: Door, why: str
) -> None:
    response = await door.client.post("/v1/conversations", json={"identity": BAD[why]})
    assert response.status_code == 401, why
    assert response.json()["type"] == "urn:mayak:problem:identity_refused"


@module_loop
async def test_a_signed_customer_is_verified_and_an_unsigned_visitor_is_anonymous(door: Door) -> None:
    anna = await door.visit(identity=sign("anna", secret=SECRET, audience=AUDIENCE))
    assert anna.opened["assurance"] == "verified"
    conversation = await door.house.building.records.conversation(anna.id)
    assert conversation.customer_id == "anna"
    nobody = await door.visit()
    assert nobody.opened["assurance"] == "anonymous"
    assert (await door.house.building.records.conversation(nobody.id)).customer_id is None


@pytest.mark.parametrize("field", ["customer_id", "customer", "user_id", "email", "phone", "assurance"])
@module_loop
async def test_a_customer_named_by_the_client_is_refused(door: Door, field: str) -> None:
    response = await door.client.post("/v1/conversations", json={field: "anna"})
    assert response.status_code == 422


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_a_public_key_accepts_its_own_signatures_alone(key: Any) -> None:
    alg = "RS256" if key is RSA else "ES256"
    public = key.as_pem(private=False).decode()
    identity = Identity(public_key=public, audience=AUDIENCE)
    assert identity.customer(jwt.encode({"alg": alg}, claims(), key)) == "anna"
    other = RSAKey.generate_key(2048) if key is RSA else ECKey.generate_key("P-256")
    # The public key taken for an HMAC secret is the classic confusion of algorithms.
    for wrong in (jwt.encode({"alg": alg}, claims(), other), confused(public), unsigned()):
        with pytest.raises(Problem):
            identity.customer(wrong)


def test_a_weak_secret_is_no_secret() -> None:
    with pytest.raises(BadSetting, match="32 bytes"):
        Identity(secret="short", audience=AUDIENCE)
    with pytest.raises(BadSetting, match="neither an RSA nor an EC"):
        Identity(public_key="nonsense", audience=AUDIENCE)


def test_a_token_counts_by_its_hash_and_an_empty_hash_fits_nothing() -> None:
    assert same("abc", hashed("abc"))
    assert not same("abd", hashed("abc"))
    assert not same("", "")
    assert "abc" not in hashed("abc")
    assert bearer("bearer abc") == "abc"


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer", "Bearer  ", "abc"])
def test_a_missing_token_is_a_401(header: str | None) -> None:
    with pytest.raises(Problem) as refused:
        bearer(header)
    assert refused.value.status == 401


PATHS = [
    ("GET", "/messages"),
    ("POST", "/messages"),
    ("GET", "/events"),
    ("GET", "/consents"),
    ("POST", "/consents"),
    ("GET", "/turns?message=1"),
    ("GET", "/receipts/x"),
    ("GET", "/passages/returns%232"),
    ("POST", "/typing"),
]
BODIES = {"/messages": {"key": "k", "text": "t"}, "/consents": {"purpose": "orders:read", "granted": True}}


@pytest.mark.parametrize(("method", "path"), PATHS)
@module_loop
async def test_nobody_gets_into_another_conversation(door: Door, method: str, path: str) -> None:
    anna, boris = await door.visit(), await door.visit()
    body = BODIES.get(path, {}) if method == "POST" else None
    swapped = boris.headers
    forged = {"Authorization": f"Bearer {anna.id}.{'x' * 43}"}
    for headers, id, status in (
        (swapped, anna.id, 404),
        (forged, anna.id, 404),
        (swapped, "nowhere", 404),
        ({}, anna.id, 401),
    ):
        url = f"/v1/conversations/{id}{path}"
        response = await door.client.request(method, url, headers=headers, json=body)
        assert response.status_code == status
        if status == 404:
            assert response.json()["type"] == "urn:mayak:problem:unknown_conversation"
    assert (await door.client.get("/v1/me", headers=forged)).status_code == 404


@module_loop
async def test_every_address_below_a_conversation_is_in_the_test_above(door: Door) -> None:
    paths = (await door.client.get("/openapi.json")).json()["paths"]
    prefix = "/v1/conversations/{id}"
    known = {
        (method, path.split("?")[0].rsplit("/", 1)[0] if path.count("/") > 1 else path.split("?")[0])
        for method, path in PATHS
    }
    for path, operations in paths.items():
        if path.startswith(prefix):
            below = path.removeprefix(prefix).split("/{")[0]
            assert {(method.upper(), below) for method in operations} <= known, path


def test_a_rate_is_a_bucket_that_fills_again() -> None:
    now = [0.0]
    rate = Rate(60, now=lambda: now[0])
    for _ in range(60):
        rate.take("a")
    with pytest.raises(Problem) as refused:
        rate.take("a")
    assert refused.value.status == 429
    assert int(refused.value.headers["Retry-After"]) >= 1
    rate.take("b")
    now[0] += 1.0
    rate.take("a")
    with pytest.raises(Problem):
        rate.take("a")


def test_a_rate_forgets_the_oldest_keys() -> None:
    rate = Rate(1)
    for n in range(KNOWN_ADDRESSES + 10):
        rate.take(str(n))
    assert len(rate._buckets) == KNOWN_ADDRESSES


@module_loop
async def test_messages_beyond_the_rate_are_refused_with_the_time_to_wait(door: Door) -> None:
    visit = await door.visit()
    limit = door.house.building.pack.limits.messages_per_minute
    for n in range(3 * limit):
        response = await visit.post("/messages", {"key": f"k{n}", "text": "x"})
        if response.status_code != 202:
            break
    assert n >= limit
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://shop.example", True),
        ("https://shop.example.evil.example", False),
        ("https://evil-shop.example", False),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("null", False),
    ],
)
@module_loop
async def test_only_listed_sites_may_call_the_api_from_a_browser(
    door: Door, origin: str, allowed: bool
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    asked = await door.client.options("/v1/conversations", headers=headers)
    opened = await door.client.post("/v1/conversations", json={}, headers={"Origin": origin})
    for response in (asked, opened):
        found = response.headers.get("access-control-allow-origin")
        assert found == (origin if allowed else None)
        assert "Origin" in response.headers["vary"]
        assert "access-control-allow-credentials" not in response.headers


@module_loop
async def test_every_response_carries_the_headers_that_keep_a_browser_safe(door: Door) -> None:
    for path in ("/healthz", "/v1/nothing", "/docs", "/openapi.json"):
        headers = (await door.client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors" in headers["content-security-policy"]


@module_loop
async def test_a_body_beyond_the_limit_is_not_read_whether_its_length_is_told_or_not(door: Door) -> None:
    told = await door.client.post("/v1/conversations", content=b"x" * (API_BYTES + 1))
    assert (told.status_code, told.json()["type"]) == (413, "urn:mayak:problem:body_too_long")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(API_BYTES // 1024 + 2):
            yield b"x" * 1024

    untold = await door.client.post("/v1/conversations", content=pieces())
    assert untold.status_code == 413


def test_only_this_machine_is_local() -> None:
    assert is_local("127.0.0.1")
    assert is_local("::1")
    assert not is_local("10.0.0.1")
    assert not is_local("")
    assert not is_local("localhost.evil.example")
