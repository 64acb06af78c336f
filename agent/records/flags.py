"""Flags of staff in SQL: who found which answer wrong, what led to it, and how many answers were flagged."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.flagged import MOVES, Flag, FlagReason, FlagState, Heard, UnknownFlag, case_of, sentences_of
from agent.records.chain import Subject, subject_of
from agent.records.codec import action_of, record_of
from agent.records.errors import UnknownTurn
from agent.records.flag_tables import flags
from agent.records.tables import consents, conversations, inbox, turns
from tools.context import ConversationId, TurnId

MOST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """How many answers of some days were flagged, once each, and why."""

    answered: int
    flagged: int
    reasons: Mapping[str, int]

    @property
    def share(self) -> float | None:
        """Share of the answers, 0..1; None where nothing was answered."""
        return self.flagged / self.answered if self.answered else None


class Flags:
    """Flags of one installation."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(
        self,
        conversation: ConversationId,
        turn: TurnId,
        reason: FlagReason,
        *,
        note: str = "",
        wrong: Sequence[str] = (),
        expected: str = "",
        by: str,
        at: datetime,
    ) -> Flag:
        """Flag an answer; the same person's earlier flag of it is replaced and open again. Raises `UnknownTurn`."""
        said = {"reason": reason, "note": note, "wrong": list(wrong), "expected": expected, "at": at}
        fresh = {"state": "open", "decided_by": "", "decided_at": None}
        async with self._engine.begin() as connection:
            await _turn(connection, conversation, turn)
            mine = (flags.c.turn == turn) & (flags.c.by == by)
            known = (await connection.execute(select(flags.c.id).where(mine))).scalar()
            if known is not None:
                await connection.execute(update(flags).where(flags.c.id == known).values(**said, **fresh))
            else:
                known = secrets.token_hex(12)
                names = {"id": known, "conversation": conversation, "turn": turn, "by": by}
                await connection.execute(insert(flags).values(**names, **said, **fresh))
            return await _one(connection, known)

    async def answer(self, conversation: ConversationId, turn: TurnId) -> tuple[str, ...]:
        """Return the sentences of an answer. Raises `UnknownTurn` for none of this conversation."""
        async with self._engine.connect() as connection:
            return _sentences(await _turn(connection, conversation, turn))

    async def of(self, turn: TurnId, *, by: str) -> Flag | None:
        """Return what somebody said of an answer."""
        async with self._engine.connect() as connection:
            wanted = select(flags).where(flags.c.turn == turn, flags.c.by == by)
            row = (await connection.execute(wanted)).first()
        return None if row is None else _flag(row)

    async def listed(
        self, *, state: FlagState | None = None, reason: FlagReason | None = None
    ) -> tuple[Flag, ...]:
        """Return flags, the latest first."""
        wanted = select(flags).order_by(flags.c.at.desc(), flags.c.id).limit(MOST)
        if state is not None:
            wanted = wanted.where(flags.c.state == state)
        if reason is not None:
            wanted = wanted.where(flags.c.reason == reason)
        async with self._engine.connect() as connection:
            return tuple(_flag(row) for row in await connection.execute(wanted))

    async def counts(self) -> Mapping[str, int]:
        """Return how many flags there are, by state."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(select(flags.c.state, func.count()).group_by(flags.c.state))
            return {state: int(count) for state, count in rows}

    async def flag(self, id: str) -> Flag:
        """Return one flag; an unambiguous beginning of its id will do. Raises `UnknownFlag`."""
        async with self._engine.connect() as connection:
            return await _one(connection, id)

    async def decide(self, id: str, state: FlagState, *, by: str, at: datetime) -> Flag:
        """Note what became of a flag; `open` takes that back. Raises `UnknownFlag`."""
        decided = {"state": state, "decided_by": "" if state == "open" else by}
        decided["decided_at"] = None if state == "open" else at  # type: ignore[assignment]
        async with self._engine.begin() as connection:
            known = await _one(connection, id)
            await connection.execute(update(flags).where(flags.c.id == known.id).values(**decided))
            return await _one(connection, known.id)

    async def about(self, found: Sequence[Flag]) -> tuple[Subject, ...]:
        """Return whose conversations these flags are of, each once."""
        wanted = select(conversations.c.id, conversations.c.customer_id)
        wanted = wanted.where(conversations.c.id.in_({one.conversation for one in found}))
        async with self._engine.connect() as connection:
            rows = await connection.execute(wanted)
            return tuple(dict.fromkeys(subject_of(row.id, row.customer_id) for row in rows))

    async def case(self, id: str) -> dict[str, Any]:
        """Return the eval case a flag becomes, as plain data. Raises `UnknownFlag`, `NothingToSay`."""
        async with self._engine.connect() as connection:
            found = await _one(connection, id)
            return case_of(found, await _heard(connection, found))

    async def figures(self, *, since: datetime) -> Flagged:
        """Count the answers since a moment, and those of them that were flagged and not dismissed."""
        ended = (turns.c.outcome == "answered", turns.c.closed >= since)
        alive = flags.c.state != "dismissed"
        joined = flags.join(turns, turns.c.id == flags.c.turn)
        by_reason = (
            select(flags.c.reason, func.count(func.distinct(flags.c.turn)))
            .select_from(joined)
            .where(alive, *ended)
            .group_by(flags.c.reason)
        )
        once = select(func.count(func.distinct(flags.c.turn))).select_from(joined).where(alive, *ended)
        async with self._engine.connect() as connection:
            answered = (await connection.execute(select(func.count()).where(*ended))).scalar_one()
            flagged = (await connection.execute(once)).scalar_one()
            reasons = {reason: int(count) for reason, count in await connection.execute(by_reason)}
        return Flagged(answered=int(answered), flagged=int(flagged), reasons=reasons)


async def _one(connection: AsyncConnection, id: str) -> Flag:
    rows = list(
        await connection.execute(select(flags).where(flags.c.id.startswith(id, autoescape=True)).limit(2))
    )
    if len(rows) != 1 or not id:
        raise UnknownFlag(id)
    return _flag(rows[0])


async def _turn(connection: AsyncConnection, conversation: str, turn: str) -> Any:
    wanted = select(turns).where(turns.c.conversation == conversation, turns.c.id == turn)
    row = (await connection.execute(wanted)).first()
    if row is None or row.record is None:
        raise UnknownTurn()
    return row


def _sentences(row: Any) -> tuple[str, ...]:
    return sentences_of([reply.text for reply in record_of(row.record).replies])


async def _heard(connection: AsyncConnection, flag: Flag) -> Heard:
    """Read what led to the flagged answer: the customer's latest moves the AI answered, up to it."""
    row = await _turn(connection, flag.conversation, flag.turn)
    talk = (
        await connection.execute(select(conversations).where(conversations.c.id == flag.conversation))
    ).one()
    earlier = select(turns).where(
        turns.c.conversation == flag.conversation, turns.c.opened <= row.opened, turns.c.outcome != "held"
    )
    known = [one for one in await connection.execute(earlier.order_by(turns.c.opened)) if one.record]
    said = select(inbox).where(inbox.c.turn.in_([one.id for one in known])).order_by(inbox.c.seq)
    given = select(consents).where(consents.c.conversation == flag.conversation, consents.c.at <= row.closed)
    ledger = {
        one.purpose: one.granted
        for one in await connection.execute(given.order_by(consents.c.at, consents.c.id))
    }
    return Heard(
        language=talk.language,
        signed_in=talk.customer_id is not None,
        consents=tuple(purpose for purpose, granted in ledger.items() if granted),
        moves=tuple((one.text, action_of(one.action)) for one in await connection.execute(said))[
            -MOVES * 2 :
        ],
        tools=tuple(use for one in known for use in record_of(one.record).tools),
        answer=_sentences(row),
    )


def _flag(row: Any) -> Flag:
    values = {name: getattr(row, name) for name in Flag.__dataclass_fields__}
    return replace(Flag(**values), wrong=tuple(row.wrong))
