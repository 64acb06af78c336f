"""What becomes of a promise whose time has passed. Pure: people, hours and time come in.

```
due ─► late ─┬─ the customer is told once, outside quiet hours ─┬─ somebody can answer, and it is the first one ─► a new time
             │                                                  └─ otherwise ───────────────────────────────────► without one
             ├─ its person is there ─► it stays in their hands, first in the list
             └─ nobody is at it ─────► back to the queue
```
A new time is a promise itself, the department's, and a row of its own; where that passes as well no third is named. A
customer whose data no program may process is told nothing by one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from agent.departments import back_at
from agent.domain import Reply, Stage
from agent.due import Working
from agent.pack import Pack
from agent.pledge import Owed, Pledge, Told
from agent.policy.measure import quiet_until
from agent.routing import Operator, available
from tools.context import Language
from tools.phrases import Phrases

Move = Literal["stays", "let_go", "called"]
"""It stays where it is; who held it and is not there lets go; a person is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """A promise whose time has passed, and how its conversation stands."""

    owed: Owed
    stage: Stage
    operator: str
    language: Language
    restricted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """What is done: `tells` is empty where the customer is told later, `again` the new promise they are told of."""

    tells: Told
    move: Move
    department: str
    again: datetime | None = None


def lateness(one: Overdue, *, now: datetime, operators: Sequence[Operator], pack: Pack) -> Lateness:
    """Return what becomes of a promise that is due or was not told of yet."""
    department = pack.department(one.owed.department)
    there = any(operator.login == one.operator for operator in operators)
    move: Move = "called"
    if one.stage == "queued" or (one.stage in ("person", "snoozed") and there):
        move = "stays"
    elif one.stage in ("person", "snoozed"):
        move = "let_go"
    if one.owed.told:
        # It was put off after the customer had been told: they are told once.
        return Lateness(tells=one.owed.told, move=move, department=department.id)
    if one.restricted:
        return Lateness(tells="nothing", move=move, department=department.id)
    if quiet_until(now, zone=pack.timezone, quiet=pack.policy.quiet_hours) is not None:
        return Lateness(tells="", move=move, department=department.id)
    closed = back_at(now, pack=pack, department=department) is not None
    free = available(operators, department=department, language=one.language, now=now)
    real = not one.owed.renews and (closed or there or bool(free))
    again = Working(pack=pack, department=department).usual(now) if real else None
    return Lateness(tells="due" if again else "late", move=move, department=department.id, again=again)


def late_words(one: Overdue, late: Lateness, *, now: datetime, phrases: Phrases, pack: Pack) -> Reply:
    """Return what the customer is told: what was not kept, and the new time, or that they are the first."""
    language, owed = one.language, one.owed
    zone = ZoneInfo(pack.timezone)
    until = _until(owed.due, now, language, phrases=phrases, zone=zone)
    first = (
        phrases.say("overdue.timed", language, until=until)
        if owed.exact
        else phrases.say("overdue.untimed", language)
    )
    if late.again is None:
        return Reply(text=f"{first} {phrases.say('overdue.queued', language)}")
    again = _until(late.again, now, language, phrases=phrases, zone=zone)
    return Reply(text=f"{first} {phrases.say('overdue.again', language, until=again)}")


def renewed(late: Lateness, said: Reply) -> Pledge | None:
    """Return the promise that the customer is told in place of the late one."""
    return None if late.again is None else Pledge(words=said.text, due=late.again, exact=True)


def _until(moment: datetime, now: datetime, language: Language, *, phrases: Phrases, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    ahead = (local.date() - now.astimezone(zone).date()).days
    key = {0: "until.today", 1: "until.tomorrow"}.get(ahead, "until.day")
    return phrases.say(key, language, time=local, date=local)
