"""Work that takes longer than a page may: it runs beside the pages, which ask how far it is.

Progress lives in this process; what the work brings is kept where it belongs, so a restart loses a bar, not a result.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from knowledge.errors import KnowledgeFault

MOST = 100
"""Ended jobs that are remembered."""
Tell = Callable[[int, int], None]
Work = Callable[[Tell], Awaitable[Any]]
logger = logging.getLogger("mayak.console")


@dataclass(slots=True, kw_only=True)  # mutable: grows while the work runs
class Job:
    """One piece of work: `done` of `total` steps, then a `result`, or a `fault` (the code of what went wrong)."""

    by: str
    done: int = 0
    total: int = 0
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

    def of(self, name: str) -> Job | None:
        """Return the newest job of a name, running or ended."""
        return self._known.get(name)

    def start(self, name: str, work: Work, *, by: str, anew: bool = False) -> Job:
        """Start work. While some of the same name runs that one is returned, or with `anew` waited for: what it
        saw is out of date."""
        known = self._known.get(name)
        running = known is not None and not known.ended
        if known is not None and running and not anew:
            return known
        job = Job(by=by)
        before = known.task if known is not None and running else None
        job.task = asyncio.create_task(_run(job, work, before=before), name=name)
        self._known.pop(name, None)
        self._known[name] = job
        for old in [key for key, one in self._known.items() if one.ended][:-MOST]:
            del self._known[old]
        return job

    async def settled(self) -> None:
        """Wait until nothing runs."""
        running = [one.task for one in self._known.values() if one.task is not None]
        await asyncio.gather(*running)


def jobs(request: Request) -> Jobs:
    """Return the jobs of the application a request came to."""
    state = request.app.state
    if not hasattr(state, "console_jobs"):
        state.console_jobs = Jobs()
    found: Jobs = state.console_jobs
    return found


async def _run(job: Job, work: Work, *, before: "asyncio.Task[None] | None") -> None:
    def tell(done: int, total: int) -> None:
        job.done, job.total = done, total

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
