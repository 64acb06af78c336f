"""Durable turns: each is a workflow of the engine, each effect in it a step that is not repeated.

```
worker ─► Turns.run(turn) ─► workflow "turn" (id = the turn's id) ─► step, step, step … ─► outcome's name
                 │                     ▲
                 └── left by a crash ──┘ resumed: finished steps return what they returned
```
The engine's tables hold no truth: the inbox does. Losing them repeats reads and model calls; writes have
their own keys. What a turn left in them is deleted with it, customers' words included. This is the only file
that knows the engine.
"""

import asyncio
import json
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig, Serializer, SetWorkflowID, error
from pydantic import ValidationError

from agent.ports import Steps
from agent.records.errors import Superseded
from api.lasting import lasting
from api.outage import outage_of
from api.steps import fault_json, fault_of, outcome, result_json
from tools.context import TurnId

T = TypeVar("T")
Run = Callable[[TurnId, Steps], Awaitable[str]]
"""Decides one turn and returns its outcome's name."""

ENGINE_VERSION = "mayak"
"""Never changes with a release: the engine finishes only turns that carry its own version."""
POLL_SECONDS = 0.05
ATTEMPTS = 2
"""Attempts of one turn: it begins again at most once for messages that came late."""
STARTS = 3
"""Starts of an attempt whose code changed under it before it is given up."""
CHANGED = "~changed"
"""What a workflow returns whose recorded steps no longer fit the code."""
RECOVERIES = 10
"""Crashes one turn may take part in before it is given up; its customer then gets a person."""
THREADS = 16
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
"""States of workflows that will not run again."""
SWEPT = 1000
"""Forgotten workflows looked for at one start."""

logger = logging.getLogger("mayak.durable")


class Stopped(Exception):
    """The workflow of a turn ended without an outcome: cancelled, or given up after too many crashes."""


class Diverged(BaseException):
    """The code asks for another step than was recorded; nothing in the turn may catch this and go on."""


class JsonSerializer(Serializer):
    """JSON instead of the engine's pickle: nothing read from the database can run code."""

    def name(self) -> str:
        return "mayak_json"

    def serialize(self, data: Any) -> str:
        value = fault_json(data) if isinstance(data, Exception) else {"value": data}
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        return fault_of(data["fault"]) if "fault" in data else data["value"]


class NotNow(BaseException):
    """The storage took nothing; the cause says why, and the step is still to do.

    Passes through the turn like `Diverged`, so that neither the turn nor the engine takes it for a result.
    """


