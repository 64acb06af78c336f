"""One effect for one key in a system that takes no keys: the intent first, the write second, a look before any retry.

done         it was carried out now
already_done it was carried out before, under this key
unknown      it was begun, and whether it happened cannot be told: a person looks, nothing is repeated
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from tools.context import CustomerId
from tools.errors import Rejected, Unavailable, Unsent
from tools.intents.port import Intent, Intents
from tools.proposal import Effect, Fact, Proposal, admit, in_time, same_as_before

PATIENCE = timedelta(seconds=90)
"""Longer than any attempt lasts: an unfinished intent older than this was left by a process that is gone."""
_GLANCE = 0.05
"""Seconds between looks at an intent that another call is carrying out."""
_GLANCES = 300


class Write(Protocol):
    """One confirmed write of an adapter."""

    async def perform(self) -> None:
        """Do it, if the thing is still as it was: `Rejected`, `Unsent` where nothing was changed, else `Unavailable`."""

    async def happened(self) -> bool:
        """Look whether the thing is as the write would leave it. Raises `Unavailable`."""


@runtime_checkable
class Telling(Protocol):
    """A write that the system says more of than was proposed, such as the number of what it made."""

    @property
    def told(self) -> Mapping[str, Fact]:
        """What is known of it since it happened."""


class Once:
    """Carries writes of these kinds out in one system; `now` returns aware moments."""

    def __init__(
        self,
        intents: Intents,
        *,
        system: str,
        kinds: frozenset[str],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._intents, self._system, self._kinds = intents, system, kinds
        self._now, self._sleep, self._patience = now, sleep, patience

    async def carry_out(
        self, proposal: Proposal, write: Write, *, owner: CustomerId, key: str, thing: str
    ) -> Effect:
        """Return what came of it. Raises as `tools.orders.port.Orders.execute`."""
        admit(proposal, owner=owner, kinds=self._kinds)
        known = await self._intents.find(key)
        if known is None:
            now = self._now()
            in_time(proposal, now=now)
            intent = Intent.of(
                proposal, key=key, system=self._system, thing=f"{self._system} {thing}", now=now
            )
            known = await self._intents.begin(intent)
        if known is not None:
            return await self._earlier(known, proposal, write, owner=owner)
        return await self._attempt(proposal, write, key=key)

    async def _attempt(self, proposal: Proposal, write: Write, *, key: str) -> Effect:
        try:
            await write.perform()
        except (Unsent, Rejected):
            await self._intents.forget(key)
            raise
        except Unavailable:
            if not await self._happened(write):
                return Effect(proposal=proposal, state="unknown", facts=proposal.facts)
        return await self._finished(proposal, write, key=key)

    async def _finished(self, proposal: Proposal, write: Write, *, key: str) -> Effect:
        facts = {**proposal.facts, **(write.told if isinstance(write, Telling) else {})}
        # Without the record it has happened all the same; whoever asks again finds that out by looking.
        with suppress(Unavailable):
            await self._intents.done(key, now=self._now(), facts=facts)
        return Effect(proposal=proposal, state="done", facts=facts)

    async def _earlier(self, known: Intent, proposal: Proposal, write: Write, *, owner: CustomerId) -> Effect:
        if known.owner != owner:
            raise Rejected("key_reused")
        same_as_before(proposal, digest=known.digest)
        glances = 0
        while known.done is None:
            if self._now() - known.begun >= self._patience:
                if await self._intents.take(known.key, begun=known.begun, now=self._now()):
                    return await self._resumed(known, proposal, write)
            elif glances >= _GLANCES:
                return Effect(proposal=proposal, state="unknown", facts=proposal.facts)
            glances += 1
            await self._sleep(_GLANCE)
            again = await self._intents.find(known.key)
            if again is None:
                raise Rejected("changed")
            known = again
        return Effect(proposal=proposal, state="already_done", facts=dict(known.facts))

    async def _resumed(self, known: Intent, proposal: Proposal, write: Write) -> Effect:
        if await self._happened(write):
            finished = await self._finished(proposal, write, key=known.key)
            return Effect(proposal=proposal, state="already_done", facts=finished.facts)
        try:
            await write.perform()
        except (Rejected, Unavailable):
            # The thing is neither as it was nor as it should be, or it cannot be seen: our own half may be in it.
            return Effect(proposal=proposal, state="unknown", facts=proposal.facts)
        return await self._finished(proposal, write, key=known.key)

    async def _happened(self, write: Write) -> bool:
        try:
            return await write.happened()
        except Unavailable:
            return False
