"""The clock of promises: looks which are due, lets the rules decide, and tells the customer what is to be told.

```
every second ─► overdue ─► operators present ─► agent.overdue.lateness ─► be_late (one transaction) ─► bell
```
It keeps nothing in memory: a promise is a row with its time, so a process that was killed forgets none, and two that
look at once do everything once.
"""

import logging

from agent.overdue import Overdue, late_words, lateness
from agent.pack import Pack
from agent.ports import Clock
from agent.records.sql import SqlRecords
from tools.phrases import Phrases

logger = logging.getLogger("mayak.promises")


class Promises:
    """Carries out what is due. Stateless between looks."""

    def __init__(self, *, records: SqlRecords, pack: Pack, phrases: Phrases, clock: Clock) -> None:
        self.records = records
        self.pack = pack
        self.phrases = phrases
        self.clock = clock

    async def look(self) -> int:
        """Take up every promise that is due; return how many were carried out by this process."""
        done = 0
        for one in await self.records.overdue():
            try:
                done += await self._late(one)
            except Exception as fault:
                # It stays due, and those behind it wait no longer for that.
                logger.error("the promise %s cannot be carried out: %r", one.owed.id, fault)
        return done

    async def _late(self, one: Overdue) -> bool:
        now = self.clock.now()
        late = lateness(one, now=now, operators=await self.records.operators(), pack=self.pack)
        if one.owed.state == "late" and not late.tells:
            return False
        said = None
        if late.tells in ("due", "late") and not one.owed.told:
            said = late_words(one, late, now=now, phrases=self.phrases, pack=self.pack)
        return await self.records.be_late(one, late, said=said)
