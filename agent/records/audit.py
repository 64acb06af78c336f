"""The audit in SQL: lines are added to its chain, found, walked along, and erased with their key.

```
audit        n, mac, link │ about, at, actor, act, target, detail      beside the bar: empty once erased
audit_keys   a key for each subject                                    gone once erased
audit_head   number and link of the last line                          whoever writes holds it until the commit
```
Every function that takes a connection writes in its transaction and holds the head from then on: call it last.
"""

import json
import secrets
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agent.ports import Clock
from agent.records.chain import (
    ERASED,
    NOBODY,
    Entry,
    Fields,
    Line,
    Subject,
    Verdict,
    Walk,
    conversation,
    customer,
    linked,
    mac_of,
    mark_of,
    spans,
)
from agent.records.engine import near
from agent.records.errors import AuditLost
from agent.records.in_force import POLICY, changed, in_force
from agent.records.tables import audit, audit_head, audit_keys, conversations
from tools.context import CustomerId

BATCH = 1000
"""Lines read at once on a walk."""
KEY_BYTES = 32


class SqlAudit:
    """What was done, by whom and about whom. `AuditLost` where there is no head to go on from."""

    def __init__(self, engine: AsyncEngine, *, clock: Clock) -> None:
        # A walk is long: it does not hold up the loop as short transactions may.
        self._engine, self._short = engine, near(engine)
        self._clock = clock

    async def write(self, *entries: Entry) -> None:
        """Add lines; they are committed when this returns."""
        async with self._short.begin() as connection:
            await append(connection, self._clock.now(), entries)

    async def listed(
        self,
        *,
        about: Collection[Subject] | None = None,
        act: str = "",
        before: int | None = None,
        limit: int = 100,
    ) -> tuple[Line, ...]:
        """Return lines whose fields are there, the newest first: before a number, about these, of one act."""
        wanted = select(audit).where(audit.c.about.is_not(None)).order_by(audit.c.n.desc()).limit(limit)
        if about is not None:
            wanted = wanted.where(audit.c.about.in_(about))
        if act:
            wanted = wanted.where(audit.c.act == act)
        if before is not None:
            wanted = wanted.where(audit.c.n < before)
        async with self._short.connect() as connection:
            return tuple(_line(row) for row in await connection.execute(wanted))

    async def subjects(self, who: CustomerId) -> tuple[Subject, ...]:
        """Return under which subjects lines about a customer stand."""
        async with self._short.connect() as connection:
            return await subjects(connection, who)

    async def newest(self, act: str, *, actor: str, target: str) -> Mapping[str, Any] | None:
        """Return what the newest line about this act of this person on this target tells, None for none."""
        own = (audit.c.act == act) & (audit.c.actor == actor) & (audit.c.target == target)
        async with self._short.connect() as connection:
            found = select(audit.c.detail).where(own).order_by(audit.c.n.desc()).limit(1)
            detail: Mapping[str, Any] | None = (await connection.execute(found)).scalar_one_or_none()
            return detail

    async def ruled(self, policy: Mapping[str, Any]) -> list[str]:
        """Write down which tables of the policy are not as they were when it was last looked at; return their names.

        `policy` is `policy.toml` as it was read. Nothing is written where nothing changed.
        """
        now = in_force(policy)
        async with self._short.begin() as connection:
            await _head(connection)
            known = select(audit.c.detail).where(audit.c.act == POLICY).order_by(audit.c.n.desc()).limit(1)
            last = (await connection.execute(known)).scalar_one_or_none()
            others = changed(last["in_force"] if last else {}, now)
            if others:
                told = Entry(act=POLICY, actor="system", detail={"changed": others, "in_force": now})
                await append(connection, self._clock.now(), [told])
        return others

    async def verified(self, *, batch: int = BATCH) -> Verdict:
        """Walk along the whole chain as it is at this moment, `batch` lines at a time."""
        async with _snapshot(self._engine) as connection:
            return await walked(connection, batch=batch)

    async def link(self, n: int) -> str | None:
        """Return the link of line `n`, None where there is no such line."""
        async with self._short.connect() as connection:
            found = await connection.execute(select(audit.c.link).where(audit.c.n == n))
            link: str | None = found.scalar_one_or_none()
            return link

    async def forget(self, who: CustomerId) -> int:
        """Erase what the audit tells of a customer, conversations that are theirs included; return how many lines.

        Call it before the conversations lose their customer, or give `forget` below their subjects.
        """
        async with self._short.begin() as connection:
            return await forget(connection, self._clock.now(), await subjects(connection, who))


