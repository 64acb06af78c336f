"""A business of three calls for tests: people keep notes.

    {"users": {"anna": {"notes": ["tea"]}}}

`who_am_i(name)` verifies, `read_notes(user_id)` reads, `add_note(user_id, text)` writes.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.tau.domain import Call, Json, Refused, Unplayable


class FakeWorld:
    """One run over a copy of the notes."""

    def __init__(self, database: Mapping[str, Json]) -> None:
        self._data: dict[str, Any] = copy.deepcopy(dict(database))
        self._bound: str | None = None

    def owner_of(self, call: Call) -> str | None:
        named = str(call.arguments.get("user_id"))
        return named if named in self._data["users"] else None

    async def bind(self, owner: str) -> None:
        if self._bound is not None:
            raise ValueError(f"This run is {self._bound}'s already.")
        self._bound = owner

    async def call(self, call: Call) -> Json:
        if call.name == "who_am_i":
            return await self._verified(str(call.arguments["name"]))
        if call.name not in ("read_notes", "add_note"):
            raise Unplayable(f"no tool {call.name!r}")
        if call.arguments.get("user_id") != self._bound or self._bound is None:
            raise Refused("ValueError: User not found")
        notes: list[Json] = self._data["users"][self._bound]["notes"]
        if call.name == "add_note":
            notes.append(call.arguments["text"])
        return list(notes)

    async def database(self) -> Mapping[str, Json]:
        return self._data

    async def close(self) -> None:
        return None

    async def _verified(self, name: str) -> Json:
        if name not in self._data["users"]:
            raise Refused("ValueError: User not found")
        await self.bind(name)
        return name


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeDomain:
    """The business of notes."""

    name: str = "notes"
    verifies: frozenset[str] = frozenset({"who_am_i"})

    async def open(self, database: Mapping[str, Json], *, folder: Path) -> FakeWorld:
        return FakeWorld(database)


NOTES = FakeDomain()
