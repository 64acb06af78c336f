"""The state of `FakeRecords` and the staff's half of its methods."""

import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.basis import ConsentRow
from agent.domain import (
    Action,
    Author,
    Conversation,
    Incoming,
    Message,
    Reply,
    TurnRecord,
    Verified,
    one_message,
)
from agent.handoff import OWNER, WRITTEN, Cause, Event, step
from agent.notes import Note, NoteId
from agent.pledge import Pledge
from agent.policy.disclosure import owed_after
from agent.policy.proof import discreet
from agent.ports import Clock
from agent.records.codec import handoff_event, message_event
from agent.records.errors import NotYours, OtherCustomer, TakenAlready, UnknownConversation, UnknownTurn
from agent.records.fake_notes import FakeNotes
from agent.records.fake_promises import FakePromises
from agent.records.page import WIDGET_CHANNELS
from agent.records.rules import (
    FIRST,
    TAKEN_BACK,
    Delivery,
    Handoff,
    OpenTicket,
    clean,
    entering,
    may_begin_again,
)
from agent.records.rules import Event as Told
from agent.records.store import Card
from agent.routing import Telling
from agent.staff_notes import StaffNote
from agent.terms import Purpose
from tools.context import Assurance, ConversationId, CustomerId, TurnId


@dataclass  # mutable: the state of a fake
class Case:
    """Everything about one conversation."""

    state: Conversation
    external_id: str | None
    token_hash: str
    seq: int = 0
    inbox: list[Incoming] = field(default_factory=list)
    taken: dict[str, TurnId] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)
    events: list[Told] = field(default_factory=list)
    turns: dict[TurnId, TurnRecord | None] = field(default_factory=dict)
    attempts: dict[TurnId, int] = field(default_factory=dict)
    proposal: Mapping[str, Any] | None = None
    lasting: dict[str, Any] = field(default_factory=dict)
    lease: tuple[str, datetime] | None = None
    claims: int = 0
    begun: dict[TurnId, int] = field(default_factory=dict)
    since: datetime | None = None
    due: datetime | None = None
    tried: list[str] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    told: Telling = ""
    handoffs: list[Handoff] = field(default_factory=list)
    staff_notes: list[tuple[str, StaffNote]] = field(default_factory=list)

    @property
    def operator(self) -> str:
        """As in a row of the table."""
        return self.state.operator


