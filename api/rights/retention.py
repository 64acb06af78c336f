"""What is held too long goes by itself: `[retention]` of the pack, once a day, whatever was missed with the next run.

```
conversations  quiet for so long, nobody's turn, no restriction ─► deleted with all that belongs to them
               … with consents of a known customer ─► emptied; the ledger stays, a withdrawal must not be forgotten
records        emptied of words by their own age; the decision and its receipt stay
everything else by the age of its rows
```
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, exists, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.records import tables as a
from agent.records.promise_table import promises
from agent.records.rights_tables import consent_evidence, forgotten, restrictions
from api.rights.erasing import delete_rows, keep_evidence
from api.rights.files import old_files
from api.rights.premises import Premises
from api.rights.subject import Subject, subject_of_conversation
from api.rights.worn_records import empty
from tools.codes import tables as codes
from tools.context import ConversationId
from tools.mcp.journal import writes
from tools.tables import intents

BATCH = 200
"""Conversations deleted in one transaction: other writers wait meanwhile."""
STAYS = ("conversations", "consents", "notes", "restrictions", "corrections")
"""What is left of a conversation in which a known customer consented."""

logger = logging.getLogger("mayak.rights")


async def run_retention(premises: Premises, *, dry: bool = False) -> dict[str, int]:
    """Delete what is older than the pack keeps it; return how much by the names of `[retention]`.

    `dry`: nothing is deleted, only counted. What is restricted stays.
    """
    now, wanted = premises.clock.now(), premises.pack.policy.retention
    ages = {name: days for name, days in wanted.model_dump().items() if days is not None}
    before = {name: now - timedelta(days=days) for name, days in ages.items()}
    found = {"notes": await _aged(premises, "notes", now, dry=dry)}
    for name, moment in before.items():
        if name == "conversations":
            found[name] = await _conversations(premises, moment, dry=dry)
        elif name == "records":
            found[name] = await empty(premises.engine, ~_unrestricted(a.turns), before=moment, dry=dry)
        elif name == "files":
            folder = premises.settings.data
            found[name] = await asyncio.to_thread(old_files, folder, before=moment, delete=not dry)
        else:
            found[name] = await _aged(premises, name, moment, dry=dry)
    return found


def _by_age(name: str, moment: datetime) -> tuple[tuple[Table, ColumnElement[bool]], ...]:
    """Return the tables of a name of `[retention]` with the condition that a row is too old."""
    kinds: Mapping[str, Callable[[], tuple[tuple[Table, ColumnElement[bool]], ...]]] = {
        "events": lambda: ((a.events, _unrestricted(a.events) & (a.events.c.at < moment)),),
        "deliveries": lambda: (
            (
                a.outbox,
                _unrestricted(a.outbox)
                & a.outbox.c.state.in_(("delivered", "failed", "withdrawn"))
                & (a.outbox.c.at < moment),
            ),
            (a.hooks, _unrestricted(a.hooks) & a.hooks.c.ended.is_not(None) & (a.hooks.c.ended < moment)),
        ),
        "charges": lambda: ((a.charges, _unrestricted(a.charges) & (a.charges.c.day < moment.date())),),
        "codes": lambda: (
            (codes.codes, codes.codes.c.expires < moment),
            (codes.failures, codes.failures.c.at < moment),
        ),
        "writes": lambda: (
            (intents, _owned(intents) & intents.c.done.is_not(None) & (intents.c.done < moment)),
            (writes, _owned(writes) & (writes.c.state != "open") & (writes.c.at < moment)),
        ),
        # Each was promised a day of its own.
        "notes": lambda: ((a.notes, _unrestricted(a.notes) & (a.notes.c.expires < moment)),),
        "evidence": lambda: (
            (consent_evidence, consent_evidence.c.erased < moment),
            (forgotten, forgotten.c.at < moment),
        ),
    }
    return kinds[name]()


async def _aged(premises: Premises, name: str, moment: datetime, *, dry: bool) -> int:
    rows = 0
    async with premises.engine.begin() as connection:
        for table, old in _by_age(name, moment):
            if dry:
                counted = await connection.execute(select(func.count()).select_from(table).where(old))
                rows += int(counted.scalar_one())
            else:
                rows += (await connection.execute(delete(table).where(old))).rowcount
    return rows


async def _conversations(premises: Premises, moment: datetime, *, dry: bool) -> int:
    quiet = _quiet(moment, now=premises.clock.now())
    if dry:
        async with premises.engine.connect() as connection:
            counted = await connection.execute(select(func.count()).select_from(a.conversations).where(quiet))
            return int(counted.scalar_one())
    gone = 0
    while True:
        async with premises.engine.begin() as connection:
            # Locked, and looked at again: somebody may be writing at this moment.
            some = select(a.conversations.c.id).where(quiet).order_by(a.conversations.c.updated).limit(BATCH)
            ids = tuple(await connection.scalars(some.with_for_update(skip_locked=True)))
            for id in ids:
                await _delete(
                    connection, await subject_of_conversation(connection, ConversationId(id)), premises
                )
        gone += len(ids)
        if len(ids) < BATCH:
            return gone


async def _delete(connection: AsyncConnection, subject: Subject, premises: Premises) -> None:
    (id,) = subject.conversations
    theirs = select(a.consents.c.id).where(
        a.consents.c.conversation == id, a.consents.c.customer_id.is_not(None)
    )
    if (await connection.execute(theirs.limit(1))).first() is not None:
        await delete_rows(connection, subject, but=STAYS)
        emptied: dict[str, Any] = {"question": "", "parked": "", "awaiting": ""}
        await connection.execute(update(a.conversations).where(a.conversations.c.id == id).values(**emptied))
        return
    await keep_evidence(connection, subject, secret=premises.secret, at=premises.clock.now())
    await delete_rows(connection, replace(subject, customer=None))


def _quiet(moment: datetime, *, now: datetime) -> ColumnElement[bool]:
    """Select conversations that may go: nothing since, nobody at work, nothing open, no restriction, not emptied yet."""
    c = a.conversations.c
    ticket = exists().where(a.tickets.c.conversation == c.id, a.tickets.c.state != "resolved")
    ahead = (promises.c.state == "open") & (promises.c.due > now)
    promise = exists().where(promises.c.conversation == c.id, ahead)
    turn = exists().where(a.turns.c.conversation == c.id, a.turns.c.outcome.is_(None))
    said = or_(
        exists().where(a.messages.c.conversation == c.id),
        not_(exists().where(a.consents.c.conversation == c.id, a.consents.c.customer_id.is_not(None))),
    )
    free = or_(c.lease_owner == "", c.lease_until.is_(None), c.lease_until < now)
    return and_(
        c.updated < moment,
        c.holder.in_(("ai", "closed")),
        free,
        said,
        ~ticket,
        ~turn,
        ~promise,
        ~_restricted(c.id, c.customer_id),
    )


def _restricted(conversation: Any, customer: Any) -> ColumnElement[bool]:
    return exists().where(
        or_(restrictions.c.conversation == conversation, restrictions.c.customer_id == customer)
    )


def _unrestricted(table: Table) -> ColumnElement[bool]:
    """Select rows of conversations without a restriction."""
    c = a.conversations.c
    return ~exists().where(c.id == table.c.conversation, _restricted(c.id, c.customer_id))


def _owned(table: Table) -> ColumnElement[bool]:
    return ~exists().where(restrictions.c.customer_id == table.c.owner)
