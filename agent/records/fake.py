"""`FakeRecords`: the same memory without a database, for tests; it passes the same contract as SQL."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from agent.domain import (
    Action,
    Author,
    Conversation,
    Incoming,
    Message,
    Recall,
    Reply,
    TurnRecord,
    Verified,
    Waiting,
    outcome_name,
)
from agent.notes import PURPOSE
from agent.policy import consent
from agent.policy.proof import discreet
from agent.ports import Situation
from agent.receipt import granted_of
from agent.records.codec import sentence_event
from agent.records.errors import Superseded, UnknownTurn
from agent.records.fake_case import Case, label_of
from agent.records.fake_consents import FakeConsents
from agent.records.rules import (
    DONE,
    FIRST,
    HISTORY,
    LAST,
    TAKEN_BACK,
    Accepted,
    Delivery,
    Event,
    OpenTicket,
    clean,
    lasting,
    leaving,
    one_turn,
    passing,
    restarts,
)
from tools.context import Assurance, ConversationId, CustomerId, Language, MessageId, TurnId


class FakeRecords(FakeConsents):
    """Keeps everything in this process; methods as in `SqlRecords`."""

    async def open_conversation(
        self,
        *,
        channel: str,
        language: Language,
        external_id: str | None = None,
        customer_id: CustomerId | None = None,
        assurance: Assurance = "anonymous",
        token_hash: str = "",
        disclosure: Reply | None = None,
        id: ConversationId | None = None,
    ) -> Conversation:
        for case in self._cases.values():
            if external_id is not None and (case.state.channel, case.external_id) == (channel, external_id):
                return case.state
        state = Conversation(
            id=id or ConversationId(secrets.token_urlsafe(16)),
            channel=channel,
            language=language,
            holder="ai",
            customer_id=customer_id,
            assurance=assurance,
            disclosed=disclosure is not None,
            created=self.clock.now(),
        )
        case = self._cases[state.id] = Case(state, external_id, token_hash)
        if disclosure is not None:
            self._say(case, "ai", disclosure)
        return state

    async def conversation(self, conversation: ConversationId) -> Conversation:
        return self._case(conversation).state

    async def token_hash(self, conversation: ConversationId) -> str:
        return self._cases[conversation].token_hash if conversation in self._cases else ""

    async def accept(
        self,
        conversation: ConversationId,
        *,
        key: str,
        text: str = "",
        action: Action | None = None,
        label: str = "",
    ) -> Accepted:
        case = self._case(conversation)
        for known in case.inbox:
            if known.key == key:
                return Accepted(id=known.id, seq=known.seq, new=False)
        self._take_back(case, action)
        case.seq += 1
        incoming = Incoming(
            id=MessageId(secrets.token_urlsafe(16)),
            seq=case.seq,
            key=key,
            text=clean(text),
            action=action,
            at=self.clock.now(),
        )
        case.inbox.append(incoming)
        proving = case.lasting.get("proving", "")
        shown = discreet(incoming.text, proving) or label_of(case, action) or label
        if shown.strip():
            self._say(case, "customer", Reply(text=shown), seq=incoming.seq)
        rates = action is not None and action.kind == "rate"
        closed = case.state.holder == "closed"
        if not rates:
            self._pass_on(case, "customer_writes", cause="customer_wrote")
            if closed:
                self._begin_again(case)
        return Accepted(id=incoming.id, seq=incoming.seq, new=True)

    def _take_back(self, case: Case, action: Action | None) -> None:
        waits = len(case.taken) < len(case.inbox)
        if case.state.holder == "ai" and not waits and restarts(action):
            self._begin_again(case)

    async def knows(self, conversation: ConversationId, key: str) -> bool:
        return any(known.key == key for known in self._case(conversation).inbox)

    async def remark(
        self, conversation: ConversationId, *replies: Reply, key: str, discloses: bool = False
    ) -> bool:
        case, marked = self._case(conversation), f"{conversation}:{key}"
        if marked in self._keys:
            return False
        for n, reply in enumerate(replies):
            self._say(case, "system", reply, key=f"{marked}:{n}" if n else marked)
        case.state = replace(case.state, disclosed=discloses or case.state.disclosed)
        return True

    async def unassigned(self, conversation: ConversationId) -> tuple[Incoming, ...]:
        case = self._case(conversation)
        if any(record is None and case.attempts[turn] for turn, record in case.turns.items()):
            return ()
        return tuple(i for i in case.inbox if i.id not in case.taken)

    async def pending_conversations(
        self, *, only: ConversationId | None = None
    ) -> tuple[ConversationId, ...]:
        return tuple(
            id
            for id, case in self._cases.items()
            if only in (None, id) and (None in case.turns.values() or len(case.taken) < len(case.inbox))
        )

    async def next_batch(self, conversation: ConversationId) -> TurnId | None:
        case = self._case(conversation)
        known = next((turn for turn, record in case.turns.items() if record is None), None)
        if known is not None and case.attempts[known] != TAKEN_BACK:
            return known
        waiting = [i for i in case.inbox if i.id not in case.taken]
        waiting = waiting[: one_turn([i.action for i in waiting])]
        if known is None and not waiting:
            return None
        turn = known or TurnId(waiting[0].id)
        case.turns[turn] = None
        case.attempts[turn] = LAST if known else FIRST
        case.begun[turn] = case.claims
        case.taken.update({i.id: turn for i in waiting})
        return turn

    async def attempt_of(self, turn: TurnId) -> int:
        return self._of_turn(turn).attempts[turn]

    async def lease(self, conversation: ConversationId, owner: str, *, seconds: float) -> bool:
        case, now = self._case(conversation), self.clock.now()
        if case.lease is not None and case.lease[0] != owner and case.lease[1] >= now:
            return False
        case.lease = (owner, now + timedelta(seconds=seconds))
        return True

    async def release(self, conversation: ConversationId, owner: str) -> None:
        case = self._case(conversation)
        if case.lease is not None and case.lease[0] == owner:
            case.lease = None

    async def situation(self, turn: TurnId) -> Situation:
        case = self._of_turn(turn)
        batch = tuple(i for i in case.inbox if case.taken.get(i.id) == turn)
        seqs = {i.seq for i in batch}
        history = sorted((m for m in case.messages if m.seq not in seqs), key=lambda m: m.seq)
        rows = await self.consents(case.state.id)
        live = consent.bases(self.purposes, rows)
        return Situation(
            conversation=case.state,
            batch=batch,
            history=tuple(history[-HISTORY:]),
            purposes=frozenset(live),
            granted=granted_of(live),
            refused=consent.declined(rows, case.state.id),
            chosen={row.purpose: row.at for row in rows},
            asked=frozenset(
                record.outcome.target
                for record in case.turns.values()
                if record is not None
                and isinstance(record.outcome, Waiting)
                and record.outcome.what == "consent"
            ),
            proposal=case.proposal,
            question=case.lasting.get("question", ""),
            awaiting=case.lasting.get("awaiting", ""),
            clarified=case.lasting.get("clarified", False),
            recall=case.lasting.get("recall", Recall()),
            proving=case.lasting.get("proving", ""),
            parked=case.lasting.get("parked", ""),
            restricted=await self.restricted(case.state.id),
            notes=self._notes.known(case.state, now=self.clock.now()),
        )

    async def sent(self, turn: TurnId, *, whole: bool = False) -> tuple[Verified, ...]:
        first = self._first.get(turn, ()) if whole else ()
        return (*first, *self._sentences.get(turn, ()))

    async def append(
        self, turn: TurnId, n: int, sentence: Verified, *, attempt: int = FIRST, first: Sequence[str] = ()
    ) -> bool:
        case = self._of_turn(turn)
        left = self._sentences.setdefault(turn, [])
        if n < len(left):
            return True
        if case.attempts[turn] != attempt:
            raise Superseded()
        if case.state.holder == "person" or case.begun[turn] != case.claims:
            return False
        left.append(sentence)
        if n == 0:
            self._first[turn] = tuple(Verified(text=text) for text in first)
            for number, line in enumerate(self._first[turn]):
                self._tell(case, "sentence", sentence_event(turn, number, line, opening=True))
        self._tell(case, "sentence", sentence_event(turn, n + len(first), sentence))
        return True

    async def commit(self, record: TurnRecord, *, attempt: int = FIRST) -> bool:
        case = self._case(record.conversation)
        if record.turn not in case.turns:
            raise UnknownTurn()
        if case.turns[record.turn] is not None:
            return False
        if case.attempts[record.turn] != attempt:
            raise Superseded()
        self._keep_quiet(case, record.turn)
        late = case.begun[record.turn] != case.claims
        left = await self.sent(record.turn, whole=True)
        out = leaving(record, holder=case.state.holder, left=left, late=late)
        case.turns[record.turn] = record
        author: Author = "system" if case.state.holder == "person" and not out.withheld else "ai"
        lines = [self._say(case, author, reply, turn=record.turn) for reply in out.replies]
        if record.pledge is not None and record.ticket is not None and lines:
            self._promises.make(case.state, record.pledge, lines[-1], department=record.ticket.department)
        outcome = record.outcome
        if not out.withheld and isinstance(outcome, Waiting) and outcome.what == "consent":
            card = self.card(outcome.target, record.language)
            self._tell(case, "consent", {"purpose": outcome.target, **card, "turn": record.turn})
        if record.closed_proposal and record.closed_proposal[1] in DONE:
            self._done.append((case.state.id, self.clock.now()))
        if record.closed_proposal and case.proposal and case.proposal["id"] == record.closed_proposal[0]:
            case.proposal = None
        case.proposal = record.proposal or case.proposal
        basis = consent.bases(self.purposes, await self.consents(case.state.id)).get(PURPOSE)
        self._notes.settle(case.state, record.notes, now=self.clock.now(), basis=basis)
        if out.holder in ("queued", "person"):
            self._call(case, record, taken=out.holder == "person")
        case.lasting.update(lasting(record))
        case.lasting["recall"] = record.recall
        case.state = replace(
            case.state,
            language=case.lasting.get("language", case.state.language),
            disclosed=case.state.disclosed or (record.disclosed and bool(out.replies)),
        )
        if (passed := passing(record, out, stage=case.state.stage)) is not None:
            event, cause = passed
            department = record.ticket.department if record.ticket else ""
            self._pass_on(case, event, cause=cause, department=department)
        return True

    def _call(self, case: Case, record: TurnRecord, *, taken: bool) -> None:
        self._tickets = [
            replace(t, contact=record.contact or t.contact) if t.conversation == case.state.id else t
            for t in self._tickets
        ]
        if record.ticket is None:
            return
        self._tickets.append(
            OpenTicket(
                id=secrets.token_urlsafe(16),
                conversation=case.state.id,
                turn=record.turn,
                reason=record.ticket.reason,
                department=record.ticket.department,
                summary=record.ticket.summary,
                rejected=record.ticket.rejected,
                language=record.language,
                state="claimed" if taken else "open",
                operator=case.state.operator if taken else "",
                created=self.clock.now(),
            )
        )

    async def decided(self, of: Collection[TurnId]) -> frozenset[TurnId]:
        closed = {
            t for case in self._cases.values() for t, record in case.turns.items() if record is not None
        }
        return frozenset(closed.intersection(of))

    async def messages(self, conversation: ConversationId, *, after: int = 0) -> tuple[Message, ...]:
        found = (m for m in self._case(conversation).messages if m.seq > after)
        return tuple(sorted(found, key=lambda m: m.seq))

    async def message(self, conversation: ConversationId, seq: int) -> Message | None:
        return next((m for m in self._case(conversation).messages if m.seq == seq), None)

    async def events(self, conversation: ConversationId, *, after: int = 0) -> tuple[Event, ...]:
        return tuple(e for e in self._case(conversation).events if e.n > after)

    async def turn_of(self, conversation: ConversationId, seq: int) -> TurnId | None:
        case = self._case(conversation)
        for incoming in case.inbox:
            if incoming.seq == seq:
                return case.taken.get(incoming.id)
        raise UnknownTurn()

    async def receipt(self, conversation: ConversationId, turn: TurnId) -> TurnRecord | None:
        case = self._case(conversation)
        if turn not in case.turns:
            raise UnknownTurn()
        return case.turns[turn]

    async def outcomes(self, conversation: ConversationId) -> Mapping[TurnId, str]:
        turns = self._case(conversation).turns.items()
        return {turn: outcome_name(record.outcome) if record else "" for turn, record in turns}

    async def due(self, channel: str, *, limit: int = 50) -> tuple[Delivery, ...]:
        now = self.clock.now()
        waiting = {d.conversation: d.id for d, at in reversed(self._outbox.values()) if at > now}
        ready = [
            d
            for d, at in self._outbox.values()
            if d.channel == channel and at <= now and d.id < waiting.get(d.conversation, d.id + 1)
        ]
        return tuple(ready[:limit])

    async def begin_delivery(self, delivery: int, *, seconds: float) -> bool:
        now = self.clock.now()
        known = self._outbox.get(delivery)
        if known is not None and (case := self._case(known[0].conversation)).state.holder == "person":
            self._withdraw(case, begun=True)
            known = self._outbox.get(delivery)
        if known is None or known[1] > now:
            return False
        self._outbox[delivery] = (replace(known[0], unknown=True), now + timedelta(seconds=seconds))
        return True

    async def reopen_deliveries(self, channel: str) -> int:
        now = self.clock.now()
        left = [d for d, at in self._outbox.values() if d.channel == channel and d.unknown and at > now]
        self._outbox.update({d.id: (d, now) for d in left})
        return len(left)

    async def delivered(self, delivery: int) -> None:
        del self._outbox[delivery]

    async def postponed(
        self, delivery: int, *, seconds: float, fault: str, give_up: bool = False, unknown: bool = False
    ) -> None:
        known, _ = self._outbox[delivery]
        again = replace(known, attempts=known.attempts + 1, unknown=unknown)
        self._outbox[delivery] = (again, self.clock.now() + timedelta(seconds=seconds))
        if give_up:
            del self._outbox[delivery]
