"""The one transaction in which a customer is forgotten: rows deleted, orders made nobody's, words unquoted.

Everything here happens again without harm: a crash before the commit leaves all, one after it leaves nothing to do.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.records.audit import forget as forget_audited
from agent.records.chain import Subject as About
from agent.records.rights_tables import consent_evidence
from agent.records.tables import consents
from api.rights.export import quoting_rows
from api.rights.forgotten import note_forgotten
from api.rights.pseudonym import pseudonyms
from api.rights.quoting import GONE, told, unquoted
from api.rights.registry import Held, held
from api.rights.subject import TABLES, Subject, rows_of
from api.schema import METADATA
from tools.forgetting import forget_customer

SHOP = "shop_"
UNDER_WAY = "orders_under_way"
"""Why the shop's rows stay: an order cannot be delivered to nobody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """How many rows of each table were deleted or changed, and why some stay."""

    counts: dict[str, int]
    kept: tuple[str, ...] = ()


async def erase(
    connection: AsyncConnection,
    subject: Subject,
    *,
    whole: bool,
    secret: str,
    at: datetime,
) -> Erased:
    """Forget the subject in the rooms' tables. `whole`: the shop's rows too although orders are under way."""
    counts: dict[str, int] = {
        "consent_evidence": await keep_evidence(connection, subject, secret=secret, at=at)
    }
    await note_forgotten(connection, subject, whole=whole, secret=secret, at=at)
    counts |= await delete_rows(connection, subject)
    kept: tuple[str, ...] = ()
    if subject.customer is not None:
        shop = await forget_customer(connection, subject.customer, whole=whole)
        counts |= shop.rows
        kept = (UNDER_WAY,) if shop.under_way else ()
    # The last of all: from here on nobody else writes to the audit until this is committed.
    counts["audit"] = await forget_audited(connection, at, [About(about) for about in subject.ids("about")])
    return Erased(counts={table: n for table, n in sorted(counts.items()) if n}, kept=kept)


async def delete_rows(
    connection: AsyncConnection, subject: Subject, *, but: Collection[str] = ()
) -> dict[str, int]:
    """Delete the subject's rows, and their words in the work of curators; `but` are tables left alone."""
    counts: dict[str, int] = {}
    for one in held():
        if one.erased == "unquoted":
            counts[one.table] = await _unquote(connection, one, subject)
    for one in _deleted():
        if one.table not in but:
            where = rows_of(TABLES[one.table], {column: subject.ids(key) for column, key in one.by.items()})
            counts[one.table] = (await connection.execute(delete(TABLES[one.table]).where(where))).rowcount
    return counts


def _deleted() -> list[Held]:
    """Return the tables whose rows go, those first that point at others; the shop has rules of its own."""
    order = [table.name for metadata in METADATA for table in reversed(metadata.sorted_tables)]
    rows = [
        one
        for one in held()
        if one.erased in ("deleted", "evidence") and one.room != "engine" and not one.table.startswith(SHOP)
    ]
    return sorted(rows, key=lambda one: order.index(one.table))


async def keep_evidence(connection: AsyncConnection, subject: Subject, *, secret: str, at: datetime) -> int:
    """Keep of each consent that it was given or withdrawn, to which text and when, under a pseudonym."""
    ids = {"conversation": subject.conversations, "customer_id": subject.ids("customer")}
    rows = (await connection.execute(select(consents).where(rows_of(consents, ids)))).all()
    names = pseudonyms(subject, secret)
    for row in rows:
        await connection.execute(
            insert(consent_evidence).values(
                subject=names[0],
                purpose=row.purpose,
                granted=row.granted,
                version=row.version,
                text_sha256=row.text_sha256,
                language=row.language,
                channel=row.channel,
                at=row.at,
                erased=at,
            )
        )
    return len(rows)


async def _unquote(connection: AsyncConnection, one: Held, subject: Subject) -> int:
    table, words = TABLES[one.table], told(subject.words)
    rows = await quoting_rows(connection, one, subject)
    for row in rows:
        values = {column: _emptied(row[column], words, subject) for column in one.quoting}
        if values.get("question") == GONE and values.get("examples"):
            # Others asked the same: the gap goes on in their words.
            values["question"] = values["examples"][0]
        await connection.execute(update(table).where(table.c.id == row["id"]).values(**values))
    return len(rows)


def _emptied(value: Any, words: frozenset[str], subject: Subject) -> Any:
    """Return a value without the words; a list loses what nothing is left of, and ids of theirs."""
    rest = unquoted(value, words)
    if not isinstance(rest, list):
        return rest
    own = {GONE, *subject.turns}
    return [each for each in rest if not isinstance(each, str) or each not in own]
