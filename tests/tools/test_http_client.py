"""JSON over HTTP with a server that misbehaves: every fault is typed, bounded in time and size, and a write is sent once."""

import asyncio
import gzip
import logging
import time
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from tests.tools.faulty import Faulty, Manner, answer, cut, drip, faulty, flood, raw, silence
from tools.errors import Declined, ToolFault, Unavailable, Unsent
from tools.http_client import HttpSystem, Limits, seconds_to_wait

KEY = "k3y-that-nobody-may-read"
LIMITS = Limits(call=1.5, attempt=0.6, connect=0.6, pause=0.01, size=100_000, rest=30)


@pytest.fixture
async def server() -> AsyncIterator[Faulty]:
    async with faulty() as found:
        yield found


@pytest.fixture
async def system(server: Faulty) -> AsyncIterator[HttpSystem]:
    found = HttpSystem("Shop", server.address, headers={"Authorization": f"bearer {KEY}"}, limits=LIMITS)
    yield found
    await found.close()


FAULTS: dict[str, Manner] = {
    "silence": silence(),
    "a slow drip": drip(b'{"state": "paid"}' * 20, pause=0.05),
    "a cut answer": cut(b'{"state": "paid"'),
    "no HTTP": raw(b"what?\r\n\r\n"),
    "nothing": raw(b""),
    "500": answer(b"{}", status=500),
    "503": answer(b"", status=503),
    "429": answer(b"{}", status=429),
    "a page": answer(b"<html>Bad gateway</html>"),
    "half of JSON": answer(b'{"state": "pa'),
    "no number": answer(b'{"total": NaN}'),
    "deep": answer(b"[" * 50_000),
    "a long number": answer(b"1" * 50_000),
    "not UTF-8": answer(b'"\xff\xfe\xfa"'),
}


@pytest.mark.parametrize("manner", FAULTS.values(), ids=FAULTS.keys())
async def test_a_read_that_fails_is_tried_again_and_ends_in_its_budget(
    server: Faulty, system: HttpSystem, manner: Manner
) -> None:
    server.will(manner)
    began = time.monotonic()
    with pytest.raises(Unavailable) as wrong:
        await system.read("orders/1")
    assert time.monotonic() - began < LIMITS.call + 1
    assert 2 <= len(server.asked) <= LIMITS.attempts
    assert str(wrong.value).startswith("Shop ")
    assert KEY not in f"{wrong.value!r} {wrong.value.remedy}"


@pytest.mark.parametrize("manner", FAULTS.values(), ids=FAULTS.keys())
async def test_a_write_is_sent_once_whatever_happens(
    server: Faulty, system: HttpSystem, manner: Manner
) -> None:
    server.will(manner, answer(b"{}"))
    with pytest.raises(Unavailable):
        await system.write("POST", "orders/1/cancel")
    assert server.asked == ["POST /orders/1/cancel"]


@pytest.mark.parametrize("manner", FAULTS.values(), ids=FAULTS.keys())
async def test_one_bad_answer_does_not_cost_the_customer_a_read(
    server: Faulty, system: HttpSystem, manner: Manner
) -> None:
    server.will(manner, answer(b'{"total": 12.30, "n": 2}'))
    assert await system.read("orders/1") == {"total": Decimal("12.30"), "n": 2}
    assert len(server.asked) == 2
    assert system.breaker.state == "closed"


async def test_only_what_surely_did_not_happen_is_called_unsent(server: Faulty, system: HttpSystem) -> None:
    server.will(answer(b"{}", status=429))
    with pytest.raises(Unsent):
        await system.write("POST", "orders/1/cancel")
    server.will(answer(b"{}", status=500))
    with pytest.raises(Unavailable) as wrong:
        await system.write("POST", "orders/1/cancel")
    assert not isinstance(wrong.value, Unsent)


async def test_a_server_that_is_not_there_was_not_asked() -> None:
    nowhere = HttpSystem("Shop", "http://127.0.0.1:9", headers={}, limits=LIMITS)
    with pytest.raises(Unsent):
        await nowhere.write("POST", "orders/1/cancel")
    await nowhere.close()


