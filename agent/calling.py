"""What is said when a person is called: where the question goes, when people answer, whom else one can phone. Pure."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.departments import back_at
from agent.domain import Action, Button, Reply
from agent.due import Working
from agent.pack import Department, Pack
from agent.pledge import Pledge
from agent.ports import Situation
from agent.routing import Next
from agent.scene import Scene
from tools.context import Language
from tools.phrases import Phrases

EARLIER = 2
"""Earlier messages of the customer that may say which department a question is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """What the customer is told of a call for a person, and what that promises them."""

    text: str
    buttons: tuple[Button, ...] = ()
    pledge: Pledge | None = None


def handed(scene: Scene, department: Department, *, phrases: Phrases, pack: Pack) -> Called:
    """Return where the question goes and when people answer.

    Out of hours the assistant may go on, and the department promises to answer first thing.
    """
    language, now = scene.language, scene.caller.now
    returns = back_at(now, pack=pack, department=department)
    if returns is None:
        text = phrases.say(
            "person.handed",
            language,
            department_to=department.to[language],
            minutes=department.answer_minutes,
        )
        return Called(text=text)
    when = _when(returns, now, language, phrases=phrases, zone=ZoneInfo(pack.timezone))
    go_on = Button(label=phrases.say("button.go_on", language), action=Action(kind="ai"))
    text = phrases.say("person.closed_now", language, when=when)
    pledge = first_thing(text, department=department, now=now, pack=pack)
    return Called(text=text, buttons=(go_on,), pledge=pledge)


def first_thing(text: str, *, department: Department, now: datetime, pack: Pack) -> Pledge:
    """Return what is promised out of hours: the department's usual time, counted from when its people are back."""
    due = Working(pack=pack, department=department).usual(now)
    return Pledge(words=text, due=due, exact=False)


def waiting_words(
    next: Next,
    *,
    language: Language,
    department: Department,
    moved: bool,
    now: datetime,
    phrases: Phrases,
    pack: Pack,
) -> Reply:
    """Return what a customer is told who waits longer than was said, or whom people left when they went home."""
    go_on = Button(label=phrases.say("button.go_on", language), action=Action(kind="ai"))
    if next.back is not None:
        when = _when(next.back, now, language, phrases=phrases, zone=ZoneInfo(pack.timezone))
        return Reply(text=phrases.say("person.gone", language, when=when), buttons=(go_on,))
    if moved:
        text = phrases.say("person.moved", language, department_to=department.to[language])
        return Reply(text=text, buttons=(go_on,))
    return Reply(text=phrases.say("person.later", language), buttons=(go_on,))


def _when(moment: datetime, now: datetime, language: Language, *, phrases: Phrases, zone: ZoneInfo) -> str:
    local = moment.astimezone(zone)
    ahead = (local.date() - now.astimezone(zone).date()).days
    key = {0: "when.today", 1: "when.tomorrow"}.get(ahead, "when.day")
    return phrases.say(key, language, time=local, date=local)


def when_back(moment: datetime, now: datetime, language: Language, *, phrases: Phrases, pack: Pack) -> str:
    """Return a moment as people say it: today at, tomorrow at, on Monday at."""
    return _when(moment, now, language, phrases=phrases, zone=ZoneInfo(pack.timezone))


def helplines(language: Language, *, phrases: Phrases, pack: Pack) -> str:
    """Return whom somebody can phone who may come to harm; where the pack names nobody, that help exists."""
    lines = "; ".join(f"{line.phone} — {line.name[language]}" for line in pack.company.helplines)
    key = "danger.harm" if lines else "danger.harm_alone"
    return phrases.say(key, language, lines=lines)


def asked(situation: Situation, question: str) -> str:
    """Return the words by which a department is chosen."""
    earlier = [m.text for m in situation.history if m.author == "customer"]
    return "\n".join((*earlier[-EARLIER:], question))
