"""An ID token is believed for one reason only: every check holds."""

import base64
import hmac
import json
import time
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from api.sign_on.token import ALGORITHMS, BadToken, UnknownKey, keys_of, verified

ISSUER, CLIENT, NONCE = "https://id.example.test", "mayak", "n-0S6_WzA2Mj"
NOW = int(time.time())
KEY = RSAKey.generate_key(2048, {"kid": "one"})
CURVE = ECKey.generate_key("P-256", {"kid": "curve"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": CLIENT,
    "sub": "248289761001",
    "nonce": NONCE,
    "iat": NOW,
    "exp": NOW + 300,
}


def public(*keys: Any) -> Any:
    return keys_of({"keys": [key.as_dict(private=False) for key in keys]})


def signed(changed: dict[str, Any] | None = None, *, key: Any = KEY, **header: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **(changed or {})}.items() if value is not None}
    head = {"alg": "RS256", "kid": "one", **header}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, key, algorithms=[head["alg"]])


def fault_of(token: str, **more: Any) -> str:
    asked = {
        "keys": public(KEY, CURVE),
        "issuer": ISSUER,
        "client": CLIENT,
        "nonce": NONCE,
        "now": NOW,
        **more,
    }
    try:
        verified(token, **asked)
    except BadToken as bad:
        return bad.fault
    return ""


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({}, ""),
        ({"iss": "https://id.example.test/"}, "issuer"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"aud": "another"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": [CLIENT]}, ""),
        ({"aud": [CLIENT, "another"]}, "party"),
        ({"aud": [CLIENT, "another"], "azp": CLIENT}, ""),
        ({"aud": [CLIENT, "another"], "azp": "another"}, "party"),
        ({"azp": "another"}, "party"),
        ({"exp": NOW - 61}, "expired"),
        ({"exp": NOW - 59}, ""),
        ({"exp": None}, "expired"),
        ({"iat": NOW + 61}, "early"),
        ({"nbf": NOW + 61}, "early"),
        ({"iat": None}, "early"),
        ({"iat": NOW - 601}, "old"),
        ({"nonce": "another"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ""}, "nonce"),
        ({"sub": None}, "subject"),
        ({"sub": ""}, "subject"),
        ({"sub": 7}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"sub": "Ольга"}, "subject"),
    ],
)
def test_every_claim_is_checked(changed: dict[str, Any], fault: str) -> None:
    assert fault_of(signed(changed)) == fault


def test_what_the_provider_does_not_sign_with_is_refused() -> None:
    assert fault_of(signed(alg="PS256"), algorithms=["RS256"]) == "algorithm"
    assert fault_of(signed(alg="PS256"), algorithms=["RS256", "PS256"]) == ""
    assert fault_of(signed(key=CURVE, kid="curve", alg="ES256")) == ""


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "", 7, None])
def test_no_secret_and_nothing_signs(algorithm: Any) -> None:
    token = f"{part({'alg': algorithm, 'kid': 'one'})}.{part(CLAIMS)}."
    assert fault_of(token, algorithms=[algorithm, *ALGORITHMS]) == "algorithm"


def test_a_public_key_is_no_secret() -> None:
    said = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(CLAIMS)}"
    mac = hmac.digest(KEY.as_pem(private=False), said.encode(), "sha256")
    token = f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert fault_of(token, algorithms=["HS256", "RS256"]) == "algorithm"


def test_a_key_of_another_is_refused_whatever_it_is_called() -> None:
    assert fault_of(signed(key=OTHER)) == "signature"
    assert fault_of(signed(kid="curve")) == "key", "a key of another kind"
    with pytest.raises(UnknownKey):
        verified(signed(kid="two"), keys=public(KEY), issuer=ISSUER, client=CLIENT, nonce=NONCE, now=NOW)


def test_a_key_inside_the_token_counts_for_nothing() -> None:
    token = signed(key=OTHER, jwk=OTHER.as_dict(private=False))
    assert fault_of(token) in ("signature", "unreadable")


def test_without_an_id_the_key_must_be_the_only_one() -> None:
    token = signed(kid=None)
    assert fault_of(token, keys=public(KEY, CURVE)) == ""
    assert fault_of(token, keys=public(KEY, RSAKey.generate_key(2048, {"kid": "two"}))) == "key"
    assert fault_of(token, keys=()) == "key"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "кириллица",
        f"{part([])}.{part({})}.x",
        f"{part({'alg': 'RS256'})}.e30",
        "x" * 40_000,
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    assert fault_of(token) in ("unreadable", "algorithm", "key", "signature")


def test_changed_claims_break_the_signature() -> None:
    head, _, signature = signed().split(".")
    assert fault_of(f"{head}.{part({**CLAIMS, 'sub': 'admin'})}.{signature}") == "signature"


def test_keys_that_do_not_sign_are_left_out() -> None:
    secret = OctKey.import_key("0" * 64).as_dict(private=True)
    private, encrypting = KEY.as_dict(private=True), {**KEY.as_dict(private=False), "use": "enc"}
    broken: list[Any] = [{"kty": "RSA", "n": "!"}, {"kty": "RSA"}, "text", None, {"kty": "new"}]
    assert keys_of({"keys": [secret, private, encrypting, *broken]}) == ()
    assert keys_of({}) == keys_of({"keys": "none"}) == ()
    assert len(public(KEY, CURVE)) == 2
