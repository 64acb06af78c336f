"""A connection and a journal in memory, for tests."""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from tools.context import CustomerId
from tools.mcp.port import Connection, Entry, Journal, NotReached
from tools.outside.said import Said
from tools.proposal import Fact


class FakeConnection(Connection):
    """Answers with `answer(tool, arguments)`, which may raise; `calls` holds what was sent."""

    def __init__(self, answer: Callable[[str, Mapping[str, Any]], Said]) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.up = True

    def ready(self, tool: str) -> bool:
        return self.up

    async def call(self, tool: str, arguments: Mapping[str, Any], *, seconds: float) -> Said:
        if not self.up:
            raise NotReached()
        self.calls.append((tool, dict(arguments)))
        return self.answer(tool, arguments)

    async def back(self, tool: str, *, seconds: float) -> bool:
        return self.up


class MemoryJournal(Journal):
    """A journal that ends with its process."""

    def __init__(self) -> None:
        self.rows: dict[str, Entry] = {}

    async def begin(
        self, key: str, *, tool: str, owner: CustomerId, digest: str, facts: Mapping[str, Fact]
    ) -> Entry | None:
        if key in self.rows:
            return self.rows[key]
        self.rows[key] = Entry(digest=digest, state="open", facts=dict(facts))
        return None

    async def settle(self, key: str, state: Literal["done", "refused"]) -> None:
        row = self.rows[key]
        self.rows[key] = Entry(digest=row.digest, state=state, facts=row.facts)

    async def forget(self, key: str) -> None:
        if key in self.rows and self.rows[key].state == "open":
            del self.rows[key]

    async def look(self, key: str) -> Entry | None:
        return self.rows.get(key)