@pytest.mark.parametrize("size", [LIMITS.size + 1, 5_000_000])
async def test_an_answer_that_is_too_long_is_not_read_to_its_end_nor_asked_for_again(
    server: Faulty, system: HttpSystem, size: int
) -> None:
    server.will(flood(size))
    with pytest.raises(Unavailable, match="more than 100000 bytes"):
        await system.read("orders")
    assert len(server.asked) == 1


async def test_an_answer_that_unpacks_itself_is_refused(server: Faulty, system: HttpSystem) -> None:
    server.will(answer(gzip.compress(b" " * 50_000_000), headers=["Content-Encoding: gzip"]))
    with pytest.raises(Unavailable):
        await system.read("orders")
    assert "accept-encoding: identity" in server.heads[0].lower()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed(server: Faulty, system: HttpSystem, status: int) -> None:
    async with faulty() as thief:
        server.will(answer(b"", status=status, headers=[f"Location: {thief.address}/orders"]))
        with pytest.raises(Unavailable, match="leads elsewhere"):
            await system.read("orders")
        assert (len(server.asked), thief.asked) == (1, [])


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
async def test_a_refusal_is_told_with_its_body_and_is_no_fault_of_the_system(
    server: Faulty, system: HttpSystem, status: int
) -> None:
    for body, told in ((b'{"code": "closed"}', {"code": "closed"}), (b"<p>no</p>", None), (b"", None)):
        server.will(answer(body, status=status))
        with pytest.raises(Declined) as wrong:
            await system.read("orders")
        assert (wrong.value.status, wrong.value.body, len(server.asked)) == (status, told, 1)
    assert (system.breaker.state, system.breaker.failures) == ("closed", 0)


async def test_a_system_that_fails_twice_running_is_left_alone_then_tried_once(server: Faulty) -> None:
    now = [0.0]
    system = HttpSystem("Shop", server.address, headers={}, limits=LIMITS, clock=lambda: now[0])
    server.will(answer(b"{}", status=500))
    for _ in range(2):
        with pytest.raises(Unavailable):
            await system.read("orders")
    asked = len(server.asked)
    with pytest.raises(Unsent):
        await system.read("orders")
    with pytest.raises(Unsent):
        await system.write("POST", "orders/1/cancel")
    assert len(server.asked) == asked
    now[0] += LIMITS.rest
    server.will(answer(b'{"ok": true}'))
    assert await system.read("orders") == {"ok": True}
    assert system.breaker.state == "closed"
    await system.close()


async def test_who_asks_to_be_left_alone_is_left_alone_at_once(server: Faulty, system: HttpSystem) -> None:
    server.will(answer(b"{}", status=429, headers=["Retry-After: 40"]))
    with pytest.raises(Unavailable):
        await system.read("orders")
    assert len(server.asked) == 1
    assert 39 < system.breaker.seconds_left <= 40


async def test_a_short_wait_that_was_asked_for_is_kept_within_the_budget(server: Faulty) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    limits = Limits(call=5, attempt=1, connect=1)
    system = HttpSystem("Shop", server.address, headers={}, limits=limits, sleep=sleep)
    server.will(answer(b"{}", status=503, headers=["Retry-After: 2"]), answer(b"[]"))
    assert await system.read("orders") == []
    assert pauses == [2.0]
    await system.close()


async def test_a_call_given_up_says_nothing_of_the_system(server: Faulty, system: HttpSystem) -> None:
    server.will(silence())
    call = asyncio.create_task(system.read("orders"))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert (system.breaker.state, system.breaker.failures) == ("closed", 0)


async def test_twenty_at_once_get_each_its_own_answer(server: Faulty, system: HttpSystem) -> None:
    server.will(*(answer(b"%d" % n) for n in range(20)))
    found = await asyncio.gather(*(system.read("orders") for _ in range(20)))
    assert sorted(found) == list(range(20))


async def test_a_question_in_a_body_is_a_read_still(server: Faulty, system: HttpSystem) -> None:
    server.will(answer(b"", status=500), answer(b"[1]"))
    assert await system.read("search", body={"text": "фонарь"}) == [1]
    assert server.asked == ["POST /search"] * 2
    assert server.bodies[-1].decode() == '{"text": "фонарь"}'


async def test_an_empty_answer_to_a_write_is_none(server: Faulty, system: HttpSystem) -> None:
    server.will(answer(b"", status=204))
    assert await system.write("DELETE", "orders/1") is None
    assert f"bearer {KEY}" in server.heads[-1]