class FakeStaffing:
    """Keeps everything in this process; the staff's methods as in `Staffing`."""

    def __init__(
        self,
        *,
        clock: Clock,
        card: Card,
        purposes: Mapping[str, Purpose],
        rang: Callable[[ConversationId], None] = lambda conversation: None,
    ) -> None:
        self.clock = clock
        self.card = card
        self.purposes = purposes
        self.rang = rang
        self._cases: dict[ConversationId, Case] = {}
        self._sentences: dict[TurnId, list[Verified]] = {}
        self._first: dict[TurnId, tuple[Verified, ...]] = {}
        self._ledger: list[ConsentRow] = []
        self._tickets: list[OpenTicket] = []
        self._outbox: dict[int, tuple[Delivery, datetime]] = {}
        self._deliveries = 0
        self._keys: set[str] = set()
        self._done: list[tuple[ConversationId, datetime]] = []
        self._replies: dict[str, Message] = {}
        self._erasures: dict[str, str] = {}
        self._restricted: set[tuple[str | None, bool]] = set()
        self._notes = FakeNotes()
        self._promises = FakePromises()

    async def notes_of(self, customer: CustomerId) -> tuple[Note, ...]:
        return self._notes.of(customer, now=self.clock.now())

    async def forget(self, customer: CustomerId, ids: Collection[NoteId] | None = None) -> int:
        return self._notes.forget(customer, ids)

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        case = self._of_turn(turn)
        if case.state.customer_id not in (None, customer):
            raise OtherCustomer()
        case.state = replace(case.state, customer_id=customer, assurance=assurance, proved=self.clock.now())

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        theirs = (at for id, at in self._done if self._case(id).state.customer_id == customer)
        return sum(at > since for at in theirs)

    async def ask_erasure(self, turn: TurnId) -> str:
        state = self._of_turn(turn).state
        return self._erasures.setdefault(state.customer_id or state.id, secrets.token_urlsafe(16))

    async def freeze(self, whom: str, *, known: bool, by: str, why: str) -> bool:
        fresh = (whom, known) not in self._restricted
        self._restricted.add((whom, known))
        return fresh

    async def thaw(self, whom: str, *, known: bool, by: str) -> bool:
        stood = (whom, known) in self._restricted
        self._restricted.discard((whom, known))
        return stood

    async def restricted(self, conversation: ConversationId) -> bool:
        customer = self._case(conversation).state.customer_id
        return (conversation, False) in self._restricted or (customer, True) in self._restricted

    async def frozen(self, who: CustomerId) -> bool:
        return (who, True) in self._restricted

    def _keep_quiet(self, case: Case, turn: TurnId) -> None:
        proving = case.lasting.get("proving", "")
        case.inbox = [
            replace(i, text=discreet(i.text, proving)) if case.taken.get(i.id) == turn else i
            for i in case.inbox
        ]

    def _case(self, conversation: ConversationId) -> Case:
        if conversation not in self._cases:
            raise UnknownConversation()
        return self._cases[conversation]

    def _of_turn(self, turn: TurnId) -> Case:
        for case in self._cases.values():
            if turn in case.turns:
                return case
        raise UnknownTurn()

    def _say(
        self,
        case: Case,
        author: Author,
        reply: Reply,
        *,
        seq: int = 0,
        turn: TurnId | None = None,
        name: str = "",
        key: str = "",
    ) -> Message:
        if not seq:
            case.seq += 1
        message = Message(
            seq=seq or case.seq,
            author=author,
            text=reply.text,
            at=self.clock.now(),
            turn=turn,
            citations=reply.citations,
            buttons=reply.buttons,
            name=name,
            cards=reply.cards,
        )
        case.messages.append(message)
        self._tell(case, "message", message_event(message))
        if author != "customer" and case.state.channel not in WIDGET_CHANNELS:
            self._deliveries += 1
            id = self._deliveries
            delivery = Delivery(
                id=id,
                conversation=case.state.id,
                channel=case.state.channel,
                address=case.external_id or "",
                seq=message.seq,
                key=key or f"{case.state.id}:{message.seq}",
                attempts=0,
            )
            self._outbox[id] = (delivery, self.clock.now())
            self._keys.add(delivery.key)
        return message

    def _tell(self, case: Case, type: str, data: Mapping[str, Any]) -> None:
        case.events.append(Told(n=len(case.events) + 1, type=type, data=data))
        self.rang(case.state.id)

    def _pass_on(
        self,
        case: Case,
        event: Event,
        *,
        cause: Cause,
        actor: str = "",
        department: str = "",
        operator: str = "",
        name: str = "",
    ) -> None:
        before, after = case.state.stage, step(case.state.stage, event)
        if before == after and event not in WRITTEN:
            return
        now, known = self.clock.now(), case.state
        if before != after:
            columns = entering(after, event, case, now=now)
            case.state = replace(known, stage=after, assigned=columns.pop("assigned"))
            for column, value in columns.items():
                setattr(case, column, value)
        holder = OWNER[after]
        if holder != known.holder or department not in ("", known.department):
            disclosed = known.disclosed and not owed_after(known.holder, holder)
            department = department or known.department
            case.state = replace(
                case.state, holder=holder, department=department, operator=operator, disclosed=disclosed
            )
            self._tell(case, "handoff", handoff_event(holder, department=department, operator=name))
        case.handoffs.append(
            Handoff(
                before=before,
                event=event,
                after=after,
                cause=cause,
                actor=actor,
                department=department or known.department,
                at=now,
            )
        )

    async def handoffs(self, conversation: ConversationId) -> tuple[Handoff, ...]:
        return tuple(self._case(conversation).handoffs)

    async def claim(self, conversation: ConversationId, *, operator: str, name: str, said: str = "") -> None:
        case = self._case(conversation)
        if case.state.holder == "person":
            if case.state.operator == operator:
                return
            raise TakenAlready(case.state.operator)
        self._cut_off(case)
        self._pass_on(case, "claim", cause="claimed", actor=operator, operator=operator, name=name)
        self._withdraw(case, begun=False)
        if said:
            self._say(case, "person", Reply(text=said), name=name)
        self._tickets = [
            replace(t, state="claimed", operator=operator)
            if t.conversation == conversation and t.state == "open"
            else t
            for t in self._tickets
        ]

    async def person_says(
        self,
        conversation: ConversationId,
        text: str,
        *,
        operator: str,
        name: str,
        key: str = "",
        pledge: Pledge | None = None,
    ) -> Message:
        case, marked = self._case(conversation), f"{conversation}:{key}" if key else ""
        if marked in self._replies:
            return self._replies[marked]
        if (case.state.holder, case.state.operator) != ("person", operator):
            raise NotYours()
        if case.state.stage == "snoozed":
            self._pass_on(case, "wake", cause="person_spoke", actor=operator)
        message = self._say(case, "person", Reply(text=clean(text)), name=name, key=marked)
        case.due = None
        self._promises.answered(case.state, message, pledge, operator=operator)
        if marked:
            self._replies[marked] = message
        return message

    async def return_to_ai(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        case = self._case(conversation)
        self._check_holder(case, operator)
        self._pass_on(case, "return", cause="given_back", actor=operator)
        self._begin_again(case)
        if said:
            self._say(case, "system", Reply(text=said))
        self._resolve(case)

    async def close(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        case = self._case(conversation)
        self._check_holder(case, operator)
        step(case.state.stage, "close")
        if said:
            self._say(case, "system", Reply(text=said))
        self._pass_on(case, "close", cause="case_closed", actor=operator)
        closed = [turn for turn, record in case.turns.items() if record is not None]
        self._tell(case, "csat", {"turn": closed[-1] if closed else ""})
        self._resolve(case)

    def _cut_off(self, case: Case) -> None:
        turn = next((turn for turn, record in case.turns.items() if record is None), None)
        if turn is not None and (left := self._sentences.get(turn)) and case.begun[turn] == case.claims:
            self._say(case, "ai", one_message((*self._first.get(turn, ()), *left)), turn=turn)

    def _withdraw(self, case: Case, *, begun: bool) -> None:
        by_ai = {message.seq for message in case.messages if message.author == "ai"}
        self._outbox = {
            id: (delivery, at)
            for id, (delivery, at) in self._outbox.items()
            if delivery.conversation != case.state.id
            or delivery.seq not in by_ai
            or (delivery.unknown and not begun)
        }

    def _begin_again(self, case: Case) -> None:
        turn = next((turn for turn, record in case.turns.items() if record is None), None)
        if turn is None:
            return
        asked = case.proposal is not None or bool(case.lasting.get("awaiting", ""))
        batch = [(i.text, i.action) for i in case.inbox if case.taken.get(i.id) == turn]
        stands = self._sentences.get(turn) or any(row.turn == turn for row in self._ledger)
        if (
            case.attempts[turn] == FIRST
            and not stands
            and may_begin_again(batch, asked=asked, proving=case.lasting.get("proving", ""))
        ):
            case.attempts[turn] = TAKEN_BACK

    def _check_holder(self, case: Case, operator: str) -> None:
        if case.state.holder == "person" and case.state.operator != operator:
            raise TakenAlready(case.state.operator)

    def _resolve(self, case: Case) -> None:
        self._tickets = [t for t in self._tickets if t.conversation != case.state.id]
        self._promises.end(case.state.id, "case_closed", owner="department", now=self.clock.now())

    async def tickets(self, *, department: str | None = None) -> tuple[OpenTicket, ...]:
        return tuple(t for t in self._tickets if department in (None, t.department))


def label_of(case: Case, action: Action | None) -> str:
    if action is None:
        return ""
    if action.kind == "say":
        return clean(action.target)
    for message in reversed(case.messages[-10:]):
        for button in message.buttons:
            if button.action == action:
                return button.label
    return ""
