"""Turn records lose their words by an age of their own: how it was decided stays, what was said is the transcript's.

```
kept     outcome, language, confidence with its signals, names of tools, data used, receipt, ids of passages, cost, times
emptied  replies, the question, what a tool was asked and told, proposals, what was remembered, the call for a person
```
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from agent.domain import Recall, TurnRecord
from agent.records.codec import record_json, record_of
from agent.records.tables import turns

BATCH = 200
"""Records emptied in one transaction: other writers wait meanwhile."""
MARK = "emptied"
"""Stands in the JSON of such a record, so that it is not looked at again."""


def without_words(record: TurnRecord) -> TurnRecord:
    """Return what a record tells of a decision, and nothing anybody said."""
    return replace(
        record,
        replies=(),
        tools=tuple(replace(use, arguments={}, result={}) for use in record.tools),
        proposal=None,
        question="",
        parked="",
        recall=Recall(),
        ticket=None,
        contact="",
    )


async def empty(engine: AsyncEngine, stays: ColumnElement[bool], *, before: datetime, dry: bool) -> int:
    """Empty records of turns closed before a moment, but of those that `stays` names; return how many."""
    old = and_(
        turns.c.closed < before,
        turns.c.record.is_not(None),
        turns.c.record[MARK].as_boolean().is_(None),
        ~stays,
    )
    if dry:
        async with engine.connect() as connection:
            return (await connection.execute(_counted(old))).scalar_one()
    done = 0
    while True:
        async with engine.begin() as connection:
            some = select(turns.c.id, turns.c.record).where(old).limit(BATCH)
            rows = (await connection.execute(some.with_for_update(skip_locked=True))).all()
            for row in rows:
                left = {**record_json(without_words(record_of(row.record))), MARK: True}
                await connection.execute(update(turns).where(turns.c.id == row.id).values(record=left))
        done += len(rows)
        if len(rows) < BATCH:
            return done


def _counted(old: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(turns).where(old)