def test_a_retry_after_is_seconds_or_a_date_or_nothing() -> None:
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert seconds_to_wait("120", now=now) == 120
    assert seconds_to_wait("Sun, 22 Nov 2026 12:00:30 GMT", now=now) == 30
    for nothing in ("", "soon", "-5", "Sun, 22 Nov 2026 11:00:00 GMT", "NaN", "1e9"):
        assert seconds_to_wait(nothing, now=now) == 0, nothing


SECRET = "s3cret-0f-a-webhook"


def at_the_door(status: int, body: object) -> bool:
    return isinstance(body, dict) and body.get("error") == "TOO_MANY"


@pytest.fixture
async def secretive(server: Faulty) -> AsyncIterator[HttpSystem]:
    """A system whose key stands in the path."""
    limits = replace(LIMITS, crowd=0.02)
    found = HttpSystem(
        "Shop",
        server.address,
        headers={},
        secret_path=f"/rest/1/{SECRET}/",
        turned_away=at_the_door,
        limits=limits,
    )
    yield found
    await found.close()


async def test_a_secret_path_is_on_the_wire_and_its_requests_are_whole(
    server: Faulty, secretive: HttpSystem
) -> None:
    server.will(answer(b"[]"))
    await secretive.read("orders", parameters=[("name", "фонарь")], headers={"X-Own": "1"})
    await secretive.write("POST", "orders/1", body={"a": 1})
    assert server.asked == [
        f"GET /rest/1/{SECRET}/orders?name=%D1%84%D0%BE%D0%BD%D0%B0%D1%80%D1%8C",
        f"POST /rest/1/{SECRET}/orders/1",
    ]
    assert "x-own: 1" in server.heads[0].lower()
    assert server.bodies[-1] == b'{"a": 1}'


@pytest.mark.parametrize(
    "manner",
    [
        *FAULTS.values(),
        answer(b'{"error": "TOO_MANY"}', status=503),
        answer(b"{}", status=403),
        answer(b"", status=302, headers=["Location: http://127.0.0.1:9/"]),
        flood(500_000),
    ],
    ids=[*FAULTS, "turned away", "403", "302", "flood"],
)
async def test_no_log_and_no_exception_has_seen_a_secret_path(
    server: Faulty, secretive: HttpSystem, caplog: pytest.LogCaptureFixture, manner: Manner
) -> None:
    for logger in ("", "httpx", "httpcore"):  # A server started earlier in this process has quietened them.
        caplog.set_level(logging.DEBUG, logger=logger)
    server.will(manner)
    for call in (secretive.read("orders"), secretive.write("POST", "orders")):
        with pytest.raises(ToolFault) as wrong:
            await call
        fault: BaseException | None = wrong.value
        while fault is not None:
            told = "".join(traceback.format_exception(fault))
            request = getattr(fault, "request", None) if isinstance(fault, httpx.HTTPError) else None
            seen = f"{fault!r} {vars(fault)} {request!r} {getattr(request, 'url', '')} {told}"
            assert SECRET not in seen
            fault = fault.__cause__ or fault.__context__
    assert "HTTP Request" in caplog.text or "connect_tcp" in caplog.text
    assert SECRET not in caplog.text
    assert SECRET in server.asked[0]


async def test_who_is_turned_away_at_the_door_knocks_again_with_a_write_too(
    server: Faulty, secretive: HttpSystem
) -> None:
    busy = answer(b'{"error": "TOO_MANY"}', status=503)
    server.will(busy, busy, answer(b'{"done": 1}'))
    assert await secretive.write("POST", "orders/1/cancel") == {"done": 1}
    assert len(server.asked) == 3
    server.will(busy)
    with pytest.raises(Unsent, match="turned the request away"):
        await secretive.write("POST", "orders/1/cancel")
    assert len(server.asked) == LIMITS.attempts


async def test_another_503_is_no_door_and_a_write_is_not_repeated(
    server: Faulty, secretive: HttpSystem
) -> None:
    server.will(answer(b'{"error": "OTHER"}', status=503))
    with pytest.raises(Unavailable) as wrong:
        await secretive.write("POST", "orders/1/cancel")
    assert (type(wrong.value), len(server.asked)) == (Unavailable, 1)
