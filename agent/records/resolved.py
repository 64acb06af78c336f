"""Cases that ended after a person had answered: the customer's question and the person's own words, masked. Reads only.

the call's own turn searched      ─► its words are the question
else the customer said more then  ─► their first words to the person
else                              ─► the question before, unless it had been answered well
"""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.privacy.detect import quick
from agent.privacy.hiding import MASK, hidden
from agent.privacy.spans import ASKED_FOR
from agent.records.questions import searched
from agent.records.tables import inbox, messages, tickets, turns
from tools.context import ConversationId, Language, TurnId

WORDY = 3
"""Words from which what a customer writes to a person is a question."""
_CODE = re.compile(r"\b\d{3,}-[A-ZА-Яa-zа-я]{1,2}\b|\b\d{7,}\b")
"""What may be a number of one customer's thing though no word says so."""


def masked(text: str) -> str:
    """Return the text without personal data and without numbers of orders and contracts."""
    return _CODE.sub(MASK, hidden(text, detector=lambda: quick(ASKED_FOR)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """One call for a person that is over, or is about to be; `turn` is the turn that called. Texts are masked."""

    turn: TurnId
    conversation: ConversationId
    question: str
    language: Language
    replies: tuple[str, ...]
    operator: str
    at: datetime


class Cases:
    """The reading room of what people answered; `mask` takes out what names a person."""

    def __init__(self, engine: AsyncEngine, *, mask: Callable[[str], str] = masked) -> None:
        self._engine = engine
        self._mask = mask

    async def ended(self, *, since: datetime, limit: int = 500) -> tuple[TurnId, ...]:
        """Return the turns of the latest calls that ended since then and in which a person spoke."""
        spoke = exists().where(
            messages.c.conversation == tickets.c.conversation,
            messages.c.author == "person",
            messages.c.at >= tickets.c.created,
        )
        wanted = select(tickets.c.turn).where(
            tickets.c.state == "resolved", tickets.c.resolved >= since, spoke
        )
        async with self._engine.connect() as connection:
            found = await connection.execute(wanted.order_by(tickets.c.resolved.desc()).limit(limit))
            return tuple(map(TurnId, found.scalars()))

    async def resolved(self, turns: Collection[TurnId]) -> tuple[Resolved, ...]:
        """Return those of the calls with an answer of a person, oldest first."""
        found = await self._cases(select(tickets).where(tickets.c.turn.in_(turns)))
        return tuple(sorted(found, key=lambda one: (one.at, one.turn)))

    async def of(self, conversation: ConversationId) -> Resolved | None:
        """Return the latest call of a conversation, over or not; None where no person answered anything."""
        wanted = select(tickets).where(tickets.c.conversation == conversation)
        found = await self._cases(wanted.order_by(tickets.c.created.desc()).limit(1))
        return found[0] if found else None

    async def _cases(self, wanted: Select[Any]) -> list[Resolved]:
        async with self._engine.connect() as connection:
            rows = list(await connection.execute(wanted))
            said = await _said(connection, sorted({row.conversation for row in rows}))
        return [case for row in rows if (case := self._case(row, said[row.conversation])) is not None]

    def _case(self, row: Any, said: "_Said") -> Resolved | None:
        person = _answers(row, said.messages)
        question = _question(row, said, until=person[-1].seq if person else 0)
        if not person or not question:
            return None
        names = {one.name for one in person if one.name}
        return Resolved(
            turn=TurnId(row.turn),
            conversation=ConversationId(row.conversation),
            question=self._plain(question, names),
            language=row.language,
            replies=tuple(self._plain(one.text, names) for one in person),
            operator=row.operator or "",
            at=row.resolved or person[-1].at,
        )

    def masked(self, text: str) -> str:
        """Return words of a person as they may be proposed."""
        return self._plain(text, set())

    def _plain(self, text: str, names: set[str]) -> str:
        """Return the text without personal data, numbers of orders and the names of who wrote it."""
        plain = self._mask(text)
        for name in sorted(names, key=len, reverse=True):
            plain = re.sub(rf"\b{re.escape(name)}\b", MASK, plain)
        return plain.strip()


@dataclass(frozen=True, slots=True)
class _Said:
    """One conversation: its messages in order, its turns in order, what was said in each."""

    messages: list[Any]
    turns: list[Any]
    words: Mapping[str, str]


def _answers(row: Any, lines: Sequence[Any]) -> list[Any]:
    """Return what people wrote during the call; the greeting that goes out with a claim is no answer."""
    ended = row.resolved
    found = [
        one
        for one in lines
        if one.author == "person" and one.at >= row.created and (ended is None or one.at <= ended)
    ]
    return found[1:] if len(found) > 1 and found[0].at == row.claimed else found


def _question(row: Any, said: _Said, *, until: int) -> str:
    at = next((n for n, turn in enumerate(said.turns) if turn.id == row.turn), -1)
    if at < 0:
        return ""
    if searched(said.turns[at]):
        return said.words.get(row.turn, "")
    later = (
        one for one in said.messages if one.author == "customer" and one.at > row.created and one.seq < until
    )
    for message in later:
        if len(message.text.split()) >= WORDY:
            return str(message.text)
    before = next((turn for turn in reversed(said.turns[:at]) if searched(turn)), None)
    return said.words.get(before.id, "") if before is not None and before.outcome != "answered" else ""


async def _said(connection: AsyncConnection, conversations: Sequence[str]) -> Mapping[str, _Said]:
    lines: dict[str, list[Any]] = defaultdict(list)
    decided: dict[str, list[Any]] = defaultdict(list)
    words: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for n in range(0, len(conversations), 200):
        some = conversations[n : n + 200]
        wanted = select(messages).where(messages.c.conversation.in_(some))
        for row in await connection.execute(wanted.order_by(messages.c.conversation, messages.c.seq)):
            lines[row.conversation].append(row)
        own = select(turns).where(turns.c.conversation.in_(some)).order_by(turns.c.opened, turns.c.id)
        for row in await connection.execute(own):
            decided[row.conversation].append(row)
        heard = select(inbox).where(inbox.c.conversation.in_(some), inbox.c.turn.is_not(None))
        for row in await connection.execute(heard.order_by(inbox.c.seq)):
            if (row.action or {}).get("kind") in (None, "say"):
                words[row.conversation][row.turn].append(
                    (row.text or str((row.action or {}).get("target", ""))).strip()
                )
    return {
        name: _Said(lines[name], decided[name], {turn: "\n".join(said) for turn, said in words[name].items()})
        for name in conversations
    }
