"""`mayak bench handoff`: a real server, customers who call for people, operators with open consoles, and the count.

```
fresh folder, staff ─► serve ─► customers arrive ─► calls, some a second ─► claims, replies, answers ─► the count
                         └──────── with kill: SIGKILL in the middle, started again on the same folder ──┘
```
It stops by itself, and ends only the servers it started.
"""

import asyncio
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

from agent.records.engine import connect
from agent.records.staff import Person, Staff
from api.bench.handoff.customers import Customer
from api.bench.handoff.ledger import Ledger, compared, faults, latencies
from api.bench.handoff.operators import Operator
from api.bench.process import machine
from api.bench.server import SECRET, Server, running
from api.commands.progress import bar
from api.container import SystemClock
from api.migrate import migrate
from api.settings import Settings
from api.staff import password_hash

EXCHANGES = 2
PAUSE_SECONDS = 1.0
"""Longest an operator thinks before each act."""
AT_ONCE = 10
PATIENCE_SECONDS = 120.0
"""How long after the last call everything may take to be answered."""

Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How many customers, operators, calls a second; whether the server is killed in the middle."""

    customers: int
    operators: int
    per_second: float
    kill: bool


async def bench_handoff(settings: Settings, size: Size, *, quiet: bool = False) -> dict[str, Any]:
    """Return the latencies of calls for a person, and what was lost or doubled at either end."""
    # Only the hand-off is measured: no model but the one that needs no provider.
    settings = replace(settings, model="extractive", model_url="", quiet_ms=0)
    ledger = Ledger()
    with tempfile.TemporaryDirectory(prefix="mayak-handoff-") as folder, bar("Calls", quiet=quiet) as tell:
        data = Path(folder) / "data"
        logins = [f"op-{n:02}" for n in range(size.operators)]
        await _staffed(data, logins)
        async with (
            _serving(settings, data, log=Path(folder) / "server.log") as house,
            _arrived(house.address, ledger, size, logins) as (customers, operators),
        ):
            unfinished = await _played(house, ledger, size, customers, tell)
            counts = await _counted(ledger, customers, operators)
    calls = ledger.calls.values()
    return {
        "machine": machine(),
        "customers": size.customers,
        "operators": size.operators,
        "calls_per_second": size.per_second,
        "kills": len(ledger.outages),
        "away_s": [round(back - gone, 1) for gone, back in ledger.outages],
        "calls": len(calls),
        **latencies(ledger),
        "untold": sum(not call.told for call in calls),
        "unseen": sum(not call.seen for call in calls),
        "unanswered": unfinished,
        **counts,
        "claims": dict(ledger.claims),
        "errors": dict(ledger.errors),
    }


def handoff_table(figures: dict[str, Any]) -> str:
    """Return the figures for a terminal."""
    lines = [
        f"{figures['machine']}; {figures['customers']} customers, {figures['operators']} operators, "
        f"{figures['calls_per_second']:g} calls a second, killed {figures['kills']} times",
        f"{'':<26} {'p50 ms':>9} {'p95 ms':>9} {'max ms':>9}",
    ]
    rows = {"customer told": figures["told_ms"]}
    rows |= {f"… by {way}": those for way, those in figures["told_by_way_ms"].items()}
    rows |= {"… across a kill": figures["told_across_a_kill_ms"]}
    rows |= {"in every open list": figures["visible_ms"], "in the first list": figures["first_list_ms"]}
    lines += [
        f"{name:<26} {those['p50']:>9} {those['p95']:>9} {those['max']:>9}"
        for name, those in rows.items()
        if those
    ]
    lines.append(f"messages sent {figures['sent']}, claims {figures['claims']}, away {figures['away_s']} s")
    wrong = faults(figures)
    lines.append("WRONG: " + "; ".join(wrong) if wrong else "every message came once, at both ends")
    return "\n".join(lines)


@dataclass(slots=True)  # mutable: a killed server is followed by another
class House:
    """The server of the bench at one address, whichever process it is."""

    address: str
    again: Callable[[], Any]
    server: Server


@asynccontextmanager
async def _serving(settings: Settings, data: Path, *, log: Path) -> AsyncIterator[House]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with AsyncExitStack() as stack:

        async def start() -> Server:
            return await stack.enter_async_context(running(settings, data, log=log, port=port))

        server = await start()
        yield House(address=server.address, again=start, server=server)


async def _staffed(data: Path, logins: Sequence[str]) -> None:
    """Make the database and the operators' accounts; a password is hashed once for all of them."""
    data.mkdir(parents=True)
    url = Settings(data=data).database_url
    await asyncio.to_thread(migrate, url)
    engine = connect(url)
    staff = Staff(engine, clock=SystemClock())
    hashed = await password_hash(SECRET)
    for login in logins:
        await staff.add(Person(login=login, name=login, roles=frozenset({"operator"})), password_hash=hashed)
    await engine.dispose()


