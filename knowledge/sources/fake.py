"""The memory of imports in memory: for tests, and for an import that nobody will repeat."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from knowledge.reading.findings import Flag, Note
from knowledge.sources.port import Learned, Outcome, Page, Schedule, Stamp
from knowledge.types import DocumentId


class ForgetfulNotes:
    """Remembers as long as it lives. Stamps are believed: nobody else changes the documents meanwhile."""

    def __init__(self) -> None:
        self._stamps: dict[str, dict[str, Stamp]] = {}
        self._learned: dict[DocumentId, Learned] = {}
        self._pages: dict[str, Page] = {}
        self._schedules: dict[str, Schedule] = {}

    async def stamps(self, origin: str) -> Mapping[str, Stamp]:
        return dict(self._stamps.get(origin, {}))

    async def stamp(self, origin: str, stamps: Mapping[str, Stamp]) -> None:
        self._stamps.setdefault(origin, {}).update(stamps)

    async def learn(self, learned: Sequence[Learned]) -> None:
        self._learned.update({one.document: one for one in learned})

    async def flags(self, document: DocumentId) -> tuple[Flag, ...]:
        found = self._learned.get(document)
        return found.flags if found else ()

    async def notes(self, document: DocumentId) -> tuple[Note, ...]:
        found = self._learned.get(document)
        return found.notes if found else ()

    async def flagged(self) -> Mapping[DocumentId, int]:
        return {name: len(one.flags) for name, one in sorted(self._learned.items()) if one.flags}

    async def signatures(self) -> Mapping[DocumentId, bytes]:
        return {name: one.signature for name, one in self._learned.items() if one.signature}

    async def page(self, url: str) -> Page | None:
        return self._pages.get(url)

    async def keep_page(self, url: str, page: Page) -> None:
        self._pages[url] = page

    async def schedules(self) -> Sequence[Schedule]:
        return [self._schedules[name] for name in sorted(self._schedules)]

    async def keep_schedule(self, schedule: Schedule) -> None:
        self._schedules[schedule.source] = schedule

    async def pause_schedule(self, source: str, *, paused: bool) -> None:
        if source in self._schedules:
            self._schedules[source] = replace(self._schedules[source], paused=paused)

    async def note_try(self, source: str, *, at: datetime, outcome: Outcome | None) -> None:
        if source in self._schedules:
            self._schedules[source] = replace(self._schedules[source], last=at, outcome=outcome)

    async def drop_schedule(self, source: str) -> bool:
        return self._schedules.pop(source, None) is not None
