"""A house that answers from a script and remembers everything it was asked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from agent.flagged import UnknownFlag


def answer(text: str = "Готово.", **fields: Any) -> dict[str, Any]:
    """A public answer object with everything empty but what is given."""
    empty: dict[str, Any] = {
        "outcome": "answered",
        "text": text,
        "language": "ru",
        "confidence": 0.9,
        "reasons": [],
        "citations": [],
        "cards": [],
        "buttons": [],
        "tools": [],
        "data_used": [],
        "waiting": None,
        "handoff": None,
    }
    return empty | fields


def cited(document: str, quote: str = "цитата") -> dict[str, str]:
    return {"document": document, "passage": f"{document}#1", "title": "Название", "quote": quote}


def button(label: str, **action: Any) -> dict[str, Any]:
    return {"label": label, "action": {"kind": "say", "target": "", "yes": True} | action}


class FakeHouse:
    """Answers a text with the script's answer for it, a button with the one for its target or kind."""

    def __init__(self, script: Mapping[str, Any]) -> None:
        self.script = script
        self.asked: list[dict[str, Any]] = []
        self.worlds: list[Mapping[str, Any]] = []
        self.consents: list[tuple[str, str, bool]] = []
        self.closed = 0
        self.standing: dict[str, str] = {}
        self.sent: list[str] = []
        self.flags: dict[str, Mapping[str, Any]] = {}
        self.screens: dict[str, list[Mapping[str, Any]]] = {}
        self._opened = 0

    async def ask(
        self,
        text: str,
        *,
        customer: str | None = None,
        conversation: str | None = None,
        language: str | None = None,
        action: Mapping[str, Any] | None = None,
    ) -> Mapping[str, Any]:
        if conversation is None:
            self._opened += 1
            conversation = f"c{self._opened}"
        self.asked.append(
            {
                "text": text,
                "customer": customer,
                "conversation": conversation,
                "language": language,
                "action": action,
            }
        )
        key = text if action is None else str(action["target"] or action["kind"])
        scripted = self.script.get(key, answer(f"Нет ответа на «{key}»."))
        if isinstance(scripted, Exception):
            raise scripted
        if callable(scripted):
            return {**await scripted(), "conversation": conversation}
        return {**scripted, "conversation": conversation}

    async def consent(self, conversation: str, purpose: str, *, granted: bool) -> None:
        self.consents.append((conversation, purpose, granted))

    @asynccontextmanager
    async def sandbox(self, world: Mapping[str, Any], *, endpoint: str = "") -> AsyncIterator["FakeHouse"]:
        self.worlds.append(world)
        yield self
        self.closed += 1

    async def orders(self) -> Mapping[str, str]:
        return dict(self.standing)

    async def flagged(self, flag: str) -> Mapping[str, Any]:
        if flag not in self.flags:
            raise UnknownFlag(flag)
        return self.flags[flag]

    async def letters(self) -> Sequence[str]:
        return list(self.sent)

    async def messages(self, conversation: str) -> Sequence[Mapping[str, Any]]:
        return self.screens.get(conversation, [])

    async def events(self, conversation: str) -> AsyncIterator[Mapping[str, Any]]:
        for event in ():
            yield event
