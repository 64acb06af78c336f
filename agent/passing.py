"""Passing a conversation on to another department or a colleague: what stands in the way, when it is looked at, and what
the customer reads. Pure.

A person passes on through the queue. The one it is meant for is offered it first, for as long as anybody is; a
department's people are chosen by the queue's own rules. So what nobody takes is not lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from agent.calling import when_back
from agent.departments import back_at
from agent.domain import Action, Button, Reply
from agent.handoff import Why
from agent.pack import Department, Pack
from agent.routing import PRESENT, Operator
from tools.context import Language
from tools.phrases import Phrases

WHYS: tuple[Why, ...] = get_args(Why)
Obstacle = Literal["away", "absent", "foreign"]
"""Why it may take longer there: nobody works now, the colleague is not at their console, nobody speaks the language."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody a conversation may be passed to; `department` is empty for those who answer everything."""

    login: str
    name: str
    department: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A conversation on its way: `to` is the login of whom it is meant for, empty for whoever is free. `due`: when the
    queue looks at it; `back`: when people are in again, None when they are in now."""

    department: str
    to: str = ""
    why: Why
    due: datetime
    back: datetime | None = None
    obstacles: tuple[Obstacle, ...] = ()


def passing_to(
    department: Department,
    *,
    colleague: Colleague | None,
    why: Why,
    language: Language,
    now: datetime,
    present: Sequence[Operator],
    pack: Pack,
) -> Passing:
    """Decide how a conversation in this language goes there at this moment."""
    back = back_at(now, pack=pack, department=department)
    begins = back or now
    return Passing(
        department=department.id,
        to=colleague.login if colleague else "",
        why=why,
        # Whom it is meant for has as long as anybody to accept; where it is for nobody in particular, the queue chooses.
        due=begins + timedelta(seconds=department.accept_seconds) if colleague else now,
        back=back,
        obstacles=_obstacles(
            department, colleague=colleague, back=back, language=language, now=now, present=present
        ),
    )


def _obstacles(
    department: Department,
    *,
    colleague: Colleague | None,
    back: datetime | None,
    language: Language,
    now: datetime,
    present: Sequence[Operator],
) -> tuple[Obstacle, ...]:
    found: list[Obstacle] = []
    seen = next((one for one in present if colleague and one.login == colleague.login), None)
    if back is not None:
        found.append("away")
    elif colleague is not None and (seen is None or now - seen.seen > PRESENT):
        found.append("absent")
    if language not in ((seen and seen.languages) or department.languages):
        found.append("foreign")
    return tuple(found)


def passing_words(
    passing: Passing,
    department: Department,
    *,
    colleague: Colleague | None,
    language: Language,
    now: datetime,
    phrases: Phrases,
    pack: Pack,
) -> Reply:
    """Return what the customer reads: who goes on, and when, where that is not soon."""
    if passing.back is not None:
        when = when_back(passing.back, now, language, phrases=phrases, pack=pack)
        go_on = Button(label=phrases.say("button.go_on", language), action=Action(kind="ai"))
        text = phrases.say("passed.closed_now", language, department_to=department.to[language], when=when)
        return Reply(text=text, buttons=(go_on,))
    if colleague is not None:
        facts = {"name": colleague.name, "department": department.name[language]}
        return Reply(text=phrases.say("passed.person", language, **facts))
    return Reply(
        text=phrases.say(
            "passed.department",
            language,
            department_to=department.to[language],
            minutes=department.answer_minutes,
        )
    )