async def append(connection: AsyncConnection, now: datetime, entries: Sequence[Entry]) -> None:
    """Add lines in this transaction. Raises `AuditLost`."""
    if not entries:
        return
    n, link = await _head(connection)
    wanted: set[str] = {about for entry in entries for about in (entry.about, *entry.shown)}
    keys = await _keys(connection, wanted)
    fresh: dict[str, str] = {about: secrets.token_hex(KEY_BYTES) for about in sorted(wanted - keys.keys())}
    if fresh:
        rows = [{"about": about, "key": key, "created": now} for about, key in fresh.items()]
        await connection.execute(insert(audit_keys), rows)
        keys |= fresh
    lines = []
    for entry in entries:
        n += 1
        fields = _fields(n, entry, at=now, keys=keys)
        mac = mac_of(n, fields, key=keys[entry.about])
        link = linked(link, n, mac)
        lines.append(
            {
                "n": n,
                "mac": mac,
                "link": link,
                "about": fields.about,
                "at": fields.at,
                "actor": fields.actor,
                "act": fields.act,
                "target": fields.target,
                "detail": dict(fields.detail),
            }
        )
    await connection.execute(insert(audit), lines)
    await connection.execute(update(audit_head).values(n=n, link=link))


async def walked(connection: AsyncConnection, *, batch: int = BATCH) -> Verdict:
    """Walk along the chain as this transaction sees it."""
    walk = Walk()
    head = (await connection.execute(select(audit_head))).one_or_none()
    while rows := (await connection.execute(_after(walk.n, limit=batch))).all():
        keys = await _keys(connection, {row.about for row in rows if row.about is not None})
        for row in rows:
            walk.take(_line(row), key=keys.get(row.about))
    return walk.end(n=head.n if head else 0, link=head.link if head else "")


async def subjects(connection: AsyncConnection, who: CustomerId) -> tuple[Subject, ...]:
    """Return the customer, and the conversations that are theirs now: of some nobody knew it in the beginning."""
    own = select(conversations.c.id).where(conversations.c.customer_id == who)
    ids = (await connection.execute(own)).scalars()
    return (customer(who), *(conversation(id) for id in ids))


async def forget(connection: AsyncConnection, now: datetime, whom: Iterable[Subject]) -> int:
    """Erase fields and keys of these subjects in this transaction, write down which lines; return how many.

    The line that tells so names nobody. Raises `AuditLost`.
    """
    erased = [about for about in whom if about != NOBODY]
    await _head(connection)
    numbers: list[int] = []
    for part in _parts(erased):
        theirs = select(audit.c.n).where(audit.c.about.in_(part))
        numbers += (await connection.execute(theirs)).scalars()
        gone = dict.fromkeys(("about", "at", "actor", "act", "target", "detail"))
        await connection.execute(update(audit).where(audit.c.about.in_(part)).values(**gone))
        await connection.execute(delete(audit_keys).where(audit_keys.c.about.in_(part)))
    numbers.sort()
    told = Entry(act=ERASED, actor="system", detail={"lines": spans(numbers), "count": len(numbers)})
    await append(connection, now, [told])
    return len(numbers)


def _after(n: int, *, limit: int) -> Select[Any]:
    return select(audit).where(audit.c.n > n).order_by(audit.c.n).limit(limit)


def _fields(n: int, entry: Entry, *, at: datetime, keys: Mapping[str, str]) -> Fields:
    detail = dict(entry.detail)
    if entry.shown:
        detail["shown"] = [mark_of(n, key=keys[about]) for about in entry.shown]
    return Fields(
        about=entry.about,
        at=at,
        actor=entry.actor,
        act=entry.act,
        target=entry.target,
        # As it will be read back: what JSON makes of it.
        detail=json.loads(json.dumps(detail)),
    )


async def _head(connection: AsyncConnection) -> tuple[int, str]:
    """Lock the end of the chain until the transaction ends; return its number and link. Raises `AuditLost`."""
    row = (await connection.execute(select(audit_head).with_for_update())).one_or_none()
    if row is None:
        raise AuditLost()
    return row.n, row.link


async def _keys(connection: AsyncConnection, whose: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in _parts(list(whose)):
        wanted = select(audit_keys.c.about, audit_keys.c.key).where(audit_keys.c.about.in_(part))
        found |= {row.about: row.key for row in await connection.execute(wanted)}
    return found


def _parts(subjects: Sequence[str]) -> Iterable[Sequence[str]]:
    return (subjects[at : at + BATCH] for at in range(0, len(subjects), BATCH))


def _line(row: Any) -> Line:
    # A line that has lost only some of its fields is not erased but changed.
    kept = (row.about, row.at, row.actor, row.act, row.target, row.detail)
    fields = Fields(
        about=Subject(row.about or ""),
        at=row.at or datetime.min,
        actor=row.actor or "",
        act=row.act or "",
        target=row.target or "",
        detail=row.detail or {},
    )
    return Line(
        n=row.n, mac=row.mac, link=row.link, fields=None if all(one is None for one in kept) else fields
    )


@asynccontextmanager
async def _snapshot(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """One moment of the database for many reads; on SQLite every reading transaction is one."""
    async with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            await connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
