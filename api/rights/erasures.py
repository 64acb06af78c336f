"""The job that forgets a customer: the row in `erasures` is the truth, every step happens again without harm.

```
asked ─► waiting ─► deleting ─► scrubbing ─► done      a crash anywhere: begun again from the row
         leases of   engine,     files of     the row is a tombstone:
         all talks   files, SQL  databases    no id, counts, proof
```
While a lease is ours no turn runs; what comes in meanwhile goes with the rest. Whoever writes afterwards finds no such
conversation: a token of it opens nothing, a messenger's chat begins anew as somebody unknown.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.records.forgetting import ask_erasure
from agent.records.rights_tables import erasures
from agent.records.tables import conversations
from api.rights import engine_rows
from api.rights.erasing import Erased, erase
from api.rights.files import forget_files
from api.rights.premises import Premises
from api.rights.pseudonym import proof
from api.rights.registry import held
from api.rights.scrub import scrub
from api.rights.subject import Subject, among, present, subject_of_conversation, subject_of_customer
from tools.context import ConversationId, CustomerId
from tools.tables import customers

State = Literal["asked", "waiting", "deleting", "scrubbing", "done"]
LEASE_SECONDS = 60.0
PATIENCE_SECONDS = 120.0
"""How long a turn is waited for: it ends by itself long before."""
LOOK_SECONDS = 0.1
ABANDONED = timedelta(minutes=5)
"""After which another process begins again what one left."""

logger = logging.getLogger("mayak.rights")


class StillTalking(Exception):
    """A turn did not end; the job is tried again."""


class _More(Exception):
    """Another conversation was opened meanwhile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What is left of an erasure: counts by table, why rows stay, and what proves both. `done` is None before."""

    id: str
    state: State
    asked: datetime
    done: datetime | None
    counts: dict[str, int]
    kept: tuple[str, ...]
    proof: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        done = self.done.isoformat() if self.done else None
        told = {"id": self.id, "state": self.state, "asked": self.asked.isoformat(), "done": done}
        return {**told, "counts": self.counts, "kept": list(self.kept), "proof": self.proof}


class Erasures:
    """Takes requests and carries them out."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._engine = premises.engine
        self._asked = asyncio.Event()

    async def ask(self, subject: Subject, *, whole: bool = False) -> str:
        """Write down that a subject wants to be forgotten; return the request's id, which tells nothing of them.

        Asked twice it is one request.
        """
        talk = subject.conversations[0] if subject.conversations else ""
        async with self._engine.begin() as connection:
            at = self._premises.clock.now()
            id = await ask_erasure(connection, subject.customer, talk, at=at, whole=whole)
        self._asked.set()
        return id

    async def find(self, id: str) -> Tombstone | None:
        """Return the request or what is left of it, None for an id that was never given."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(erasures).where(erasures.c.id == id))).one_or_none()
        return None if row is None else _tombstone(row)

    async def waiting(self, *, left: bool = False) -> tuple[str, ...]:
        """Return requests to carry out, the oldest first. `left`: also those begun, by a process that is gone."""
        now = self._premises.clock.now()
        begun = erasures.c.state != "done" if left else erasures.c.since < now - ABANDONED
        wanted = select(erasures.c.id).where(
            erasures.c.state != "done", erasures.c.asked <= now, or_(erasures.c.state == "asked", begun)
        )
        async with self._engine.connect() as connection:
            return tuple(await connection.scalars(wanted.order_by(erasures.c.asked)))

    async def until_asked(self, *, seconds: float) -> None:
        """Wait for the next request of this process, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._asked.wait()
        except TimeoutError:
            return
        # Only now: what was asked for while others were carried out is not waited for again.
        self._asked.clear()

    async def carry_out(self, id: str) -> Tombstone:
        """Forget the subject of a request; returns its tombstone. Raises `StillTalking`; the request then waits on."""
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(erasures).where(erasures.c.id == id))).one()
        if row.state == "done":
            return _tombstone(row)
        erased, engine = await self._erased(row)
        await self._state(id, "scrubbing")
        await asyncio.to_thread(self._scrub, erased, engine)
        await self._bury(id, Erased(counts={**erased.counts, **engine}, kept=erased.kept))
        # Once more: until just now the row itself named them.
        await asyncio.to_thread(scrub, self._premises.settings.database_url, ["erasures"])
        found = await self.find(id)
        assert found is not None
        return found

    async def _erased(self, row: Any) -> tuple[Erased, dict[str, int]]:
        engine: dict[str, int] = {}
        while True:
            async with self._engine.connect() as connection:
                subject = await _subject(connection, row)
            await self._state(row.id, "waiting")
            await self._hold(subject, owner=row.id)
            await self._state(row.id, "deleting")
            async with self._engine.connect() as connection:
                subject = await present(connection, subject)
                contacts = await _contacts(connection, subject)
            settings = self._premises.settings
            counted = await asyncio.to_thread(
                engine_rows.delete, settings.durable_url, subject.ids("workflow")
            )
            engine = _sum(engine, {table: n for table, n in counted.items() if n})
            files = await asyncio.to_thread(
                forget_files, settings.data, conversations=subject.conversations, contacts=contacts
            )
            try:
                erased = await self._transaction(subject, row)
            except _More:
                continue
            return replace(erased, counts=_sum(erased.counts, {"files": files} if files else {})), engine

    async def _transaction(self, subject: Subject, row: Any) -> Erased:
        at = self._premises.clock.now()
        async with self._engine.begin() as connection:
            # Locked first: who writes to one of these waits, and then finds it gone.
            mine = among(conversations.c.id, subject.conversations)
            await connection.execute(update(conversations).where(mine).values(lease_owner=row.id))
            now = await present(connection, subject)
            if set(now.conversations) != set(subject.conversations):
                raise _More
            erased = await erase(connection, now, whole=row.whole, secret=self._premises.secret, at=at)
            # Counted in the same transaction: begun again after a crash, it finds nothing to count.
            counts = _sum(row.counts, erased.counts)
            mine = erasures.c.id == row.id
            await connection.execute(update(erasures).where(mine).values(counts=counts))
        return replace(erased, counts=counts)

    async def _hold(self, subject: Subject, *, owner: str) -> None:
        """Take the leases of all conversations; a turn that runs is waited for."""
        left = set(subject.conversations)
        for _ in range(round(PATIENCE_SECONDS / LOOK_SECONDS)):
            for conversation in tuple(left):
                if await self._lease(conversation, owner):
                    left.discard(conversation)
            if not left:
                return
            await asyncio.sleep(LOOK_SECONDS)
        raise StillTalking(f"{len(left)} conversations are still being worked on")

    async def _lease(self, conversation: ConversationId, owner: str) -> bool:
        now = self._premises.clock.now()
        c = conversations.c
        free = or_(c.lease_owner.in_(("", owner)), c.lease_until.is_(None), c.lease_until < now)
        until = now + timedelta(seconds=LEASE_SECONDS)
        taken = update(conversations).where(c.id == conversation, free)
        gone = select(c.id).where(c.id == conversation)
        async with self._engine.begin() as connection:
            done = await connection.execute(taken.values(lease_owner=owner, lease_until=until))
            return done.rowcount == 1 or (await connection.execute(gone)).first() is None

    async def _state(self, id: str, state: State) -> None:
        moved = update(erasures).where(erasures.c.id == id)
        async with self._engine.begin() as connection:
            await connection.execute(moved.values(state=state, since=self._premises.clock.now()))

    def _scrub(self, erased: Erased, engine: dict[str, int]) -> None:
        settings = self._premises.settings
        # Orders that become nobody's change in every table of the shop.
        shop = (
            [one.table for one in held() if one.room == "tools"] if "shop_customers" in erased.counts else []
        )
        # The audit's keys go with its fields, uncounted.
        chain = [one.table for one in held() if one.erased == "chain"]
        scrub(settings.database_url, [*erased.counts, *shop, *chain, "erasures"])
        scrub(settings.durable_url, [one.table for one in engine_rows.engine_tables()], engine=True)

    async def _bury(self, id: str, erased: Erased) -> None:
        at = self._premises.clock.now()
        told = {"id": id, "done": at.isoformat(), "counts": erased.counts, "kept": list(erased.kept)}
        values = {
            "customer_id": None,
            "conversation": None,
            "state": "done",
            "since": at,
            "done": at,
            "counts": erased.counts,
            "kept": list(erased.kept),
            "proof": proof(told, self._premises.secret),
        }
        async with self._engine.begin() as connection:
            await connection.execute(update(erasures).where(erasures.c.id == id).values(**values))


async def _subject(connection: AsyncConnection, row: Any) -> Subject:
    if row.customer_id is not None:
        return await subject_of_customer(connection, CustomerId(row.customer_id))
    return await subject_of_conversation(connection, ConversationId(row.conversation))


async def _contacts(connection: AsyncConnection, subject: Subject) -> frozenset[str]:
    """Return the contacts on file in the embedded register."""
    own = select(customers.c.email, customers.c.phone).where(among(customers.c.id, subject.ids("customer")))
    return frozenset(contact for row in await connection.execute(own) for contact in row if contact)


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {table: one.get(table, 0) + other.get(table, 0) for table in sorted({*one, *other})}


def _tombstone(row: Any) -> Tombstone:
    return Tombstone(
        id=row.id,
        state=row.state,
        asked=row.asked,
        done=row.done,
        counts=dict(row.counts),
        kept=tuple(row.kept),
        proof=row.proof,
    )
