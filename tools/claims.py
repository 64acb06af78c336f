"""The register of what was done under which key: of ten equal calls one does the work and nine read what it did."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection

from tools import tables as t
from tools.context import CustomerId
from tools.errors import Rejected, Unavailable
from tools.proposal import Effect, Fact, Proposal, same_as_before


class Claimed(Exception):
    """The key is in the register already."""


async def claim(
    connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId, key: str, now: datetime
) -> None:
    """Take the key in this transaction; `Claimed` when it is taken."""
    row = {"key": key, "proposal": proposal.id, "tool": proposal.tool, "owner": owner, "at": now}
    row |= {"digest": proposal.digest, "facts": dict(proposal.facts)}
    try:
        await connection.execute(insert(t.effects).values(**row))
    except IntegrityError as taken:
        raise Claimed() from taken


async def earlier(connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
    """Return what was done under the key; `Rejected("key_reused")` when that was something else, or another's."""
    mine = select(t.effects.c.digest, t.effects.c.facts).where(
        t.effects.c.key == key, t.effects.c.owner == owner
    )
    row = (await connection.execute(mine)).one_or_none()
    if row is None:
        raise Rejected("key_reused")
    same_as_before(proposal, digest=row.digest)
    facts: dict[str, Fact] = row.facts
    return Effect(proposal=proposal, state="already_done", facts=facts)


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Turn a database that does not answer into `Unavailable`."""
    try:
        yield
    except (OperationalError, InterfaceError) as silent:
        raise Unavailable(str(silent.orig)) from silent
