"""What the page of a conversation shows of the work on it: notes of colleagues, whom it can be passed to, until when it
can be put aside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.calling import when_back
from agent.departments import back_at
from agent.domain import Conversation, Message
from agent.handoff import Why
from agent.passing import WHYS, Colleague
from agent.records.rules import Handoff
from agent.snoozing import Preset, moments
from agent.staff_notes import LONGEST, StaffNote
from api.console.visit import Visit


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a conversation can be passed: `value` is what the form sends, `back` when people are in, empty if now."""

    value: str
    name: str
    back: str = ""
    here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """That a colleague passed the conversation on, and why."""

    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Deskwork:
    """`notes` by the message they stand after, 0 for those before the first one shown; `until`: when it comes back."""

    notes: Mapping[int, tuple[StaffNote, ...]]
    departments: tuple[Target, ...] = ()
    people: tuple[Target, ...] = ()
    moments: Mapping[Preset, datetime]
    nearest: str
    until: datetime | None = None
    passed: Passed | None = None
    whys: tuple[Why, ...] = WHYS
    longest_note: int = LONGEST


async def deskwork(visit: Visit, conversation: Conversation, shown: Sequence[Message]) -> Deskwork:
    """Gather the work on a conversation of which these messages are shown."""
    records = visit.house.building.records
    notes = await records.staff_notes(conversation.id)
    zone, now = ZoneInfo(visit.timezone), visit.house.building.clock.now()
    passes = conversation.holder in ("queued", "person")
    return Deskwork(
        notes=beside(notes, shown),
        departments=_departments(visit, now) if passes else (),
        people=await _people(visit) if passes else (),
        moments=moments(now, zone=zone),
        nearest=now.astimezone(zone).strftime("%Y-%m-%dT%H:%M"),
        until=await visit.desk.until(conversation.id),
        passed=await _passed(visit, await records.handoffs(conversation.id)) if passes else None,
    )


async def colleagues(visit: Visit) -> tuple[Colleague, ...]:
    """Return everybody else who answers customers, by name."""
    people = sorted(await visit.staff.people(), key=lambda one: one.name)
    return tuple(
        Colleague(login=one.login, name=one.name, department=one.department)
        for one in people
        if one.may("operator") and not one.disabled and one.login != visit.who.login
    )


def _departments(visit: Visit, now: datetime) -> tuple[Target, ...]:
    building, language = visit.house.building, visit.language
    found = []
    for one in building.pack.departments:
        back = back_at(now, pack=building.pack, department=one)
        when = (
            when_back(back, now, language, phrases=building.phrases, pack=building.pack)
            if back is not None
            else ""
        )
        found.append(Target(value=f"department:{one.id}", name=one.name[language], back=when))
    return tuple(found)


async def _people(visit: Visit) -> tuple[Target, ...]:
    pack, language = visit.house.building.pack, visit.language
    here = {one.login for one in await visit.house.building.records.operators()}
    found = []
    for one in await colleagues(visit):
        place = pack.department(one.department).name[language] if one.department else ""
        name = f"{one.name}, {place}" if place else one.name
        found.append(Target(value=f"person:{one.login}", name=name, here=one.login in here))
    return tuple(sorted(found, key=lambda one: not one.here))


async def _passed(visit: Visit, lines: Sequence[Handoff]) -> Passed | None:
    """Return who passed the conversation on since a person was last called, None where nobody did."""
    for line in reversed(lines):
        if line.event == "transfer":
            names = await visit.staff.names([line.actor])
            return Passed(by=names.get(line.actor, line.actor), why=line.cause, at=line.at)
        if line.event in ("ask_person", "return", "close", "ai_resume"):
            return None
    return None


def beside(notes: Sequence[StaffNote], shown: Sequence[Message]) -> Mapping[int, tuple[StaffNote, ...]]:
    """Return the notes by the message they stand after; those of messages that are not shown are not either.

    Not every number has a message: a pressed button may leave none. Then the note stands after the one before.
    """
    numbers = [message.seq for message in shown]
    # Where the conversation is shown from its beginning, what was written before it is too.
    placed: dict[int, list[StaffNote]] = {}
    whole = not numbers or numbers[0] == 1
    for note in notes:
        at = max((seq for seq in numbers if seq <= note.after), default=0)
        if at or whole:
            placed.setdefault(at, []).append(note)
    return {at: tuple(some) for at, some in placed.items()}
