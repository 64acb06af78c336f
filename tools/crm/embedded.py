"""The customer register of the embedded shop: SQLite or PostgreSQL through one engine."""

from sqlalchemy import ColumnElement, select
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from tools import tables as t
from tools.bilingual import Bilingual
from tools.context import CustomerId
from tools.crm.port import Customer
from tools.errors import NotFound, Unavailable


class EmbeddedCRM:
    """`CRM` over the tables of `tools.tables`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def customer(self, customer_id: CustomerId) -> Customer:
        return await self._one(t.customers.c.id == customer_id)

    async def find_by_login(self, login: str) -> Customer:
        return await self._one(t.customers.c.login == login)

    async def _one(self, where: ColumnElement[bool]) -> Customer:
        try:
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(t.customers).where(where))).one_or_none()
        except (OperationalError, InterfaceError) as silent:
            raise Unavailable(str(silent.orig)) from silent
        if row is None:
            raise NotFound()
        return Customer(
            id=CustomerId(row.id),
            login=row.login,
            name=row.name,
            email=row.email,
            phone=row.phone,
            language=row.language,
            city=row.city,
            level=Bilingual(ru=row.level_ru, en=row.level_en) if row.level_ru or row.level_en else None,
            points=row.points,
        )
