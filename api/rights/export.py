"""Everything held of a customer, as JSON types: a list of rows for each table of the registry that has any.

```
{"about":  {"customer", "conversations", "made", "company", "elsewhere"},
 "conversations": [{…}], "messages": [{…}], "consents": [{…}], …}
```
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.rights import engine_rows
from api.rights.premises import Premises
from api.rights.pseudonym import pseudonyms
from api.rights.quoting import quotes
from api.rights.quoting import told as as_told
from api.rights.registry import Held, held
from api.rights.subject import TABLES, Subject, rows_of

EMBEDDED = "embedded"


async def exported(premises: Premises, subject: Subject) -> dict[str, Any]:
    """Return everything held of a subject. What systems outside this database hold is named, not told."""
    subject = replace(subject, pseudonyms=pseudonyms(subject, premises.secret))
    async with premises.engine.connect() as connection:
        own = {one.table: await _rows(connection, one, subject) for one in held() if one.room != "engine"}
    run = await asyncio.to_thread(engine_rows.read, premises.settings.durable_url, subject.ids("workflow"))
    pack, settings = premises.pack, premises.settings
    outside = {"orders": settings.orders, "customers": settings.crm}
    about = {
        "customer": subject.customer,
        "conversations": list(subject.conversations),
        "made": premises.clock.now().isoformat(),
        "company": dict(pack.company.legal_name),
        "elsewhere": {what: where for what, where in outside.items() if where != EMBEDDED},
    }
    return {"about": about, **own, **{name: [_plain(row) for row in rows] for name, rows in run.items()}}


async def _rows(connection: AsyncConnection, one: Held, subject: Subject) -> list[dict[str, Any]]:
    table = TABLES[one.table]
    if any(isinstance(table.c[column].type, JSON) for column in one.by):
        return [_told(one, row) for row in await quoting_rows(connection, one, subject)]
    where = rows_of(table, {column: subject.ids(key) for column, key in one.by.items()})
    order = [column for column in table.primary_key.columns]
    rows = await connection.execute(select(table).where(where).order_by(*order))
    return [_told(one, row) for row in rows.mappings()]


async def quoting_rows(connection: AsyncConnection, one: Held, subject: Subject) -> list[Mapping[Any, Any]]:
    """Return the rows of a table whose JSON names an id of the subject's or quotes their words.

    The whole table is read: these are work of curators, some hundreds of rows.
    """
    table: Table = TABLES[one.table]
    words = as_told(subject.words)
    found = []
    for row in (await connection.execute(select(table))).mappings():
        for column, key in one.by.items():
            value = row[column]
            named = quotes(value, words) if key == "words" else not set(subject.ids(key)).isdisjoint(value)
            if named:
                found.append(row)
                break
    return list(found)


def _told(one: Held, row: Mapping[Any, Any]) -> dict[str, Any]:
    told = {column: row[column] for column in one.told}
    for path in one.inside:
        column, *steps = path.split(".")
        told[column] = _without(told[column], steps)
    return _plain(told)


def _without(value: Any, path: Sequence[str]) -> Any:
    """Return a JSON value without what lies at a path; as it is where nothing does."""
    if not isinstance(value, Mapping) or path[0] not in value:
        return value
    rest = {name: each for name, each in value.items() if name != path[0]}
    return {**rest, path[0]: _without(value[path[0]], path[1:])} if len(path) > 1 else rest


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: _value(value) for name, value in row.items()}


def _value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value
