"""Doctor asks the provider, the mail server and Telegram, where they are set, and says what to do."""

import socket
import threading

import httpx
import pytest

from api.health import Finding
from api.health_sign_on import examine_beside
from api.settings import Settings
from tests.api.oidc_provider import CLIENT, ISSUER, SECRET, FakeProvider

OIDC = Settings(public_url="http://desk.test", oidc_issuer=ISSUER, oidc_client=CLIENT, oidc_secret=SECRET)


async def found(settings: Settings, provider: FakeProvider | None = None) -> Finding:
    (one,) = await examine_beside(settings, transport=provider.transport if provider else None)
    return one


async def test_nothing_is_asked_where_nothing_is_set() -> None:
    assert await examine_beside(Settings()) == ()


async def test_a_provider_that_answers_is_told_with_its_keys_and_the_redirect_address() -> None:
    provider = FakeProvider()
    one = await found(OIDC, provider)
    assert (one.name, one.ok) == ("sign-on", True)
    assert "1 keys" in one.detail
    assert "http://desk.test/console/sign-on/callback" in one.detail
    assert provider.asked == ["openid-configuration", "jwks"]


@pytest.mark.parametrize("trouble", ["openid-configuration", "jwks", "issuer", "no keys"])
async def test_a_provider_that_cannot_be_used_is_told_with_what_to_compare(trouble: str) -> None:
    provider = FakeProvider()
    match trouble:
        case "issuer":
            provider.metadata["issuer"] = f"{ISSUER}/"
        case "no keys":
            provider.published = []
        case _:
            provider.broken.add(trouble)
    one = await found(OIDC, provider)
    assert not one.ok
    assert "MAYAK_OIDC_ISSUER" in one.remedy
    assert "/console/sign-on/callback" in one.remedy
    assert SECRET not in one.detail + one.remedy


async def test_settings_that_let_nobody_in_are_told_without_asking_anybody() -> None:
    assert "MAYAK_OIDC_ISSUER" in (await found(Settings(oidc_only=True))).remedy
    assert "no https" in (await found(Settings(oidc_issuer="ftp://x", oidc_client="m"))).detail


def telegram(status: int, body: object) -> httpx.MockTransport:
    return httpx.MockTransport(lambda request: httpx.Response(status, json=body))


async def test_telegram_is_asked_who_the_bot_is_and_the_token_is_never_told() -> None:
    settings = Settings(telegram_token="123:TOKEN")
    good = telegram(200, {"ok": True, "result": {"username": "lantern_bot"}})
    (one,) = await examine_beside(settings, transport=good)
    assert (one.ok, one.detail) == (True, "@lantern_bot answers")

    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"cannot reach {request.url}")

    for bad in (telegram(401, {"ok": False}), httpx.MockTransport(silent)):
        (one,) = await examine_beside(settings, transport=bad)
        assert not one.ok
        assert "TOKEN" not in one.detail + one.remedy.replace("MAYAK_TELEGRAM_TOKEN", "")


async def test_a_mail_server_is_greeted_and_sent_nothing() -> None:
    said: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]

        def serve() -> None:
            line, _ = door.accept()
            with line, line.makefile("rwb") as talk:
                talk.write(b"220 here\r\n")
                talk.flush()
                while word := talk.readline():
                    said.append(word.split()[0].lower())
                    talk.write(b"250 fine\r\n" if said[-1] != b"quit" else b"221 bye\r\n")
                    talk.flush()
                    if said[-1] == b"quit":
                        return

        thread = threading.Thread(target=serve)
        thread.start()
        one = await found(Settings(sender=f"smtp://127.0.0.1:{port}"))
        thread.join(10)
    assert (one.name, one.ok) == ("mail", True)
    assert said == [b"noop", b"quit"]
    gone = await found(Settings(sender=f"smtp://user:hidden@127.0.0.1:{port}"))
    assert not gone.ok
    assert "MAYAK_SENDER" in gone.remedy
    assert "hidden" not in gone.detail + gone.remedy
