"""The book of codes in SQL: how many were sent, which is open, who failed. Survives a restart.

```
issue ─┬─ too many of this conversation, this contact, or of all ─► Refused(too_many)
       ├─ too many failures ─────────────────────────────────────► Refused(locked)
       └─ written, replacing what was open
check ─┬─ nothing open, used, out of date ─► Refused(expired)
       ├─ too many failures ───────────────► Refused(locked)
       ├─ another code ────────────────────► Refused(wrong), one more failure
       └─ Verified, once
```
A row of a contact that is nobody's looks and costs like any other; its code was never sent and fits nothing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools.claims import answering
from tools.codes import failures
from tools.codes import tables as t
from tools.codes.port import WINDOW, CodeRules
from tools.context import ConversationId, CustomerId, TurnId
from tools.identity import ByCode, Refused, Verified

KEPT = timedelta(days=1)
"""How long rows are kept that count for nothing any more."""


class CodeBook:
    """Implements `Codes`; `key` is the installation's secret, `now` returns aware moments."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        key: str,
        rules: CodeRules,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._key = key.encode()
        self._rules = rules
        self._now = now

    async def issue(
        self,
        code: str,
        *,
        turn: TurnId,
        conversation: ConversationId,
        contact: str,
        customer: CustomerId | None,
    ) -> Refused | None:
        """Write a code down, or refuse to; the same turn writes its own row anew.

        `contact` is whatever names whom it was asked for; without a `customer` the row fits no code.
        """
        now, whom = self._now(), self._digest("contact", contact)
        fits = code if customer is not None else secrets.token_hex(16)
        async with answering(), self._engine.begin() as connection:
            await connection.execute(delete(t.codes).where(t.codes.c.turn == turn))
            refused = await self._too_many(connection, conversation, whom, now)
            if refused is not None:
                return refused
            await _forget(connection, before=now - KEPT)
            await connection.execute(
                insert(t.codes).values(
                    turn=turn,
                    conversation=conversation,
                    customer=customer,
                    contact=whom,
                    code=self._digest(conversation, fits),
                    at=now,
                    expires=now + timedelta(minutes=self._rules.expires_minutes),
                    used_in="",
                )
            )
        return None

    async def check(self, claim: ByCode) -> Verified | Refused:
        """Take the code if it is the newest of its conversation; a turn that took it before takes it again."""
        now = self._now()
        newest = (
            select(t.codes)
            .where(t.codes.c.conversation == claim.conversation)
            .order_by(t.codes.c.at.desc())
            .limit(1)
        )
        async with answering(), self._engine.begin() as connection:
            row = (await connection.execute(newest)).one_or_none()
            if row is None:
                return Refused(reason="expired")
            fits = hmac.compare_digest(self._digest(claim.conversation, claim.code), row.code)
            if row.used is not None:
                again = fits and row.used_in == claim.turn
                return Verified(customer=row.customer) if again else Refused(reason="expired")
            until = await self._locked(connection, row.conversation, row.contact, now)
            if until is not None:
                return Refused(reason="locked", until=until)
            if now >= row.expires:
                return Refused(reason="expired")
            if not fits or row.customer is None:
                return await self._failed(connection, claim, row, now)
            return await _taken(connection, claim, row, now)

    async def _failed(
        self, connection: AsyncConnection, claim: ByCode, row: Row[tuple[object, ...]], now: datetime
    ) -> Refused:
        await failures.write_down(
            connection, turn=claim.turn, conversation=claim.conversation, contact=row.contact, now=now
        )
        until = await self._locked(connection, row.conversation, row.contact, now)
        return Refused(reason="wrong") if until is None else Refused(reason="locked", until=until)

    async def _locked(
        self, connection: AsyncConnection, conversation: str, contact: str, now: datetime
    ) -> datetime | None:
        return await failures.locked_until(
            connection,
            conversation=conversation,
            contact=contact,
            now=now,
            failures=self._rules.failures,
            length=timedelta(minutes=self._rules.lock_minutes),
        )

    async def _too_many(
        self, connection: AsyncConnection, conversation: str, contact: str, now: datetime
    ) -> Refused | None:
        until = await self._locked(connection, conversation, contact, now)
        if until is not None:
            return Refused(reason="locked", until=until)
        sent, rules = t.codes.c, self._rules
        limits = (
            (select(sent.at).where(sent.conversation == conversation), rules.per_conversation),
            (select(sent.at).where(sent.contact == contact), rules.per_contact),
            (select(sent.at), rules.per_hour),
        )
        for mine, most in limits:
            recent = mine.where(sent.at > now - WINDOW).order_by(sent.at.desc()).limit(most)
            moments = await failures.moments(connection, recent)
            if len(moments) >= most:
                return Refused(reason="too_many", until=moments[-1] + WINDOW)
        return None

    def _digest(self, bound: str, text: str) -> str:
        return hmac.new(self._key, f"{bound}\0{text}".encode(), hashlib.sha256).hexdigest()


async def _taken(
    connection: AsyncConnection, claim: ByCode, row: Row[tuple[object, ...]], now: datetime
) -> Verified | Refused:
    # Of two who bring the same code at once, one finds the row as it was.
    mine = update(t.codes).where(t.codes.c.turn == row.turn, t.codes.c.used.is_(None))
    done = await connection.execute(mine.values(used=now, used_in=claim.turn))
    return Verified(customer=row.customer) if done.rowcount == 1 else Refused(reason="expired")


async def _forget(connection: AsyncConnection, *, before: datetime) -> None:
    old = or_(t.codes.c.used.is_not(None), t.codes.c.expires < before)
    await connection.execute(delete(t.codes).where(t.codes.c.at < before, old))
    await failures.forget(connection, before=before)