class DurableSteps:
    """`agent.ports.Steps` on the engine; made by a workflow, used inside it."""

    def __init__(self, *, attempt: int) -> None:
        self.attempt = attempt

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run `effect` once, ever; its own faults are recorded and raised again on a replay."""
        failures: list[Exception] = []
        fresh: list[T] = []

        async def step() -> dict[str, Any]:
            try:
                value = await effect()
                recorded = result_json(value, of)
            except Exception as fault:
                if outage_of(fault):
                    raise NotNow from fault
                failures.append(fault)
                return fault_json(fault)
            fresh.append(value)
            return recorded

        try:
            recorded = await DBOS.run_step_async({"name": name}, step)
        except error.DBOSUnexpectedStepError as other:
            raise Diverged(name) from other
        except sa.exc.SQLAlchemyError as fault:
            # The engine's own tables did not take the result.
            raise NotNow from fault
        if failures:
            raise failures[0]
        return fresh[0] if fresh else _replayed(name, recorded, of)


def _replayed(name: str, recorded: dict[str, Any], of: type[T]) -> T:
    try:
        result: T = outcome(recorded, of)
    except (ValidationError, KeyError) as unreadable:
        raise Diverged(name) from unreadable
    return result


class Turns:
    """Runs turns durably. One object a process; made by `open_turns`."""

    def __init__(self, start: Callable[[str], Awaitable[Any]], running: "Running") -> None:
        self._start = start
        self._running = running

    async def run(self, turn: TurnId, *, attempt: int = 1) -> str:
        """Run this attempt of the turn, or go on with it where a crash left it; return its outcome's name.

        Raises what the turn raised, `Stopped` when the engine gave it up, `Superseded` when the turn begins again.
        What is left of earlier attempts is stopped first. A turn whose steps no
        longer fit what was recorded (the code changed meanwhile) starts afresh under a new id: what it
        has already said stays, its writes have their own keys.
        """
        for earlier in range(1, attempt):
            self.supersede(turn, earlier)
            await self._cancel(_ids(turn, earlier))
        for id in _ids(turn, attempt):
            result = await self._attempt(id)
            if result != CHANGED:
                return result
            logger.warning("turn %s starts afresh: its recorded steps do not fit this release", turn)
        raise Stopped(turn)

    async def _attempt(self, id: str) -> str:
        handle = await self._start(id)
        if not isinstance(getattr(handle, "task", None), asyncio.Future):
            await self._adopt(id)
        try:
            return str(await handle.get_result(polling_interval_sec=POLL_SECONDS))
        except (
            error.DBOSAwaitedWorkflowCancelledError,
            error.DBOSAwaitedWorkflowMaxRecoveryAttemptsExceeded,
        ) as ended:
            raise Stopped(id) from ended
        except NotNow as outage:
            raise outage.__cause__ or outage from None

    async def _adopt(self, id: str) -> None:
        """Resume a workflow that nobody runs: another process left it, or an outage of the storage ended it here.

        Whoever has the conversation's lease owns it now.
        """
        status = await DBOS.get_workflow_status_async(id)
        if status is not None and status.status == "PENDING" and id not in self._running:
            await DBOS.resume_workflow_async(id)

    async def cancel(self, turn: TurnId) -> None:
        """Stop the turn before its next step; nothing happens to one that has ended."""
        await self._cancel(workflows_of(turn))

    def supersede(self, turn: TurnId, attempt: int) -> None:
        """Stop an attempt at once, in the middle of a call; whoever waits for it gets `Superseded`."""
        for id in _ids(turn, attempt):
            self._running.supersede(id)

    async def _cancel(self, ids: Iterable[str]) -> None:
        for id in ids:
            status = await DBOS.get_workflow_status_async(id)
            if status is not None and status.status in ("PENDING", "ENQUEUED"):
                await DBOS.cancel_workflow_async(id)

    async def forget(self, *turns: TurnId) -> None:
        """Delete what the engine kept of turns that have their outcome."""
        await DBOS.delete_workflows_async([id for turn in turns for id in workflows_of(turn)])

    async def ended(self) -> frozenset[TurnId]:
        """Return turns whose workflows have ended but were not forgotten: a crash came between."""
        found = await DBOS.list_workflows_async(
            status=ENDED, limit=SWEPT, load_input=False, load_output=False
        )
        return frozenset(_turn_of(each.workflow_id) for each in found)


class Running:
    """The workflows whose turns are being decided in this process, by id."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}
        self._superseded: set[str] = set()

    def __contains__(self, id: str) -> bool:
        return id in self._tasks

    def supersede(self, id: str) -> None:
        """Interrupt a workflow wherever it waits; its result is `Superseded`."""
        if (task := self._tasks.get(id)) is not None:
            self._superseded.add(id)
            task.cancel()

    @contextmanager
    def here(self, id: str) -> Iterator[None]:
        """Let the block be superseded. Any other cancellation, such as a shutdown, passes."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A turn runs in a task of its own.")
        self._tasks[id] = task
        try:
            yield
        except asyncio.CancelledError:
            if id not in self._superseded:
                raise
            task.uncancel()
            raise Superseded() from None
        finally:
            del self._tasks[id]
            self._superseded.discard(id)


def _ids(turn: TurnId, attempt: int) -> tuple[str, ...]:
    """Return the ids of the workflows that may carry an attempt of a turn, in the order they are started."""
    first = (attempt - 1) * STARTS + 1
    return tuple(turn if n == 1 else f"{turn}~{n}" for n in range(first, first + STARTS))


def workflows_of(turn: TurnId) -> tuple[str, ...]:
    """Return the ids of every workflow that may have carried a turn."""
    return tuple(id for attempt in range(1, ATTEMPTS + 1) for id in _ids(turn, attempt))


def _turn_of(id: str) -> TurnId:
    return TurnId(id.partition("~")[0])


def _attempt_of(id: str) -> int:
    return (int(id.partition("~")[2] or 1) - 1) // STARTS + 1


@asynccontextmanager
async def open_turns(run: Run, *, url: str, data: Path) -> AsyncIterator[Turns]:
    """Launch the engine on `url` (sync SQLAlchemy URL) for this data folder, inside the running loop.

    Turns that this folder's process left behind are resumed by the engine itself.
    """
    engine = _engine(url)
    DBOS(config=_config(url, engine, executor=executor_id(data)))

    running, tasks = Running(), set[asyncio.Task[Any]]()

    @DBOS.workflow(name="turn", max_recovery_attempts=RECOVERIES)
    async def turn(id: str) -> str:
        if (task := asyncio.current_task()) is not None:
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        try:
            with running.here(id):
                return await run(_turn_of(id), DurableSteps(attempt=_attempt_of(id)))
        except Diverged:
            return CHANGED
        except Exception as fault:
            if outage_of(fault):
                # Recorded as the turn's end it would be the end; unrecorded, the turn is still to do.
                raise NotNow from fault
            raise

    async def start(id: str) -> Any:
        with SetWorkflowID(id):
            return await DBOS.start_workflow_async(turn, id)

    DBOS.launch()
    logging.getLogger("dbos").propagate = False
    try:
        yield Turns(start, running)
    finally:
        # Cut off like a crash: the engine resumes them at the next launch.
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await _destroy()
        if engine is not None:
            engine.dispose()


def executor_id(data: Path) -> str:
    """Return the id of whoever owns this data folder, made once: its own unfinished work is recognised."""
    return lasting(data / "executor.id", size=16)


def _config(url: str, engine: sa.Engine | None, *, executor: str) -> DBOSConfig:
    config: DBOSConfig = {
        "name": "mayak",
        "system_database_url": url,
        "application_version": ENGINE_VERSION,
        "executor_id": executor,
        "serializer": JsonSerializer(),
        "log_level": "CRITICAL",
        "enable_otlp": False,
        "max_executor_threads": THREADS,
    }
    if engine is not None:
        config["system_database_engine"] = engine
    return config


def _engine(url: str) -> sa.Engine | None:
    """Return a tuned engine for SQLite: the write-ahead log halves what a step costs.

    Without a sync at every commit a power cut may lose the last steps, which are then repeated; a killed
    process loses nothing.
    """
    if not url.startswith("sqlite"):
        return None
    engine = sa.create_engine(url, pool_size=THREADS, max_overflow=THREADS)

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "busy_timeout=30000",
            "journal_mode=WAL",
            "synchronous=NORMAL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine


async def _destroy() -> None:
    """Shut the engine down beside the loop: it joins threads that may need the loop to finish."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def destroy() -> None:
        try:
            DBOS.destroy(destroy_registry=True)
        finally:
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=destroy, name="durable-shutdown").start()
    await done.wait()
    # The engine had made its own pool the loop's; that one takes no more work.
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="mayak"))
