"""The stream of a conversation's events: numbered, resumable, with a heartbeat."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from agent.records.rules import Event
from api.around import Around, Sign
from api.errors import Problem
from api.notices import LiveNotices
from api.opened import House, Opened, Own
from api.render import to_html
from tools.context import ConversationId

router = APIRouter(prefix="/v1/conversations", tags=["conversations"])

HEARTBEAT_SECONDS = 15.0
POLL_SECONDS = 1.0
"""How often events are looked for without a bell where several processes share the database: a notice may be lost."""
STREAMS = 8
"""Streams one conversation may have open: tabs and devices of one customer."""


@router.get("/{id}/events", response_class=StreamingResponse)
async def events(
    conversation: Own,
    house: House,
    after: Annotated[int, Query(ge=0)] = 0,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Follow a conversation as server-sent events, after number `after` or the `Last-Event-ID` header."""
    begin = int(last_event_id) if last_event_id and last_event_id.isdecimal() else after
    if house.building.notices.watching(conversation.id) >= STREAMS:
        raise Problem(
            429,
            "too_many_streams",
            "Too many streams",
            detail=f"At most {STREAMS} streams of one conversation.",
            remedy="Close one; a single stream carries everything.",
            headers={"Retry-After": "5"},
        )
    return StreamingResponse(
        follow(house, conversation.id, begin),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def follow(house: Opened, conversation: ConversationId, after: int) -> AsyncIterator[bytes]:
    """Yield frames until the client goes away or the server stops."""
    notices, records = house.building.notices, house.building.records
    shared = house.building.engine.dialect.name != "sqlite"
    with notices.watch(conversation) as watcher, _there(notices, conversation) as company:
        yield b"retry: 1000\n\n"
        spoken = monotonic()
        while not notices.stopping:
            frames = [
                frame("status", {"turn": status.turn, "text": status.text}) for status in watcher.statuses()
            ]
            if company.changed():
                frames.append(frame("typing", {"on": company.answering}))
            for event in await records.events(conversation, after=after):
                frames.append(frame(event.type, shown(event), number=event.n))
                after = event.n
            if frames:
                yield b"".join(frames)
                spoken = monotonic()
            elif monotonic() - spoken >= HEARTBEAT_SECONDS:
                yield b": here\n\n"
                spoken = monotonic()
            left = min(spoken + HEARTBEAT_SECONDS - monotonic(), company.left())
            await watcher.wait(min(POLL_SECONDS, left) if shared else left)


class _Company:
    """The customer's side of who is about: says that they are there, sees whether a person writes to them."""

    def __init__(self, around: Around, conversation: ConversationId) -> None:
        self._around = around
        self.sign = Sign("online", conversation, source=secrets.token_hex(4))
        self.answering = False
        self._shown = float("-inf")

    def changed(self) -> bool:
        """Look, and say again that the customer is there; return whether a person began or stopped writing."""
        if monotonic() - self._shown >= HEARTBEAT_SECONDS:
            self._shown = monotonic()
            self._around.show(self.sign)
        before = self.answering
        self.answering = bool(self._around.scene(self.sign.conversation).answering)
        return before != self.answering

    def left(self) -> float:
        """Return the seconds until it has to be looked again."""
        fades = self._around.fades(self.sign.conversation) if self.answering else None
        return HEARTBEAT_SECONDS if fades is None else max(0.01, fades)


@contextmanager
def _there(notices: LiveNotices, conversation: ConversationId) -> Iterator[_Company]:
    company = _Company(notices.around, conversation)
    try:
        yield company
    finally:
        notices.around.hide(company.sign)


def shown(event: Event) -> Mapping[str, Any]:
    """Return the event's data as it is sent: texts get their HTML."""
    if event.type not in ("message", "sentence"):
        return event.data
    author = str(event.data.get("author", "ai"))
    return {**event.data, "html": to_html(str(event.data["text"]), author=author)}


def frame(type: str, data: Mapping[str, Any], *, number: int | None = None) -> bytes:
    """Return one server-sent event; only numbered ones can be resumed from."""
    id = f"id: {number}\n" if number is not None else ""
    return f"{id}event: {type}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
