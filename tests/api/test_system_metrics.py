"""What whoever runs Mayak sees of the company's systems: calls, failures, how long, and which of them rests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable

import httpx
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from api.system_metrics import SystemFigures
from tools.errors import Declined, ToolFault
from tools.http_client import HttpSystem, Limits

KEY = "k3y-of-the-system"
LABELS = ("system", "kind", "result", "state", "le")


def answering(*statuses: int, name: str = "Shop", took: float = 0.0) -> HttpSystem:
    """A system that answers so, one after the other."""
    now = [0.0]
    left = list(statuses)

    async def body() -> AsyncIterator[bytes]:
        yield b"{}"

    def answer(request: httpx.Request) -> httpx.Response:
        now[0] += took
        return httpx.Response(left.pop(0), content=body())

    limits = Limits(attempts=1, pause=0.0)
    system = HttpSystem(
        name,
        "https://shop.example/",
        headers={"Authorization": KEY},
        limits=limits,
        clock=lambda: now[0],
    )
    system._client = httpx.AsyncClient(
        transport=httpx.MockTransport(answer), base_url="https://shop.example/", headers={"A": KEY}
    )
    return system


async def ask(system: HttpSystem, *, times: int, write: bool = False) -> None:
    for _ in range(times):
        with contextlib.suppress(ToolFault, Declined):
            await (system.write("POST", "orders/1051") if write else system.read("orders/1051"))


def samples(systems: Iterable[HttpSystem]) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(SystemFigures(lambda: systems))
    found = {}
    for family in text_string_to_metric_families(generate_latest(registry).decode()):
        for sample in family.samples:
            labels = (sample.labels[name] for name in LABELS if name in sample.labels)
            found[(sample.name, *labels)] = sample.value
    return found


async def test_calls_are_counted_by_what_came_of_them() -> None:
    system = answering(200, 200, 404, 429, 500, took=0.2)
    await ask(system, times=4)
    await ask(system, times=2, write=True)
    found = samples([system])
    counted = {key[2:]: value for key, value in found.items() if key[0] == "mayak_system_calls_total"}
    assert counted == {
        ("read", "answered"): 2,
        ("read", "declined"): 1,
        ("read", "unsent"): 1,
        ("read", "failed"): 0,
        ("read", "resting"): 0,
        ("write", "answered"): 0,
        ("write", "declined"): 0,
        ("write", "unsent"): 0,
        ("write", "failed"): 1,
        ("write", "resting"): 1,
    }
    assert found["mayak_system_seconds_bucket", "Shop", "read", "0.1"] == 0
    assert found["mayak_system_seconds_bucket", "Shop", "read", "0.25"] == 4
    assert found["mayak_system_seconds_bucket", "Shop", "read", "+Inf"] == 4
    assert found["mayak_system_seconds_count", "Shop", "write"] == 1, "a rest takes no time"
    assert round(found["mayak_system_seconds_sum", "Shop", "read"], 6) == 0.8
    assert found["mayak_system_state", "Shop", "open"] == 1
    assert found["mayak_system_state", "Shop", "closed"] == 0
    await system.close()


async def test_two_doors_to_one_system_are_one_system_and_the_worse_state_is_shown() -> None:
    good, bad = answering(200), answering(500, 500)
    await ask(good, times=1)
    await ask(bad, times=2)
    found = samples([good, bad])
    assert found["mayak_system_calls_total", "Shop", "read", "answered"] == 1
    assert found["mayak_system_calls_total", "Shop", "read", "failed"] == 2
    assert found["mayak_system_state", "Shop", "open"] == 1
    await asyncio.gather(good.close(), bad.close())


async def test_the_page_shows_systems_as_long_as_they_are_open_and_nothing_of_what_was_asked() -> None:
    metrics = Metrics()
    system = answering(200, name="Ledger")
    await ask(system, times=1)
    page = metrics.page().decode()
    assert 'mayak_system_calls_total{kind="read",result="answered",system="Ledger"} 1.0' in page
    assert "1051" not in page
    assert KEY not in page
    await system.close()
    assert "Ledger" not in metrics.page().decode()


async def test_a_call_we_gave_up_says_nothing_about_the_system() -> None:
    system = answering()

    async def hang(request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    system._client = httpx.AsyncClient(transport=httpx.MockTransport(hang), base_url="https://shop.example/")
    call = asyncio.create_task(ask(system, times=1))
    await asyncio.sleep(0.05)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert not system.calls.counts
    await system.close()
