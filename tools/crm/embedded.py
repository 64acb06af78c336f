"""The customer register of the embedded shop: SQLite or PostgreSQL through one engine.

Whoever is not found by an id of the session's own is the owner in the WHERE of every statement.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools import tables as t
from tools.address import Address
from tools.bilingual import Bilingual
from tools.claims import Claimed, answering, claim, earlier
from tools.contacts import dialled
from tools.context import CustomerId
from tools.crm import rules
from tools.crm.port import Customer
from tools.errors import NotFound, Rejected
from tools.folding import folded
from tools.orders.rows import address_of, address_row
from tools.proposal import Effect, Proposal, admit, in_time


class EmbeddedCRM:
    """`CRM` over the tables of `tools.tables`; `now` is the shop's own clock and returns aware moments."""

    def __init__(
        self, engine: AsyncEngine, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        # A few rows by their key each: no thread between, where the engine has that (see `agent.records.engine`).
        self._engine = engine.execution_options(near=True)
        self._now = now

    async def customer(self, customer_id: CustomerId) -> Customer:
        return await self._found(t.customers.c.id == customer_id)

    async def find_by_login(self, login: str) -> Customer:
        return await self._found(t.customers.c.login == login)

    async def find_by_email(self, email: str) -> Customer:
        wanted = folded(email)
        return await self._found((t.customers.c.email_key == wanted) & (t.customers.c.email_key != ""))

    async def find_by_phone(self, phone: str) -> Customer:
        wanted = dialled(phone)
        return await self._found((t.customers.c.phone_key == wanted) & (t.customers.c.phone_key != ""))

    async def find_by_name(self, name: str, *, postcode: str) -> Customer:
        wanted = folded(name)
        known = (t.customers.c.name_key == wanted) & (t.customers.c.name_key != "")
        return await self._found(
            known & (t.addresses.c.postcode == postcode) & (t.addresses.c.postcode != "")
        )

    async def propose_address(self, *, owner: CustomerId, new_address: Address) -> Proposal:
        return rules.moving(await self.customer(owner), new_address=new_address, now=self._now())

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        admit(proposal, owner=owner, kinds=rules.KINDS)
        now = self._now()
        try:
            async with answering(), self._engine.begin() as connection:
                await claim(connection, proposal, owner=owner, key=key, now=now)
                in_time(proposal, now=now)
                await self._move(connection, proposal, owner=owner)
        except Claimed:
            async with answering(), self._engine.connect() as connection:
                return await earlier(connection, proposal, owner=owner, key=key)
        return Effect(proposal=proposal, state="done", facts=dict(proposal.facts))

    async def _move(self, connection: AsyncConnection, proposal: Proposal, *, owner: CustomerId) -> None:
        # The UPDATE is the lock and the check in one: whoever changed the profile first leaves nothing to match.
        me = t.customers.c.id == owner
        as_it_was = update(t.customers).where(me, t.customers.c.version == int(proposal.version))
        done = await connection.execute(as_it_was.values(version=t.customers.c.version + 1))
        if done.rowcount != 1:
            raise Rejected("changed")
        before = replace(await _one(connection, me), version=proposal.version)
        after = rules.moved(before, proposal)
        if after.address is None:
            raise Rejected("changed")
        row = address_row(after.address, name=proposal.id, owner=owner)
        await connection.execute(insert(t.addresses).values(**row))
        await connection.execute(delete(t.homes).where(t.homes.c.owner == owner))
        await connection.execute(insert(t.homes).values(owner=owner, address=proposal.id))
        await connection.execute(update(t.customers).where(me).values(city=after.city))

    async def _found(self, where: ColumnElement[bool]) -> Customer:
        async with answering(), self._engine.connect() as connection:
            return await _one(connection, where)


async def _one(connection: AsyncConnection, where: ColumnElement[bool]) -> Customer:
    rows = (await connection.execute(customers_where(where).limit(2))).mappings().all()
    if len(rows) != 1:
        raise NotFound()
    return customer_of(rows[0])


def customers_where(where: ColumnElement[bool]) -> Select[Any]:
    """Return the statement of whole rows that `customer_of` reads."""
    home = t.addresses.c
    joined = t.customers.outerjoin(t.homes, t.homes.c.owner == t.customers.c.id).outerjoin(
        t.addresses, home.id == t.homes.c.address
    )
    parts = (column.label(f"home_{column.name}") for column in home if column.name != "owner")
    return select(t.customers, *parts).select_from(joined).where(where)


def customer_of(row: RowMapping) -> Customer:
    """Return the customer of one joined row."""
    return Customer(
        id=CustomerId(row["id"]),
        login=row["login"],
        name=row["name"],
        email=row["email"],
        phone=row["phone"],
        language=row["language"],
        city=row["city"],
        level=Bilingual(ru=row["level_ru"], en=row["level_en"])
        if row["level_ru"] or row["level_en"]
        else None,
        points=row["points"],
        address=address_of(row, "home_") if row["home_id"] is not None else None,
        version=str(row["version"]),
    )
