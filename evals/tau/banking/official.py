"""The official form of the bank's data: tables of loose records by id, into the ledger and back.

{"accounts": {"data": {id: {field: value}}, "notes": "…"}, …}
"""

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from evals.tau.banking import tables as t
from evals.tau.banking.port import VISITOR
from evals.tau.domain import Json
from knowledge.errors import BadRecords

TODAY = datetime(2025, 11, 14, 3, 40, tzinfo=timezone(timedelta(hours=-5)))
"""The moment at which the official bank stands still."""

_SAYS_WHO = ("user_id", "referrer_id")
_SAYS_OF_WHAT = {
    "account_id": "accounts",
    "credit_card_account_id": "credit_card_accounts",
}
_REMEDY = "Give the bank's database in its official form."


async def fill(connection: AsyncConnection, database: Mapping[str, Any]) -> None:
    """Write the official database into empty tables. Raises `BadRecords` with the place that is not understood."""
    whose = owners(database)
    rows: list[dict[str, Any]] = []
    for place, kept in database.items():
        for key, record in kept["data"].items():
            row = {"place": place, "id": key, "owner": whose.get(key), "n": len(rows) + 1, "body": record}
            rows.append(row)
    if rows:
        await connection.execute(insert(t.records), rows)
    notes = [
        {"place": place, "n": n, "text": kept["notes"]} for n, (place, kept) in enumerate(database.items())
    ]
    if notes:
        await connection.execute(insert(t.notes), notes)
    people = [{"id": one} for one in (*database["users"]["data"], VISITOR)]
    await connection.execute(insert(t.owners), people)


def owners(database: Mapping[str, Any]) -> Mapping[str, str]:
    """Return whose each record is, by its id. Raises `BadRecords` for what is not a database of the bank."""
    for place, kept in database.items():
        if not isinstance(kept, dict) or not isinstance(kept.get("data"), dict) or "notes" not in kept:
            raise BadRecords(f"{place} of the database has no data and notes.", remedy=_REMEDY)
        for key, record in kept["data"].items():
            if not isinstance(record, dict):
                raise BadRecords(f"{place}.{key} of the database is not a record.", remedy=_REMEDY)
    if "users" not in database:
        raise BadRecords("The database has no 'users'.", remedy=_REMEDY)
    found: dict[str, str] = {}
    for kept in database.values():
        for key, record in kept["data"].items():
            owner = _owner(record, database)
            if owner is not None:
                found[key] = owner
    return found


def _owner(record: Mapping[str, Any], database: Mapping[str, Any]) -> str | None:
    for name in _SAYS_WHO:
        if isinstance(record.get(name), str):
            return str(record[name])
    for name, place in _SAYS_OF_WHAT.items():
        of = database.get(place, {}).get("data", {}).get(record.get(name))
        if of is not None and isinstance(of.get("user_id"), str):
            return str(of["user_id"])
    return None


async def database(connection: AsyncConnection) -> dict[str, Json]:
    """Return the whole database in the official form."""
    places: dict[str, dict[str, Any]] = {
        row.place: {"data": {}, "notes": row.text}
        for row in await connection.execute(select(t.notes).order_by(t.notes.c.n))
    }
    for row in await connection.execute(select(t.records).order_by(t.records.c.n)):
        places.setdefault(row.place, {"data": {}, "notes": ""})["data"][row.id] = row.body
    return dict(places)
