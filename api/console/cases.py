"""What the dialogue pages show, gathered from the records: the list, the conversation, its card."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from agent.basis import digest
from agent.departments import back_at
from agent.domain import Author, Button, Citation, Conversation, Message, TurnRecord
from agent.policy.consent import bases, declined
from agent.records.desk import Line, Shelf
from agent.records.errors import UnknownTurn
from agent.records.rules import OpenTicket
from agent.suggestions import Suggestion
from api.console.copilot import kept
from api.console.deskwork import Deskwork, deskwork
from api.console.handing import Hand, hand_over
from api.console.page import day_of
from api.console.promises import Shown, promise_mark, promised, shown
from api.console.visit import Visit
from tools.context import ConversationId, CustomerId, TurnId
from tools.crm.port import CRM, Customer
from tools.errors import ToolFault

SHOWN = 200
"""Messages of a long conversation shown at first."""
NEAR = 0.7
"""Share of the promised minutes after which a wait is nearly late."""
Haste = Literal["calm", "near", "late", "off", "none"]
"""How urgent a wait is; `off` outside the department's hours, `none` where nobody waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list; `ring` is the share of the promised time that is used up, 0..100.

    `due` is when that time is over, None where it does not run. `holder` is the name of who holds it, or of whom the queue offers it to.
    """

    line: Line
    who: str
    department: str
    holder: str
    mine: bool
    offered_me: bool
    minutes: int
    ring: int
    haste: Haste
    promise: Shown | None
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message as it is shown; `fresh_day` where it is the first of its day, `receipt` the turn it ends, of the AI."""

    message: Message
    fresh_day: bool
    fresh_author: bool
    outcome: str
    receipt: TurnId | None
    delivery: str
    citations: tuple[Citation, ...]
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """One line of a draft that was not sent; `reason` is the code of what was wrong with it, empty if nothing."""

    text: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What the customer chose about one purpose: granted, refused or none."""

    name: str
    state: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An open conversation with everything its page shows."""

    conversation: Conversation
    who: str
    customer: Customer | None
    department: str
    holder_name: str
    mine: bool
    said: tuple[Said, ...]
    earlier: int
    ticket: OpenTicket | None
    record: TurnRecord | None
    dropped: tuple[Dropped, ...]
    sources: tuple[Citation, ...]
    consents: tuple[Consent, ...]
    promises: tuple[Shown, ...]
    work: Deskwork
    hand: Hand
    suggestion: Suggestion | None
    """What the assistant suggests to whom holds the conversation."""
    mark: str
    """Changes whenever the page would."""
    key: str
    """Names the reply written on this page: the form posted twice sends it once."""


def mark_of(*parts: object) -> str:
    """Return a short digest of what a part of a page shows."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def list_mark(lines: Iterable[Line], counts: Mapping[Shelf, int], *, chosen: str) -> str:
    """Return what changes when the list would; minutes that pass are counted by the browser."""
    return mark_of(chosen, sorted(counts.items()), [(_state(line), line.words, line.since) for line in lines])


def _state(line: Line) -> tuple[object, ...]:
    held = line.conversation
    return (
        held.id, held.holder, _holder(held), held.department, line.reason, line.until, line.brought,
    )  # fmt: skip


def _holder(conversation: Conversation) -> str:
    """Return the login of who holds the conversation, else of whom the queue offers it."""
    return conversation.operator or conversation.assigned


class Names(Protocol):
    """Who customers are, for lists."""

    async def customer(self, id: CustomerId, *, crm: CRM) -> Customer | None:
        """Return the customer, None where nothing can be known of them."""


async def rows(visit: Visit, lines: Iterable[Line], *, known: Names) -> list[Row]:
    """Return the list's lines with names and waits."""
    lines, crm = list(lines), visit.house.building.crm
    owners = [line.promise.name for line in lines if line.promise]
    names = await visit.staff.names([*(_holder(line.conversation) for line in lines), *owners])
    found = []
    for line in lines:
        customer = line.conversation.customer_id
        who = _who(visit, line.conversation, await known.customer(customer, crm=crm) if customer else None)
        found.append(_row(visit, line, who=who, names=names))
    return found


