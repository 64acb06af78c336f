"""Identity by full name and postcode: what others may know, too. Off unless a company counts it; rationed, then locked.

```
claim ─► written down as a failure ─┬─ too many before it ─► taken back, Refused(locked | too_many), nothing looked up
                                    └─ register ─┬─ exactly one ─► taken back, Verified
                                                 └─ else ────────► stays, Refused(wrong | locked)
```
The failure is written first: of many claims at once no more are heard than of as many in a row.
"""

import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from tools.assurance import verify
from tools.claims import answering
from tools.codes import failures
from tools.codes import tables as t
from tools.codes.port import WINDOW, KnowledgeRules
from tools.context import Caller
from tools.crm.port import CRM
from tools.errors import Unavailable
from tools.folding import folded
from tools.identity import ByName, Factor, Refused, Verified

NAME: frozenset[Factor] = frozenset({"name_postcode"})
KEPT = timedelta(days=1)
"""How long failures are kept that count for nothing any more."""


class Knowledge:
    """Implements `Knowing`; `key` is the installation's secret, `now` returns aware moments."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        crm: CRM,
        key: str,
        rules: KnowledgeRules,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._crm = crm
        self._key = key.encode()
        self._rules = rules
        self._now = now

    async def claim(self, claim: ByName, caller: Caller) -> Verified | Refused:
        now, whom = self._now(), self._digest(claim.name)
        async with answering(), self._engine.begin() as connection:
            await failures.forget(connection, before=now - KEPT)
            await failures.write_down(
                connection, turn=caller.turn, conversation=caller.conversation, contact=whom, now=now
            )
        async with answering(), self._engine.begin() as connection:
            refused = await self._rationed(connection, caller, whom, now)
            if refused is not None:
                await failures.strike_out(connection, caller.turn)
                return refused
        try:
            found = await verify(claim, crm=self._crm, factors=NAME)
        except Unavailable:
            await self._taken_back(caller)
            raise
        if isinstance(found, Verified):
            await self._taken_back(caller)
            return found
        async with answering(), self._engine.connect() as connection:
            until = await self._locked(connection, caller, whom, now, counted=True)
        return Refused(reason="wrong") if until is None else Refused(reason="locked", until=until)

    async def _taken_back(self, caller: Caller) -> None:
        async with answering(), self._engine.begin() as connection:
            await failures.strike_out(connection, caller.turn)

    async def _rationed(
        self, connection: AsyncConnection, caller: Caller, whom: str, now: datetime
    ) -> Refused | None:
        until = await self._locked(connection, caller, whom, now, counted=False)
        if until is not None:
            return Refused(reason="locked", until=until)
        most = self._rules.per_hour
        others = select(t.failures.c.at).where(
            t.failures.c.at > now - WINDOW, t.failures.c.turn != caller.turn
        )
        recent = await failures.moments(connection, others.order_by(t.failures.c.at.desc()).limit(most))
        return Refused(reason="too_many", until=recent[-1] + WINDOW) if len(recent) >= most else None

    async def _locked(
        self, connection: AsyncConnection, caller: Caller, whom: str, now: datetime, *, counted: bool
    ) -> datetime | None:
        return await failures.locked_until(
            connection,
            conversation=caller.conversation,
            contact=whom,
            now=now,
            failures=self._rules.failures,
            length=timedelta(minutes=self._rules.lock_minutes),
            besides=None if counted else caller.turn,
        )

    def _digest(self, name: str) -> str:
        # By the name alone: who guesses tries one name with many postcodes.
        return hmac.new(self._key, f"name\0{folded(name)}".encode(), hashlib.sha256).hexdigest()
