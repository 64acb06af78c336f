"""The front door as an ASGI application: routes, gate, and what starts and stops with it.

```
create_app ─► Gate ─► routes
     └─ lifespan: building ─► durable turns ─► worker   (and back in reverse)
```
"""

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request

from agent import grounding
from agent import language as words
from agent.policy.proof import code_in
from agent.privacy import veil
from api.durable import executor_id, open_turns
from api.errors import add_problems
from api.gate import Gate
from api.metrics import Metrics
from api.opened import OPENINGS_PER_MINUTE, PER_ADDRESS, Opened, opened
from api.promises import Promises
from api.queueing import Queue, Watch, clocked
from api.relay import relayed
from api.rights.erasures import Erasures
from api.rights.premises import premises_of
from api.rights.task import aged_out, carried_out
from api.routes import consents, conversations, docs, events, health, me, notes, receipts
from api.routes.widget import Look, look_of, widget_router
from api.security import Identity, Rate
from api.turn_clocks import TurnClocks
from api.worker import Worker
from api.writable import Writable

if TYPE_CHECKING:
    from agent.ports import Steps
    from api.container import Building
    from api.notices import LiveNotices
    from tools.context import TurnId

VERSION = "0.1.0"

BuildingFactory = Callable[[], "AbstractAsyncContextManager[Building]"]
Extra = Callable[[FastAPI], None]
"""Adds routers of other doors: the demo shop, the console, a channel's webhook."""


def create_app(building: BuildingFactory, *, extras: Iterable[Extra] = ()) -> FastAPI:
    """Return the application; the house is opened when it starts and closed when it stops."""
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with (
            building() as built,
            relayed(built.engine, built.notices),
            _opened(built, metrics) as house,
        ):
            app.state.opened = house
            with _streams_end_first(built.notices):
                yield
            app.state.opened = None

    app = FastAPI(
        title="Mayak",
        version=VERSION,
        summary="A self-hosted customer-service agent.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.opened = None
    add_problems(app)
    for part in (conversations, receipts, events, consents, me, notes, health, docs):
        app.include_router(part.router)
    app.include_router(widget_router(origins=_origins, look=_look))
    for extra in extras:
        extra(app)

    def allowed() -> Iterable[str]:
        return app.state.opened.building.settings.widget_origins if app.state.opened else ()

    def count(method: str, route: str, status: int, seconds: float) -> None:
        metrics.requests.labels(method, route, str(status)).inc()

    app.add_middleware(Gate, origins=allowed, count=count)
    return app


def _watches(building: "Building") -> tuple[Watch, ...]:
    """What is due by a clock: the queue of those who wait for a person, and promises to customers."""
    house: dict[str, Any] = {
        "records": building.records,
        "pack": building.pack,
        "phrases": building.phrases,
        "clock": building.clock,
    }
    return Queue(**house), Promises(**house)


@asynccontextmanager
async def _opened(building: "Building", metrics: Metrics) -> AsyncIterator[Opened]:
    settings, pack = building.settings, building.pack

    # What is loaded lazily would otherwise make the first customer wait.
    await asyncio.to_thread(words.warm)
    await asyncio.to_thread(grounding.warm)
    if veil.veiled(pack, building.models.links):
        await asyncio.to_thread(veil.warm)

    clocks, writable = TurnClocks(), Writable(building.engine, folder=settings.data)

    async def run(turn: "TurnId", steps: "Steps") -> str:
        record = await building.turn.run(turn, steps=steps, waited=clocks.waited(turn))
        clocks.committed(turn, record.ms)
        return turn

    async with open_turns(run, url=settings.durable_url, data=settings.data) as turns:
        worker = Worker(
            records=building.records,
            turns=turns,
            owner=executor_id(settings.data),
            pack=pack,
            phrases=building.phrases,
            clock=building.clock,
            metrics=metrics,
            urgent=_urgent,
            quiet=timedelta(milliseconds=settings.quiet_ms),
            ahead=building.turn.ahead,
            clocks=clocks,
        )
        await worker.start()
        premises = premises_of(building)
        erasures = Erasures(premises)
        alone = building.engine.dialect.name == "sqlite"
        try:
            async with (
                carried_out(erasures, alone=alone),
                aged_out(premises, metrics=metrics),
                clocked(*_watches(building)),
            ):
                yield Opened(
                    building=building,
                    worker=worker,
                    erasures=erasures,
                    metrics=metrics,
                    writable=writable,
                    identity=Identity(
                        secret=building.identity_secret,
                        public_key=settings.identity_public_key,
                        audience=settings.identity_audience,
                    ),
                    by_conversation=Rate(pack.limits.messages_per_minute),
                    by_address=Rate(pack.limits.messages_per_minute * PER_ADDRESS),
                    openings=Rate(OPENINGS_PER_MINUTE),
                )
        finally:
            building.notices.stop()
            await writable.stop()
            await worker.stop()


def _urgent(text: str) -> bool:
    """Whether a message says all it is going to say: a person wanted, a plain yes or no, a one-time code."""
    plain = words.says_yes(text) or words.says_no(text)
    return words.wants_person(text) or plain or code_in(text) is not None


def _origins(request: Request) -> Iterable[str]:
    return opened(request).building.settings.widget_origins


def _look(request: Request) -> Look:
    building = opened(request).building
    return look_of(building.pack, building.phrases)


@contextmanager
def _streams_end_first(notices: "LiveNotices") -> Iterator[None]:
    """End event streams at the first stop signal.

    The server waits for open responses before it lets the application stop, and a stream never ends by
    itself. Signals can only be listened to in the main thread; elsewhere whoever stops us tells `notices`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM)
    before: dict[int, Any] = {number: signal.getsignal(number) for number in signals}

    def stop(number: int, stack: Any) -> None:
        loop.call_soon_threadsafe(notices.stop)
        before[number](number, stack)

    for number, handler in before.items():
        # Without a server's own handler the default one ends the process at once, as it should.
        if callable(handler):
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