@asynccontextmanager
async def _arrived(
    address: str, ledger: Ledger, size: Size, logins: Sequence[str]
) -> AsyncIterator[tuple[list[Customer], list[Operator]]]:
    customers = [Customer(address, ledger, n=n, exchanges=EXCHANGES) for n in range(size.customers)]
    operators = [
        Operator(address, ledger, login=login, exchanges=EXCHANGES, pause=PAUSE_SECONDS) for login in logins
    ]
    try:
        for at in range(0, len(customers), AT_ONCE):
            await asyncio.gather(*(one.arrive() for one in customers[at : at + AT_ONCE]))
        for operator in operators:
            await operator.arrive(SECRET)
        yield customers, operators
    finally:
        await asyncio.gather(*(one.leave() for one in customers), *(one.leave() for one in operators))


async def _played(house: House, ledger: Ledger, size: Size, customers: Sequence[Customer], tell: Tell) -> int:
    """Let everybody call in turn and be answered; return how many were not in time."""
    killing: asyncio.Task[None] | None = None
    calling: list[asyncio.Task[None]] = []
    for n, customer in enumerate(customers):
        calling.append(asyncio.create_task(customer.call()))
        if size.kill and n == len(customers) // 2:
            killing = asyncio.create_task(_killed(house, ledger))
        tell(n + 1, len(customers))
        await asyncio.sleep(1 / size.per_second)
    if killing is not None:
        await killing
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*calling, *(one.done.wait() for one in customers))
    except TimeoutError:
        pass
    # Operators who have just sent the last reply read its answer.
    await asyncio.sleep(2 * PAUSE_SECONDS)
    return sum(not one.done.is_set() for one in customers)


async def _killed(house: House, ledger: Ledger) -> None:
    """Kill the server as a power cut would, and start it again."""
    gone = perf_counter()
    house.server.process.kill()
    await asyncio.to_thread(house.server.process.wait)
    house.server = await house.again()
    ledger.outages.append((gone, perf_counter()))


async def _counted(
    ledger: Ledger, customers: Sequence[Customer], operators: Sequence[Operator]
) -> dict[str, Any]:
    """Compare what was sent with the customer's transcript and with the operators' page, message by message."""
    ends = {"customer": {"lost": 0, "doubled": 0}, "staff": {"lost": 0, "doubled": 0}}
    for n, customer in enumerate(customers):
        sent = ledger.sent.get(customer.id, set())
        pages = {
            "customer": await customer.transcript(),
            "staff": await operators[n % len(operators)].whole(customer.id),
        }
        for end, page in pages.items():
            lost, doubled = compared(sent, page)
            ends[end]["lost"] += lost
            ends[end]["doubled"] += doubled
    return {
        "sent": sum(len(those) for those in ledger.sent.values()),
        "messages": ends,
        "streamed_twice": sum(n - 1 for heard in ledger.heard.values() for n in heard.values()),
    }
