"""The stream of an open page: which of its parts became others. Marks alone; the page fetches what changed.

```
commit ─► bell ─► list's mark (paced, one reading for all pages) ─┐
               └► open conversation's mark ───────────────────────┼─► `marks` when any differs from what was told
presence ─────► around's mark ────────────────────────────────────┘
```
The number of an event is the marks themselves: after a break the stream compares, and what changed meanwhile is told
at once, by whichever process answers.
"""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from agent.records.errors import UnknownConversation
from api.around import Sign
from api.console.around import around_mark
from api.console.cases import case_mark
from api.console.inbox import Choice, Inbox, chosen, inbox_of, standing
from api.console.page import HEADERS, PageRoute, SignInFirst
from api.console.visit import Operator, Visit
from api.errors import Problem
from api.notices import Watcher
from api.security import hashed
from tools.context import ConversationId

router = APIRouter(prefix="/console", route_class=PageRoute)

STREAMS = 8
"""Pages one person may have open at once in one process."""
HEARTBEAT_SECONDS = 15.0
CHECK_SECONDS = 3.0
"""How soon a session that was ended, or a role that was taken away, ends the stream."""
PACE_SECONDS = 0.25
"""Shortest time between two marks of the list: in a rush one look shows several changes."""
RELOOK_SECONDS = 1.0
"""How often a database that several processes share is looked at without a bell: a notice between them may be lost."""
IDLE_SECONDS = 15.0
"""How often one process looks again without a bell: a promise comes due by the clock alone."""
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What the page shows, as marks of its parts; empty where the page has none or nothing is known yet."""

    list: str = ""
    case: str = ""
    around: str = ""

    @property
    def id(self) -> str:
        """Return the marks as the number of an event."""
        return f"{self.list}.{self.case}.{self.around}"

    @classmethod
    def of(cls, id: str) -> "Marks":
        """Read marks back; anything else than ours is as if nothing had been told."""
        parts = id.split(".")
        if len(parts) != 3:
            return cls()
        return cls(list=parts[0], case=parts[1], around=parts[2])


@router.get("/live", response_class=StreamingResponse)
async def live(
    visit: Operator,
    show: Annotated[str, Query(max_length=16)] = "open",
    department: Annotated[str, Query(max_length=64)] = "",
    open: Annotated[str, Query(max_length=64)] = "",
    last_event_id: Annotated[str, Header(max_length=200)] = "",
) -> Response:
    """Follow the parts of one page as server-sent events, from what `Last-Event-ID` says the page knows."""
    inbox = inbox_of(visit.request.app)
    if inbox.streams[visit.who.login] >= STREAMS:
        raise Problem(429, "too_many_requests", "Too many streams", headers={"Retry-After": "5"})
    stream = Stream(
        visit=visit,
        choice=chosen(visit, show, department),
        open=ConversationId(open),
        told=Marks.of(last_event_id),
    )
    return StreamingResponse(
        stream.frames(),
        media_type="text/event-stream",
        headers={**HEADERS, "X-Accel-Buffering": "no"},
    )


class Stream:
    """One open page. It ends with the session, with the role, and with the server."""

    def __init__(self, *, visit: Visit, choice: Choice, open: ConversationId, told: Marks) -> None:
        self.visit = visit
        self.choice = choice
        self.open = open
        self.told = told
        self._sign = Sign("looking", open, visit.who.login, secrets.token_hex(4))
        self._listed = self._checked = float("-inf")
        self._spoken = monotonic()

    async def frames(self) -> AsyncIterator[bytes]:
        """Yield frames until the page goes away or may no longer see them."""
        notices = self.visit.house.building.notices
        inbox = inbox_of(self.visit.request.app)
        with (
            _counted(inbox, self.visit.who.login),
            notices.watch_desk(self.open) as (every, one),
            self._present(),
        ):
            every.wake()
            one.wake()
            yield b"retry: 1000\n\n"
            while True:
                if not await self._allowed():
                    yield b"event: over\ndata: {}\n\n"
                    return
                if said := await self._news(every, one):
                    yield said
                if notices.stopping:
                    return
                await one.wait(self._patience(every))

    async def _news(self, every: Watcher, one: Watcher) -> bytes:
        """Return what is to be said now: changed marks, a sign of life after a silence, or nothing."""
        now, marks = monotonic(), self.told
        anew = self._list_is_due(every, now)
        if anew:
            every.take()
            self._listed = now
            marks = replace(marks, list=(await standing(self.visit, self.choice)).mark)
        if self.open and (one.take() or anew or self._shared):
            marks = replace(marks, case=await self._case(), around=around_mark(self.visit, self.open))
        elif self.open:
            marks = replace(marks, around=around_mark(self.visit, self.open))
        if marks != self.told:
            self.told, self._spoken = marks, monotonic()
            return _frame(marks)
        if now - self._spoken >= HEARTBEAT_SECONDS:
            self._spoken = now
            # The comment is for what stands in between, the event for the page, which cannot see comments.
            return b": here\nevent: here\ndata: {}\n\n"
        return b""

    def _list_is_due(self, every: Watcher, now: float) -> bool:
        return now - self._listed >= (PACE_SECONDS if every.stirred else self._relook)

    @property
    def _relook(self) -> float:
        return RELOOK_SECONDS if self._shared else IDLE_SECONDS

    async def _case(self) -> str:
        try:
            conversation = await self.visit.house.building.records.conversation(self.open)
        except UnknownConversation:
            return GONE
        return await case_mark(self.visit, conversation)

    @property
    def _shared(self) -> bool:
        """Whether other processes write into the same database."""
        return self.visit.house.building.engine.dialect.name != "sqlite"

    async def _allowed(self) -> bool:
        """Look again who this is; a page that is open keeps its person present."""
        if monotonic() - self._checked < CHECK_SECONDS:
            return True
        self._checked = monotonic()
        session = await self.visit.staff.session(hashed(self.visit.token))
        self.visit = replace(self.visit, session=session)
        if self.open:
            self.visit.house.building.notices.around.show(self._sign)
        try:
            return self.visit.who.may("operator")
        except SignInFirst:
            return False

    def _patience(self, every: Watcher) -> float:
        now = monotonic()
        ends = [self._spoken + HEARTBEAT_SECONDS, self._checked + CHECK_SECONDS]
        ends.append(self._listed + (PACE_SECONDS if every.stirred else self._relook))
        fades = self.visit.house.building.notices.around.fades(self.open) if self.open else None
        if fades is not None:
            ends.append(now + fades)
        return max(0.01, min(ends) - now)

    @contextmanager
    def _present(self) -> Iterator[None]:
        try:
            yield
        finally:
            if self.open:
                self.visit.house.building.notices.around.hide(self._sign)


@contextmanager
def _counted(inbox: Inbox, login: str) -> Iterator[None]:
    inbox.streams[login] += 1
    try:
        yield
    finally:
        inbox.streams[login] -= 1
        if not inbox.streams[login]:
            del inbox.streams[login]


def _frame(marks: Marks) -> bytes:
    data = {"list": marks.list, "case": marks.case, "around": marks.around}
    return f"id: {marks.id}\nevent: marks\ndata: {json.dumps(data)}\n\n".encode()