def _row(visit: Visit, line: Line, *, who: str, names: Mapping[str, str]) -> Row:
    pack, now = visit.house.building.pack, visit.house.building.clock.now()
    department = pack.department(line.conversation.department)
    waited = max(timedelta(0), now - line.since) if line.since else timedelta(0)
    span = timedelta(minutes=department.answer_minutes)
    used = waited / span
    haste: Haste = "late" if used >= 1 else "near" if used >= NEAR else "calm"
    if line.since is None:
        haste = "none"
    elif back_at(now, pack=pack, department=department) is not None:
        haste = "off"
    operator = _holder(line.conversation)
    return Row(
        line=line,
        who=who,
        department=department.name[visit.language] if line.conversation.department else "",
        holder=names.get(operator, operator),
        mine=line.conversation.operator == visit.who.login,
        offered_me=line.conversation.assigned == visit.who.login,
        minutes=int(waited.total_seconds() // 60),
        ring=min(100, round(used * 100)),
        haste=haste,
        promise=shown(visit, line.promise, names=names) if line.promise else None,
        due=line.since + span if line.since and haste != "off" else None,
    )


async def case_mark(visit: Visit, conversation: Conversation) -> str:
    """Return what changes when the conversation's page would."""
    event = await visit.house.building.records.last_event(conversation.id)
    deliveries = await visit.desk.deliveries(conversation.id)
    held = (conversation.holder, conversation.operator, conversation.language)
    promises = await promise_mark(visit, conversation.id)
    notes = await visit.house.building.records.staff_notes(conversation.id)
    return mark_of(*held, conversation.stage, event, sorted(deliveries.items()), promises, len(notes))


async def case(visit: Visit, conversation: Conversation, *, whole: bool = False) -> Case:
    """Gather one conversation; the latest messages unless `whole`."""
    building, desk = visit.house.building, visit.desk
    mark = await case_mark(visit, conversation)
    messages = await _transcript(visit, conversation.id)
    earlier = 0 if whole else max(0, len(messages) - SHOWN)
    ticket = await desk.last_ticket(conversation.id)
    customer = await _customer(visit, conversation.customer_id) if conversation.customer_id else None
    names = await visit.staff.names([conversation.operator])
    department = conversation.department or (ticket.department if ticket else "")
    consents, outcomes = (
        await _consents(visit, conversation),
        await building.records.outcomes(conversation.id),
    )
    refused = [one.name for one in consents if one.state == "refused"]
    mine = conversation.holder == "person" and conversation.operator == visit.who.login
    return Case(
        conversation=conversation,
        who=_who(visit, conversation, customer),
        customer=customer,
        department=building.pack.department(department).name[visit.language] if department else "",
        holder_name=names.get(conversation.operator, conversation.operator),
        mine=mine,
        said=_said(
            messages[earlier:],
            outcomes=outcomes,
            deliveries=await desk.deliveries(conversation.id),
            visit=visit,
        ),
        earlier=earlier,
        ticket=ticket,
        record=await _record(visit, ticket),
        dropped=dropped(ticket.rejected) if ticket else (),
        sources=_sources(messages),
        consents=consents,
        promises=await promised(visit, conversation.id),
        work=await deskwork(visit, conversation, messages, shown=messages[earlier:], customer=customer),
        hand=await hand_over(
            visit, conversation, messages, ticket=ticket, refused=refused, outcomes=outcomes
        ),
        suggestion=await kept(visit).offered(conversation.id) if mine else None,
        mark=mark,
        key=secrets.token_urlsafe(12),
    )


async def _transcript(visit: Visit, conversation: ConversationId) -> list[Message]:
    records = visit.house.building.records
    found: list[Message] = []
    while part := await records.messages(conversation, after=found[-1].seq if found else 0):
        found += part
    return found


async def _customer(visit: Visit, customer: CustomerId) -> Customer | None:
    try:
        return await visit.house.building.crm.customer(customer)
    except ToolFault:
        # The register may be down or have forgotten them; the conversation is readable all the same.
        return None


def _who(visit: Visit, conversation: Conversation, customer: Customer | None) -> str:
    if customer is not None:
        return customer.name
    if conversation.customer_id:
        return visit.say("case.customer", number=conversation.customer_id)
    return visit.say("case.guest", number=digest(conversation.id)[:4].upper())


async def _record(visit: Visit, ticket: OpenTicket | None) -> TurnRecord | None:
    if ticket is None:
        return None
    try:
        return await visit.house.building.records.receipt(ticket.conversation, ticket.turn)
    except UnknownTurn:
        return None


async def _consents(visit: Visit, conversation: Conversation) -> tuple[Consent, ...]:
    building = visit.house.building
    ledger = await building.records.consents(conversation.id)
    live = bases(building.pack.purposes, ledger)
    refused = declined(ledger, conversation.id)
    last = {row.purpose: row.at for row in ledger}
    return tuple(
        Consent(
            name=name,
            state="granted" if name in live else "refused" if name in refused else "none",
            at=last.get(name),
        )
        for name, purpose in building.pack.purposes.items()
        if purpose.basis == "consent"
    )


def _said(
    messages: Sequence[Message],
    *,
    outcomes: Mapping[TurnId, str],
    deliveries: Mapping[int, str],
    visit: Visit,
) -> tuple[Said, ...]:
    found: list[Said] = []
    day: str | None = None
    author: tuple[Author, str] | None = None
    last_of_turn = {message.turn: message.seq for message in messages}
    for message in messages:
        today = day_of(message.at, language=visit.language, timezone=visit.timezone)
        speaker = (message.author, message.name)
        closes = message.author == "ai" and last_of_turn[message.turn] == message.seq
        found.append(
            Said(
                message=message,
                fresh_day=today != day,
                fresh_author=speaker != author or today != day,
                outcome=outcomes.get(message.turn, "") if closes and message.turn else "",
                receipt=message.turn if closes else None,
                delivery=deliveries.get(message.seq, ""),
                citations=message.citations,
                buttons=message.buttons,
            )
        )
        day, author = today, speaker
    return tuple(found)


def _sources(messages: Iterable[Message]) -> tuple[Citation, ...]:
    """Return what the assistant has cited so far, each passage once, the latest first."""
    cited = [citation for message in messages if message.author == "ai" for citation in message.citations]
    return tuple({citation.passage: citation for citation in reversed(cited)}.values())


def dropped(rejected: str) -> tuple[Dropped, ...]:
    """Read a ticket's rejected draft: lines as `reason: sentence`, or the sentence alone where it had support."""
    found = []
    for line in rejected.splitlines():
        reason, colon, text = line.partition(": ")
        coded = bool(colon) and reason.isascii() and reason.replace("_", "").isalpha() and reason.islower()
        if line.strip():
            found.append(Dropped(text=text if coded else line, reason=reason if coded else ""))
    return tuple(found)
