"""Failures to prove who one is, counted for a conversation and for whom was claimed; many within a while are a lock."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from tools.codes import tables as t
from tools.context import TurnId


async def write_down(
    connection: AsyncConnection, *, turn: TurnId, conversation: str, contact: str, now: datetime
) -> None:
    """Write one failure of a turn; the same turn fails once."""
    known = select(t.failures.c.turn).where(t.failures.c.turn == turn)
    if (await connection.execute(known)).first() is None:
        row = {"turn": turn, "conversation": conversation, "contact": contact, "at": now}
        await connection.execute(insert(t.failures).values(**row))


async def strike_out(connection: AsyncConnection, turn: TurnId) -> None:
    """Take the failure of a turn back."""
    await connection.execute(delete(t.failures).where(t.failures.c.turn == turn))


async def locked_until(
    connection: AsyncConnection,
    *,
    conversation: str,
    contact: str,
    now: datetime,
    failures: int,
    length: timedelta,
    besides: TurnId | None = None,
) -> datetime | None:
    """Return when the lock ends, None without one: so many failures within its length, that of `besides` left out."""
    ends: list[datetime] = []
    for mine in (t.failures.c.conversation == conversation, t.failures.c.contact == contact):
        recent = select(t.failures.c.at).where(mine, t.failures.c.at > now - length)
        if besides is not None:
            recent = recent.where(t.failures.c.turn != besides)
        found = await moments(connection, recent.order_by(t.failures.c.at.desc()))
        if len(found) >= failures:
            ends.append(found[0] + length)
    return max(ends, default=None)


async def moments(connection: AsyncConnection, wanted: Select[Any]) -> Sequence[datetime]:
    """Return the first column of what is selected."""
    return [row[0] for row in await connection.execute(wanted)]


async def forget(connection: AsyncConnection, *, before: datetime) -> None:
    """Drop failures that count for nothing any more."""
    await connection.execute(delete(t.failures).where(t.failures.c.at < before))
