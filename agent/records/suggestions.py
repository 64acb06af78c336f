"""`SqlSuggestions`: suggested answers in SQL; `FakeSuggestions` beside it for tests."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.domain import Citation
from agent.records.codec import citations_json
from agent.records.suggestion_tables import suggestions
from agent.suggestions import Figures, Suggestion, decided, figures_of
from tools.context import ConversationId


class SqlSuggestions:
    """Implements `agent.suggestions.Suggestions`; every method is one transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def offer(self, suggestion: Suggestion) -> None:
        """Keep it, and discard what was offered before."""
        old = update(suggestions).where(_open(suggestion.conversation)).values(state="discarded")
        new = insert(suggestions).values(
            id=suggestion.id,
            conversation=suggestion.conversation,
            seq=suggestion.seq,
            text=suggestion.text,
            citations=citations_json(suggestion.citations),
            sure=suggestion.sure,
            by=suggestion.by,
            at=suggestion.at,
            state=suggestion.state,
        )
        async with self._engine.begin() as connection:
            await connection.execute(old.values(settled=suggestion.at))
            await connection.execute(new)

    async def offered(self, conversation: ConversationId) -> Suggestion | None:
        """Return the one that waits for a decision."""
        wanted = select(suggestions).where(_open(conversation)).order_by(suggestions.c.at.desc()).limit(1)
        async with self._engine.connect() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            return None
        return Suggestion(
            id=row.id,
            conversation=ConversationId(row.conversation),
            seq=row.seq,
            text=row.text,
            citations=tuple(Citation(**one) for one in row.citations),
            sure=row.sure,
            by=row.by,
            at=row.at,
        )

    async def settle(
        self, conversation: ConversationId, *, taken: str, reply: int, text: str, at: datetime
    ) -> Suggestion | None:
        """Decide the offered one; of two at once only one does."""
        known = await self.offered(conversation)
        if known is None:
            return None
        state, far = decided("kept" if known.id == taken else "discarded", before=known.text, after=text)
        done = (
            update(suggestions)
            .where(suggestions.c.id == known.id, suggestions.c.state == "offered")
            .values(state=state, distance=far, reply=reply, settled=at)
        )
        async with self._engine.begin() as connection:
            won = (await connection.execute(done)).rowcount == 1
        return replace(known, state=state, distance=far, reply=reply) if won else None

    async def figures(self, *, since: datetime) -> Figures:
        """Return the figures."""
        wanted = select(suggestions.c.state, suggestions.c.distance).where(suggestions.c.at >= since)
        async with self._engine.connect() as connection:
            return figures_of([(row.state, row.distance) for row in await connection.execute(wanted)])


class FakeSuggestions:
    """Keeps them in this process."""

    def __init__(self) -> None:
        self.rows: dict[str, Suggestion] = {}

    async def offer(self, suggestion: Suggestion) -> None:
        """Keep it, and discard what was offered before."""
        if (old := await self.offered(suggestion.conversation)) is not None:
            self.rows[old.id] = replace(old, state="discarded")
        self.rows[suggestion.id] = suggestion

    async def offered(self, conversation: ConversationId) -> Suggestion | None:
        """Return the one that waits for a decision."""
        found = [
            one for one in self.rows.values() if one.conversation == conversation and one.state == "offered"
        ]
        return found[-1] if found else None

    async def settle(
        self, conversation: ConversationId, *, taken: str, reply: int, text: str, at: datetime
    ) -> Suggestion | None:
        """Decide the offered one."""
        known = await self.offered(conversation)
        if known is None:
            return None
        state, far = decided("kept" if known.id == taken else "discarded", before=known.text, after=text)
        self.rows[known.id] = replace(known, state=state, distance=far, reply=reply)
        return self.rows[known.id]

    async def figures(self, *, since: datetime) -> Figures:
        """Return the figures."""
        return figures_of([(one.state, one.distance) for one in self.rows.values() if one.at >= since])


def _open(conversation: ConversationId) -> ColumnElement[bool]:
    return and_(suggestions.c.conversation == conversation, suggestions.c.state == "offered")
