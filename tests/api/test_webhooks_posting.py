"""Where events may be posted and what an answer means; real sockets on the loopback, names resolved by the test."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from starlette.responses import RedirectResponse, Response

from agent.pack import load_pack
from agent.webhooks import Webhook
from api.settings import ROOT, BadSetting, Settings
from api.webhooks.choose import subscriptions, usable
from api.webhooks.envelope import signed
from api.webhooks.port import Undelivered
from api.webhooks.posting import HttpPost
from tests.api.desk import SystemClock
from tests.api.receiver import OTHER, SECRET, Receiver

BODY = (
    b'{"specversion":"1.0","id":"evt_1","source":"s","type":"mayak.webhook.test","subject":"c",'
    b'"sequence":"0000000001"}'
)


def headers() -> dict[str, str]:
    return signed(BODY, event="evt_1", at=SystemClock().now(), secrets=(SECRET,))


@asynccontextmanager
async def posting(receiver: Receiver, **how: Any) -> AsyncIterator[HttpPost]:
    async with receiver.open():
        post = HttpPost(receiver.url, **{"hosts": (f"127.0.0.1:{receiver.port}",), **how})
        try:
            yield post
        finally:
            await post.close()


async def refusal(post: HttpPost) -> Undelivered:
    with pytest.raises(Undelivered) as refused:
        await post.send(BODY, headers())
    return refused.value


async def test_a_signed_body_arrives_and_its_connection_serves_again() -> None:
    receiver = Receiver()
    async with posting(receiver) as post:
        for _ in range(3):
            await post.send(BODY, headers())
    assert [event["id"] for event in receiver.taken] == ["evt_1"] * 3
    assert receiver.forged == 0


@pytest.mark.parametrize(
    ("answer", "seconds", "final"),
    [
        (Response(status_code=500), 0, False),
        (Response(status_code=404), 0, False),
        (Response(status_code=410), 0, True),
        (Response(status_code=503, headers={"Retry-After": "17"}), 17, False),
        (Response(status_code=429, headers={"Retry-After": "nonsense"}), 0, False),
    ],
)
async def test_what_is_not_taken_tells_when_to_come_again(
    answer: Response, seconds: float, final: bool
) -> None:
    async with posting(Receiver(behave=lambda event: answer)) as post:
        fault = await refusal(post)
    assert (fault.seconds, fault.final) == (seconds, final)
    assert f"answered {answer.status_code}" in str(fault)


async def test_a_redirect_is_a_refusal_and_nobody_goes_there() -> None:
    """Security requirement 14: an address that was checked does not lead to one that was not."""
    elsewhere = Receiver()
    async with elsewhere.open():
        leads = RedirectResponse(elsewhere.url, status_code=307)
        async with posting(Receiver(behave=lambda event: leads)) as post:
            fault = await refusal(post)
    assert "redirects are not followed" in str(fault)
    assert elsewhere.taken == []


async def test_a_silent_receiver_and_one_that_is_not_there_are_tried_again() -> None:
    receiver = Receiver(behave=lambda event: 5.0)
    async with posting(receiver, seconds=0.5) as post:
        assert "no answer in" in str(await refusal(post))
    post = HttpPost(receiver.url, hosts=("127.0.0.1",))
    assert "not reached" in str(await refusal(post))
    await post.close()


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["10.0.0.7"], ["169.254.169.254"], ["93.184.216.34", "192.168.1.1"], ["::ffff:10.0.0.1"]],
)
async def test_a_private_address_is_refused_before_anything_is_sent(addresses: list[str]) -> None:
    """Security requirement 14: no requests into the network this server stands in."""
    asked: list[httpx.Request] = []

    async def using(host: str, port: int) -> Sequence[str]:
        return addresses

    def dial() -> httpx.AsyncBaseTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return httpx.Response(200)

        return httpx.MockTransport(answer)

    post = HttpPost("https://crm.example/", using=using, dial=dial)
    assert "not a public address" in str(await refusal(post))
    assert asked == []
    allowed = HttpPost("https://crm.example/", hosts=("crm.example",), using=using, dial=dial)
    await allowed.send(BODY, headers())
    assert asked[0].url.host == httpx.URL("https://x/").copy_with(host=addresses[0]).host


async def test_the_very_address_that_was_checked_is_connected_to_under_the_hosts_name() -> None:
    asked: list[httpx.Request] = []

    async def using(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("crm.example", 443)
        return ["93.184.216.34"]

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(204)

    post = HttpPost("https://crm.example/mayak?x=1", using=using, dial=lambda: httpx.MockTransport(answer))
    await post.send(BODY, headers())
    (request,) = asked
    assert str(request.url) == "https://93.184.216.34/mayak?x=1"
    assert request.headers["host"] == "crm.example"
    assert request.extensions["sni_hostname"] == "crm.example"


async def test_a_name_without_an_address_is_tried_again() -> None:
    async def using(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(0)
        return []

    for hosts in ((), ("crm.example",)):
        post = HttpPost("https://crm.example/", hosts=hosts, using=using)
        assert "no address" in str(await refusal(post))
        await post.close()


HOOK = Webhook(name="crm", url="https://crm.example/")


def pack(*webhooks: Webhook) -> Any:
    found = load_pack(ROOT / "demo")
    found.company = found.company.model_copy(update={"webhooks": webhooks})
    return found


def test_a_webhook_needs_a_secret_and_a_second_one_may_take_its_place() -> None:
    named = Settings(webhook_secrets=(f"crm={OTHER}", f"crm={SECRET}"))
    (found,) = subscriptions(named, pack(HOOK))
    assert found.secrets == (OTHER, SECRET)
    assert SECRET not in repr(found)
    assert SECRET not in repr(named)
    assert subscriptions(replace(named, webhooks=False), pack(HOOK)) == ()
    assert subscriptions(Settings(webhooks=False), pack(HOOK)) == ()


@pytest.mark.parametrize(
    ("settings", "url", "what"),
    [
        (Settings(), "https://crm.example/", "has no secret"),
        (Settings(webhook_secrets=(f"erp={SECRET}",)), "https://crm.example/", "“erp” is no webhook"),
        (Settings(webhook_secrets=(SECRET,)), "https://crm.example/", "is no webhook"),
        (Settings(webhook_secrets=("crm=whsec_c2hvcnQ=",)), "https://crm.example/", "cannot sign"),
        (Settings(webhook_secrets=("crm=whsec_привет",)), "https://crm.example/", "cannot sign"),
        (Settings(webhook_secrets=(f"crm={SECRET}",)), "http://crm.example/", "without TLS"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_remedy_and_without_the_secret(
    settings: Settings, url: str, what: str
) -> None:
    with pytest.raises(BadSetting, match=what) as refused:
        subscriptions(settings, pack(Webhook(name="crm", url=url)))
    assert refused.value.remedy
    assert SECRET.removeprefix("whsec_") not in str(refused.value)
    if "TLS" in what:
        own = replace(settings, webhook_hosts=("crm.example:80",))
        assert len(subscriptions(own, pack(Webhook(name="crm", url=url)))) == 1


def test_a_secret_is_base64_of_24_to_64_bytes() -> None:
    assert usable(SECRET)
    assert usable(SECRET.removeprefix("whsec_"))
    assert usable(SECRET.rstrip("="))
    for wrong in ("", "whsec_", "AAAA", "A" * 200, "whsec_!!!!" + "A" * 40):
        assert not usable(wrong)
