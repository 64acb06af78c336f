"""Work that takes longer than a page may: it runs beside the pages, which ask how far it is.

Progress lives in this process; what the work brings is kept where it belongs, so a restart loses a bar, not a result.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from fastapi import FastAPI, Request

from knowledge.errors import KnowledgeFault
from knowledge.imports.stopping import Stop

MOST = 100
"""Ended jobs that are remembered."""


class Tell(Protocol):
    """How work says how far it is: `done` of `total` steps, what it is at, and what it `found` so far."""

    def __call__(self, done: int, total: int, at: str = "", found: int = 0) -> None: ...


Work = Callable[[Tell], Awaitable[Any]]
logger = logging.getLogger("mayak.console")


@dataclass(slots=True, kw_only=True)  # mutable: grows while the work runs
class Job:
    """One piece of work: `done` of `total` steps, then a `result`, or a `fault` (the code of what went wrong).

    `at` is what it is at, `found` what it has found. Work that can end early has a `stop`.
    """

    by: str
    done: int = 0
    total: int = 0
    at: str = ""
    found: int = 0
    stop: Stop | None = None
    ended: bool = False
    result: Any = None
    fault: str = ""
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)

    @property
    def percent(self) -> int:
        """Return how much is done, 0 to 100."""
        return 100 * self.done // self.total if self.total else 0


class Jobs:
    """The jobs of one application, one at a time for each name."""

    def __init__(self) -> None:
        self._known: dict[str, Job] = {}
        self._lanes: dict[str, asyncio.Lock] = {}

    def of(self, name: str) -> Job | None:
        """Return the newest job of a name as it is now: a picture that no longer changes.

        A page that takes it before it reads what the job keeps never shows an ended job without its result.
        """
        known = self._known.get(name)
        return None if known is None else replace(known)

    def start(self, name: str, work: Work, *, by: str, anew: bool = False, stop: Stop | None = None) -> Job:
        """Start work. While some of the same name runs that one is returned, or with `anew` waited for: what it
        saw is out of date."""
        known = self._known.get(name)
        running = known is not None and not known.ended
        if known is not None and running and not anew:
            return known
        job = Job(by=by, stop=stop)
        before = known.task if known is not None and running else None
        job.task = asyncio.create_task(_run(job, work, before=before), name=name)
        self._known.pop(name, None)
        self._known[name] = job
        for old in [key for key, one in self._known.items() if one.ended][:-MOST]:
            del self._known[old]
        return job

    def lane(self, name: str) -> asyncio.Lock:
        """Return what heavy work of one kind holds while it runs: one piece after another."""
        return self._lanes.setdefault(name, asyncio.Lock())

    async def close(self, *, seconds: float = 5.0) -> None:
        """End what runs: work that can is asked to and given `seconds`, the rest is cut off."""
        running = {one.task: one for one in self._known.values() if one.task is not None and not one.ended}
        for task, one in running.items():
            if one.stop is not None:
                one.stop.ask()
            else:
                task.cancel()
        if not running:
            return
        _, late = await asyncio.wait(running, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def settled(self) -> None:
        """Wait until nothing runs."""
        running = [one.task for one in self._known.values() if one.task is not None]
        await asyncio.gather(*running)


def jobs(request: Request) -> Jobs:
    """Return the jobs of the application a request came to."""
    return jobs_of(request.app)


def jobs_of(app: FastAPI) -> Jobs:
    """Return the jobs of an application."""
    if not hasattr(app.state, "console_jobs"):
        app.state.console_jobs = Jobs()
    found: Jobs = app.state.console_jobs
    return found


async def _run(job: Job, work: Work, *, before: "asyncio.Task[None] | None") -> None:
    def tell(done: int, total: int, at: str = "", found: int = 0) -> None:
        job.done, job.total, job.at, job.found = done, total, at, found

    try:
        if before is not None:
            await before
        job.result = await work(tell)
    except KnowledgeFault as fault:
        job.fault = fault.code
    except Exception as fault:
        # Nobody awaits a job: whatever broke it is told on its page and in the log.
        job.fault = "other"
        logger.error("job %s: %r", asyncio.current_task(), fault, exc_info=fault)
    finally:
        job.ended = True
