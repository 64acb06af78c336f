"""What the page of a conversation shows of the work on it: notes of colleagues, whom it can be passed to, until when it
can be put aside, answers that are ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from agent.calling import when_back
from agent.canned import VARIABLES, Variable, fill
from agent.departments import back_at
from agent.domain import Conversation, Message
from agent.handoff import Why
from agent.passing import WHYS, Colleague
from agent.records.rules import Handoff
from agent.snoozing import Preset, moments
from agent.staff_notes import LONGEST, StaffNote
from api.console.visit import Visit
from tools.crm.port import Customer


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
class Ready:
    """An answer that is ready: its title in the reader's language, its text in the customer's, filled."""

    id: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deskwork:
    """`notes` by the message they stand after, 0 for those before the first one shown; `until`: when it comes back."""

    notes: Mapping[int, tuple[StaffNote, ...]]
    departments: tuple[Target, ...] = ()
    people: tuple[Target, ...] = ()
    moments: Mapping[Preset, datetime]
    nearest: str
    ready: tuple[Ready, ...] = ()
    until: datetime | None = None
    passed: Passed | None = None
    whys: tuple[Why, ...] = WHYS
    longest_note: int = LONGEST


async def deskwork(
    visit: Visit,
    conversation: Conversation,
    messages: Sequence[Message],
    *,
    shown: Sequence[Message],
    customer: Customer | None,
) -> Deskwork:
    """Gather the work on a conversation with these messages, of which some are shown."""
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
        ready=ready_answers(visit, conversation, messages, customer=customer),
        until=await visit.desk.until(conversation.id),
        passed=await _passed(visit, await records.handoffs(conversation.id)) if passes else None,
    )


def ready_answers(
    visit: Visit, conversation: Conversation, messages: Sequence[Message], *, customer: Customer | None
) -> tuple[Ready, ...]:
    """Return the company's answers as this operator would say them in this conversation."""
    pack, spoken = visit.house.building.pack, conversation.language
    of = visit.who.department or conversation.department
    orders = {card.subject for line in messages for card in line.cards if card.kind != "product"}
    contacts = pack.company.contacts
    values: dict[Variable, str] = {
        "customer_name": customer.name if customer else "",
        "operator_name": visit.who.name,
        "department": pack.department(of).name[spoken] if of else "",
        "company": pack.name[spoken],
        # Of several the person says which.
        "order": next(iter(orders)) if len(orders) == 1 else "",
        "phone": contacts.phone,
        "email": contacts.email,
        "site": pack.company.site,
    }
    gaps: dict[Variable, str] = {name: visit.say(f"gap.{name}", spoken) for name in VARIABLES}
    return tuple(
        Ready(id=one.id, title=one.title[visit.language], text=fill(one.text[spoken], values, gaps=gaps))
        for one in pack.canned
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
