"""To whom a waiting conversation goes, and what happens next in its wait. Pure: people, hours and time come in.

```
queued ─┬─ nobody works now ─────────────────────────► Look(when they are back)
        ├─ somebody is free who was not tried ───────► Choose(operator, for accept_seconds)
        ├─ nobody here, the fallback has not been ───► Choose / Look in that department
        └─ nobody anywhere ──────────────────────────► Look again in accept_seconds, everybody may be tried anew
person ─┬─ no first words within answer_seconds ─────► Requeue
        ├─ the same, but their own time woke it and they are here ─► Look again
        └─ still time ───────────────────────────────► Look(then)
snoozed ── its time has come ────────────────────────► Wake
```
Every decision names the moment of the next one, so a conversation in the queue always has a next event. What the customer
is told of waiting they are told once: that it takes longer, and that people have gone home.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from agent.departments import back_at
from agent.domain import Stage
from agent.pack import Department, Pack
from tools.context import ConversationId, Language

PRESENT = timedelta(seconds=60)
"""Somebody whose console showed no sign of life for longer is not there."""
Telling = Literal["", "later", "gone"]
"""What a customer is told of waiting: that it takes longer, that people have gone home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who may answer. `department` is empty for those who answer everything, `languages` for those who speak
    whatever their department does; `capacity` 0 is the department's; `load` counts conversations in their hands."""

    login: str
    department: str = ""
    languages: tuple[Language, ...] = ()
    capacity: int = 0
    load: int = 0
    seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation whose next event is due. `since`: when it came into this stage; `called`: when a person was called."""

    conversation: ConversationId
    stage: Stage
    department: str
    language: Language
    since: datetime
    due: datetime
    assigned: str = ""
    tried: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    told: Telling = ""
    operator: str = ""
    woken: bool = False
    """Whether the `operator` had put it aside and its time came; no customer waits for them then."""

    @property
    def fresh(self) -> bool:
        """Whether nobody has looked at it since it came into this stage."""
        return self.due <= self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What happens now, and `due`: when to look again.

    `assigned` is the operator chosen, if any; `tells` what the customer is told now. `requeue`: the person lets go;
    `wake`: what they had put aside is theirs to go on with.
    """

    due: datetime
    department: str
    assigned: str = ""
    tried: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    tells: Telling = ""
    requeue: bool = False
    wake: bool = False
    back: datetime | None = None
    """When people are back, where nobody works now."""


def available(
    operators: Sequence[Operator],
    *,
    department: Department,
    language: Language,
    now: datetime,
    but: Sequence[str] = (),
) -> tuple[Operator, ...]:
    """Return who can take one more conversation now: present, of the department, speaking the language, with a free
    place, not among `but`; the least loaded first, then who has the smaller share of their places taken, then by login."""

    def places(operator: Operator) -> int:
        return operator.capacity or department.capacity

    fitting = (
        one
        for one in operators
        if now - one.seen <= PRESENT
        and one.department in ("", department.id)
        and language in (one.languages or department.languages)
        and one.load < places(one)
        and one.login not in but
    )
    return tuple(sorted(fitting, key=lambda one: (one.load, one.load / places(one), one.login)))


def next_event(case: Case, *, now: datetime, operators: Sequence[Operator], pack: Pack) -> Next:
    """Return what happens to a conversation whose next event is due."""
    department = pack.department(case.department)
    if case.stage == "snoozed":
        return Next(due=now, department=case.department, wake=True)
    if case.stage == "person":
        here = case.woken and any(
            one.login == case.operator and now - one.seen <= PRESENT for one in operators
        )
        return _claimed(case, department, now=now, here=here, pack=pack)
    tried = tuple(dict.fromkeys((*case.tried, *filter(None, (case.assigned,)))))
    return _offered(case, department, tried, now=now, operators=operators, pack=pack) or _nobody(
        case, department, now=now, pack=pack
    )


def _claimed(case: Case, department: Department, *, now: datetime, here: bool, pack: Pack) -> Next:
    """Wait for the person's first words, or give the conversation back to the queue.

    Who took up again in their own time what they had put aside, and is `here`, is not hurried.
    """
    wait = timedelta(seconds=department.answer_seconds)
    until = now + wait if here else case.since + wait
    if now < until:
        return Next(due=until, department=case.department, tried=case.tried, passed=case.passed)
    back = back_at(now, pack=pack, department=department)
    tells: Telling = "later" if back is None else "gone"
    return Next(
        due=now,
        department=case.department,
        requeue=True,
        tells=tells if case.told not in (tells, "gone") else "",
        back=back,
    )


def _offered(
    case: Case,
    department: Department,
    tried: tuple[str, ...],
    *,
    now: datetime,
    operators: Sequence[Operator],
    pack: Pack,
) -> Next | None:
    """Choose the next operator: here, else in the fallback department where this one has nobody left; None for none."""
    for place in _places(case, department, pack=pack):
        if back_at(now, pack=pack, department=place) is not None:
            continue
        free = available(operators, department=place, language=case.language, now=now, but=tried)
        if not free:
            continue
        moved = place.id != department.id
        return Next(
            due=now + timedelta(seconds=place.accept_seconds),
            department=place.id,
            assigned=free[0].login,
            tried=tried,
            passed=(*case.passed, department.id) if moved else case.passed,
            # The first choice of all is what the customer was told when the person was called.
            # Nor is it late where a person passed it on: who that was is not asked first.
            tells="later" if not case.told and (moved or (bool(tried) and not case.fresh)) else "",
        )
    return None


def _places(case: Case, department: Department, *, pack: Pack) -> tuple[Department, ...]:
    """Return the department and the one it falls back to, unless the conversation has come from there."""
    other = pack.department(department.fallback) if department.fallback else pack.default_department
    known = (department.id, *case.passed)
    return (department,) if other.id in known else (department, other)


def _nobody(case: Case, department: Department, *, now: datetime, pack: Pack) -> Next:
    """Nobody is free: look again, when people are back or soon, and let everybody be tried anew."""
    back = back_at(now, pack=pack, department=department)
    tells: Telling = ""
    if not case.fresh:
        # Who has just been passed on was told so, hours included.
        tells = ("" if case.told else "later") if back is None else ("" if case.told == "gone" else "gone")
    return Next(
        due=back or now + timedelta(seconds=department.accept_seconds),
        department=department.id,
        passed=case.passed,
        tells=tells,
        back=back,
    )
