"""The book of intents in memory, for tests."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from tools.errors import Rejected
from tools.intents.port import Intent
from tools.proposal import Fact


class FakeIntents:
    """`Intents` in a dictionary; `fail_with` makes every call raise it."""

    def __init__(self) -> None:
        self.fail_with: Exception | None = None
        self.kept: dict[str, Intent] = {}

    async def find(self, key: str) -> Intent | None:
        self._answer()
        return self.kept.get(key)

    async def begin(self, intent: Intent) -> Intent | None:
        self._answer()
        if intent.key in self.kept:
            return self.kept[intent.key]
        if any(other.thing == intent.thing for other in self.kept.values()):
            raise Rejected("changed")
        self.kept[intent.key] = intent
        return None

    async def take(self, key: str, *, begun: datetime, now: datetime) -> bool:
        self._answer()
        known = self.kept.get(key)
        if known is None or known.done is not None or known.begun != begun:
            return False
        self.kept[key] = replace(known, begun=now)
        return True

    async def done(self, key: str, *, now: datetime, facts: Mapping[str, Fact] | None = None) -> None:
        self._answer()
        if key in self.kept:
            known = self.kept[key]
            self.kept[key] = replace(known, done=now, facts=known.facts if facts is None else dict(facts))

    async def forget(self, key: str) -> None:
        self._answer()
        if key in self.kept and self.kept[key].done is None:
            del self.kept[key]

    def _answer(self) -> None:
        if self.fail_with is not None:
            raise self.fail_with
