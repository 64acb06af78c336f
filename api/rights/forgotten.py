"""Whoever was forgotten stays forgotten: a backup of before still knows them, and is made to forget them again.

```
erase ─► forgotten: pseudonyms of the customer and of each conversation, moment
restore ─► ids of the backup, under the same key ─► those among the pseudonyms, erased after it was taken ─► erased again
```
Who has the list and not the installation's secret learns that somebody was forgotten, and not who.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.records.rights_tables import erasures, forgotten
from agent.records.tables import conversations
from api.rights.premises import Premises
from api.rights.pseudonym import pseudonyms
from api.rights.registry import held
from api.rights.subject import TABLES, Subject, among, subject_of_conversation, subject_of_customer
from tools.context import ConversationId, CustomerId

FORMAT = "mayak-forgotten-1"
TOMB = ("id", "whole", "state", "asked", "since", "done", "counts", "kept", "proof")
"""What of a request that is done is carried along; it names nobody."""


class BadLedger(Exception):
    """A list of the forgotten cannot be used; `remedy` says what to do."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Who was forgotten (pseudonym to whole and moment), and the tombstones; `key` tells under which secret."""

    key: str
    names: Mapping[str, tuple[bool, datetime]]
    tombs: tuple[Mapping[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        rows = [{"subject": s, "whole": w, "at": at.isoformat()} for s, (w, at) in self.names.items()]
        tombs = [{name: _plain(tomb[name]) for name in TOMB} for tomb in self.tombs]
        return {"format": FORMAT, "key": self.key, "forgotten": rows, "tombstones": tombs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a restored state was made to forget; `kept` are customers whom the shop keeps for orders under way."""

    erased: int
    kept: int


async def note_forgotten(
    connection: AsyncConnection, subject: Subject, *, whole: bool, secret: str, at: datetime
) -> None:
    """Write down, in the transaction that forgets them, under which pseudonyms somebody is forgotten."""
    names = _names(subject, secret)
    await connection.execute(delete(forgotten).where(among(forgotten.c.subject, names)))
    if names:
        rows = [{"subject": name, "whole": whole, "at": at} for name in names]
        await connection.execute(insert(forgotten), rows)


async def ledger_of(engine: AsyncEngine, *, secret: str, now: datetime) -> Ledger:
    """Return who was forgotten in a database and who asked to be; of an older release, who asked alone."""
    async with engine.connect() as connection:
        there = await connection.run_sync(lambda known: set(inspect(known).get_table_names()))
        names: dict[str, tuple[bool, datetime]] = {}
        if "forgotten" in there:
            rows = await connection.execute(select(forgotten))
            names = {row.subject: (row.whole, row.at) for row in rows}
        found = (await connection.execute(select(erasures))).mappings() if "erasures" in there else ()
        requests: list[dict[str, Any]] = [{str(name): row[name] for name in row} for row in found]
        for row in requests:
            if row["state"] != "done":
                names |= dict.fromkeys(_names(await _asked(connection, row), secret), (row["whole"], now))
    return Ledger(key=key_of(secret), names=names, tombs=tuple(r for r in requests if r["state"] == "done"))


def ledger_in(path: Path) -> Ledger:
    """Read what `mayak customer forgotten` wrote. Raises `BadLedger`."""
    try:
        told = json.loads(path.read_text("utf-8"))
        if told["format"] != FORMAT:
            raise ValueError(told["format"])
        names = {
            str(row["subject"]): (bool(row["whole"]), datetime.fromisoformat(row["at"]))
            for row in told["forgotten"]
        }
        tombs = tuple({name: _read(name, row[name]) for name in TOMB} for row in told["tombstones"])
        return Ledger(key=str(told["key"]), names=names, tombs=tombs)
    except (ValueError, KeyError, TypeError) as wrong:
        raise BadLedger(
            f"{path} is no list of the forgotten.",
            remedy="Name a file that mayak customer forgotten --out FILE has written.",
        ) from wrong


async def replay(premises: Premises, ledger: Ledger, *, since: datetime) -> Replayed:
    """Forget again, in these premises, whom the ledger says were forgotten after a moment. Raises `BadLedger`."""
    from api.rights.erasures import Erasures

    wanted = {name: whole for name, (whole, at) in ledger.names.items() if at >= since}
    if wanted and ledger.key != key_of(premises.secret):
        raise BadLedger(
            "The list of the forgotten was written under another secret than the backup's.",
            remedy="Set MAYAK_IDENTITY_SECRET to the one of that time, or restore with a list of the same installation.",
        )
    job, erased, kept = Erasures(premises), 0, 0
    for id, known in await _ids(premises.engine):
        subject = Subject(
            customer=CustomerId(id) if known else None,
            conversations=() if known else (ConversationId(id),),
            turns=(),
        )
        (name,) = pseudonyms(subject, premises.secret)
        if name not in wanted or not await _still_there(premises.engine, id, known=known):
            continue
        tomb = await job.carry_out(await job.ask(subject, whole=wanted[name]))
        erased, kept = erased + 1, kept + bool(tomb.kept)
    await _carry_along(premises.engine, ledger)
    return Replayed(erased=erased, kept=kept)


def key_of(secret: str) -> str:
    """Return what tells two secrets apart and neither of them."""
    return hmac.new(secret.encode(), b"forgotten: which key", hashlib.sha256).hexdigest()[:16]


def _names(subject: Subject, secret: str) -> tuple[str, ...]:
    """Return the pseudonyms of a subject and of every conversation of theirs: one may have been nobody's at a backup."""
    talks = Subject(customer=None, conversations=subject.conversations, turns=())
    return tuple(dict.fromkeys((*pseudonyms(subject, secret), *pseudonyms(talks, secret))))


async def _asked(connection: AsyncConnection, row: Mapping[str, Any]) -> Subject:
    if row["customer_id"] is not None:
        return await subject_of_customer(connection, CustomerId(row["customer_id"]))
    return await subject_of_conversation(connection, ConversationId(row["conversation"]))


async def _ids(engine: AsyncEngine) -> list[tuple[str, bool]]:
    """Return the id of everybody in the database: customers (True) first, then conversations."""
    customers: set[str] = set()
    async with engine.connect() as connection:
        for one in held():
            for column, key in one.by.items():
                if key == "customer" and one.room != "engine":
                    found = await connection.scalars(select(TABLES[one.table].c[column]).distinct())
                    customers |= {id for id in found if id is not None}
        talks = list(await connection.scalars(select(conversations.c.id).order_by(conversations.c.id)))
    return [*((id, True) for id in sorted(customers)), *((id, False) for id in talks)]


async def _still_there(engine: AsyncEngine, id: str, *, known: bool) -> bool:
    """Whether a conversation is still to be forgotten by itself; a customer always is."""
    if known:
        return True
    async with engine.connect() as connection:
        own = select(conversations.c.id).where(
            conversations.c.id == id, conversations.c.customer_id.is_(None)
        )
        return (await connection.execute(own)).first() is not None


async def _carry_along(engine: AsyncEngine, ledger: Ledger) -> None:
    """Keep the tombstones and names that came after the backup: proofs that customers hold, and the next restore."""
    async with engine.begin() as connection:
        ids = set(await connection.scalars(select(erasures.c.id)))
        rows = [{name: tomb[name] for name in TOMB} for tomb in ledger.tombs if tomb["id"] not in ids]
        if rows:
            await connection.execute(insert(erasures), rows)
        own = set(await connection.scalars(select(forgotten.c.subject)))
        names = [
            {"subject": name, "whole": whole, "at": at}
            for name, (whole, at) in ledger.names.items()
            if name not in own
        ]
        if names:
            await connection.execute(insert(forgotten), names)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _read(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in ("asked", "since", "done") else value
