"""The bank's own system over SQL: reads with the owner in the WHERE, writes in one transaction a key.

The first statement of a write takes the key, the second counts the owner's version up: whoever changed anything of
theirs since the proposal leaves nothing to match, and the write is refused.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from evals.tau.banking import tables as t
from evals.tau.banking.actions import ACTIONS
from evals.tau.banking.port import Holdings, Plan, Put, Record
from evals.tau.refusals import Turned
from tools.context import CustomerId
from tools.errors import NotFound, Unconfirmed
from tools.proposal import Effect, Fact, Proposal

SETTINGS = "task_config"


class SqlBank:
    """`Bank` over the tables of `evals.tau.banking.tables`, on a day that stands still at `now`."""

    def __init__(self, engine: AsyncEngine, *, now: datetime) -> None:
        self._engine = engine
        self._now = now

    async def holdings(self, *, owner: CustomerId) -> Holdings:
        async with self._engine.connect() as connection:
            return await self._holdings(connection, owner=owner)

    async def propose(self, action: str, given: Mapping[str, Any], *, owner: CustomerId) -> Proposal:
        async with self._engine.connect() as connection:
            holdings = await self._holdings(connection, owner=owner)
            version = await connection.scalar(select(t.owners.c.version).where(t.owners.c.id == owner))
        plan = ACTIONS[action].planned(holdings, given)
        return Proposal.made(
            action,
            owner=owner,
            arguments={"given": json.dumps(given, ensure_ascii=False, sort_keys=True)},
            facts=plan.facts,
            version=str(version),
            now=self._now,
        )

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        if proposal.owner != owner:
            raise NotFound()
        if proposal.tool not in ACTIONS or not proposal.intact():
            raise Unconfirmed()
        given = json.loads(proposal.arguments["given"])
        try:
            async with self._engine.begin() as connection:
                await _claim(connection, proposal, key=key)
                await _count_up(connection, proposal)
                plan = ACTIONS[proposal.tool].planned(await self._holdings(connection, owner=owner), given)
                if plan.facts != proposal.facts:
                    raise Turned("changed")
                await _write(connection, plan, owner=owner)
        except _Claimed:
            return await self._earlier(proposal, key=key)
        return Effect(proposal=proposal, state="done", facts=plan.facts)

    # The journal: what the bank itself writes down about a conversation, no customer's data. -------------------

    async def journal(self, place: str) -> Mapping[str, Record]:
        """Return what is written down there, in its order."""
        query = select(t.records).where(t.records.c.place == place).order_by(t.records.c.n)
        async with self._engine.connect() as connection:
            return {row.id: row.body for row in await connection.execute(query)}

    async def write_down(
        self, place: str, key: str, record: Record, *, owner: CustomerId | None = None
    ) -> bool:
        """Write a record of the bank's own, once; return False where there is one of that id already."""
        async with self._engine.begin() as connection:
            if await _exists(connection, place, key):
                return False
            await _insert(connection, Put(table=place, key=key, record=record, new=True), owner=owner)
            return True

    async def identity(self, user: str) -> Record | None:
        """Return what a person who says they are `user` is checked against; for verification alone."""
        at = t.records.c
        query = select(at.body).where(at.place == "users", at.id == user)
        async with self._engine.connect() as connection:
            found: Record | None = await connection.scalar(query)
        return found

    async def _holdings(self, connection: AsyncConnection, *, owner: CustomerId) -> Holdings:
        mine = select(t.records).where(t.records.c.owner == owner).order_by(t.records.c.n)
        found: dict[str, dict[str, Record]] = {}
        for row in await connection.execute(mine):
            found.setdefault(row.place, {})[row.id] = row.body
        bank = select(t.records).where(t.records.c.place == SETTINGS)
        settings = {row.id: row.body for row in await connection.execute(bank)}
        return Holdings(owner=owner, tables=found, settings=settings, today=self._now.date())

    async def _earlier(self, proposal: Proposal, *, key: str) -> Effect:
        mine = select(t.effects).where(t.effects.c.key == key, t.effects.c.owner == proposal.owner)
        async with self._engine.connect() as connection:
            row = (await connection.execute(mine)).one_or_none()
        if row is None or row.digest != proposal.digest:
            raise Turned("key_reused")
        facts: dict[str, Fact] = row.facts
        return Effect(proposal=proposal, state="already_done", facts=facts)


class _Claimed(Exception):
    """The key is in the table already."""


async def _claim(connection: AsyncConnection, proposal: Proposal, *, key: str) -> None:
    row = {"key": key, "owner": proposal.owner, "digest": proposal.digest, "facts": dict(proposal.facts)}
    try:
        await connection.execute(insert(t.effects).values(**row))
    except IntegrityError as taken:
        raise _Claimed() from taken


async def _count_up(connection: AsyncConnection, proposal: Proposal) -> None:
    me = t.owners.c
    done = await connection.execute(
        update(t.owners)
        .where(me.id == proposal.owner, me.version == int(proposal.version))
        .values(version=me.version + 1)
    )
    if done.rowcount != 1:
        raise Turned("changed")


async def _write(connection: AsyncConnection, plan: Plan, *, owner: CustomerId) -> None:
    at = t.records.c
    for put in plan.puts:
        if put.new:
            if await _exists(connection, put.table, put.key):
                raise Turned("exists", number=put.key)
            await _insert(connection, put, owner=owner)
            continue
        where = (at.place == put.table) & (at.id == put.key) & (at.owner == owner)
        done = await connection.execute(update(t.records).where(where).values(body=dict(put.record)))
        if done.rowcount != 1:
            raise Turned("changed")


async def _exists(connection: AsyncConnection, place: str, key: str) -> bool:
    at = t.records.c
    return await connection.scalar(select(at.n).where(at.place == place, at.id == key)) is not None


async def _insert(connection: AsyncConnection, put: Put, *, owner: CustomerId | None) -> None:
    last = await connection.scalar(select(func.max(t.records.c.n)))
    row = {"place": put.table, "id": put.key, "owner": owner, "n": (last or 0) + 1, "body": dict(put.record)}
    await connection.execute(insert(t.records).values(**row))
