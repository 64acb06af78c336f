"""The state of `FakeRecords` and the staff's half of its methods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from agent.domain import (
    Action,
    Author,
    Conversation,
    Holder,
    Incoming,
    Message,
    Reply,
    TurnRecord,
    Verified,
)
from agent.handoff import step
from agent.policy.proof import discreet
from agent.ports import Clock
from agent.records.codec import handoff_event, message_event
from agent.records.errors import NotYours, OtherCustomer, TakenAlready, UnknownConversation, UnknownTurn
from agent.records.page import WIDGET_CHANNELS
from agent.records.rules import (
    ConsentRow,
    Delivery,
    Event,
    OpenTicket,
    clean,
)
from agent.records.store import Card
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
    events: list[Event] = field(default_factory=list)
    turns: dict[TurnId, TurnRecord | None] = field(default_factory=dict)
    attempts: dict[TurnId, int] = field(default_factory=dict)
    proposal: Mapping[str, Any] | None = None
    lasting: dict[str, Any] = field(default_factory=dict)
    lease: tuple[str, datetime] | None = None


class FakeStaffing:
    """Keeps everything in this process; the staff's methods as in `Staffing`."""

    def __init__(
        self,
        *,
        clock: Clock,
        card: Card,
        versions: Mapping[str, str],
        rang: Callable[[ConversationId], None] = lambda conversation: None,
    ) -> None:
        self.clock = clock
        self.card = card
        self.versions = versions
        self.rang = rang
        self._cases: dict[ConversationId, Case] = {}
        self._sentences: dict[TurnId, list[Verified]] = {}
        self._ledger: list[tuple[TurnId | None, CustomerId | None, ConsentRow]] = []
        self._tickets: list[OpenTicket] = []
        self._outbox: dict[int, tuple[Delivery, datetime]] = {}
        self._deliveries = 0
        self._keys: set[str] = set()
        self._done: list[tuple[ConversationId, datetime]] = []
        self._replies: dict[str, Message] = {}

    async def identify(self, turn: TurnId, customer: CustomerId, assurance: Assurance) -> None:
        case = self._of_turn(turn)
        if case.state.customer_id not in (None, customer):
            raise OtherCustomer()
        case.state = replace(case.state, customer_id=customer, assurance=assurance, proved=self.clock.now())

    async def done_since(self, customer: CustomerId, since: datetime) -> int:
        theirs = (at for id, at in self._done if self._case(id).state.customer_id == customer)
        return sum(at > since for at in theirs)

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
        case.events.append(Event(n=len(case.events) + 1, type=type, data=data))
        self.rang(case.state.id)

    def _hand(
        self, case: Case, holder: Holder, *, department: str = "", operator: str = "", name: str = ""
    ) -> None:
        department = department or case.state.department
        case.state = replace(case.state, holder=holder, department=department, operator=operator)
        self._tell(case, "handoff", handoff_event(holder, department=department, operator=name))

    async def claim(self, conversation: ConversationId, *, operator: str, name: str, said: str = "") -> None:
        case = self._case(conversation)
        if case.state.holder == "person":
            if case.state.operator == operator:
                return
            raise TakenAlready(case.state.operator)
        self._hand(case, step(case.state.holder, "claim"), operator=operator, name=name)
        if said:
            self._say(case, "person", Reply(text=said), name=name)
        self._tickets = [
            replace(t, state="claimed", operator=operator)
            if t.conversation == conversation and t.state == "open"
            else t
            for t in self._tickets
        ]

    async def person_says(
        self, conversation: ConversationId, text: str, *, operator: str, name: str, key: str = ""
    ) -> Message:
        case, marked = self._case(conversation), f"{conversation}:{key}" if key else ""
        if marked in self._replies:
            return self._replies[marked]
        if (case.state.holder, case.state.operator) != ("person", operator):
            raise NotYours()
        message = self._say(case, "person", Reply(text=clean(text)), name=name, key=marked)
        if marked:
            self._replies[marked] = message
        return message

    async def return_to_ai(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        case = self._case(conversation)
        self._check_holder(case, operator)
        self._hand(case, step(case.state.holder, "return"))
        if said:
            self._say(case, "system", Reply(text=said))
        self._resolve(case)

    async def close(self, conversation: ConversationId, *, operator: str, said: str = "") -> None:
        case = self._case(conversation)
        self._check_holder(case, operator)
        after = step(case.state.holder, "close")
        if said:
            self._say(case, "system", Reply(text=said))
        self._hand(case, after)
        closed = [turn for turn, record in case.turns.items() if record is not None]
        self._tell(case, "csat", {"turn": closed[-1] if closed else ""})
        self._resolve(case)

    def _check_holder(self, case: Case, operator: str) -> None:
        if case.state.holder == "person" and case.state.operator != operator:
            raise TakenAlready(case.state.operator)

    def _resolve(self, case: Case) -> None:
        case.state = replace(case.state, disclosed=False)
        self._tickets = [t for t in self._tickets if t.conversation != case.state.id]

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
