"""A customer, a model, two operators, a messenger, a clock and crashes around one conversation, and a watch that
reads the memory after everything that happens.

The memory is real: `FakeRecords`, or `SqlRecords` on SQLite. So is the queue's clock (`api.queueing.Queue`). The model
stands for `agent.turn.Turn`: it reads the situation, may be slow, speaks sentence by sentence and commits.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from agent.domain import (
    Action,
    Answered,
    Button,
    Escalated,
    Held,
    Reply,
    Ticket,
    TurnRecord,
    Verified,
)
from agent.handoff import OWNER, TABLE, NotPossible
from agent.pack import load_pack
from agent.passing import Colleague, Passing, passing_to, passing_words
from agent.policy import disclosure
from agent.ports import Situation
from agent.records.errors import AnswerFirst, NotYours, Superseded, TakenAlready
from agent.records.fake import FakeRecords
from agent.records.sql import SqlRecords
from agent.routing import Operator
from api.container import AGENT_TEXTS
from api.queueing import Queue
from tests.contracts.memory import PURPOSES, Clock, card
from tools.context import ConversationId, TurnId
from tools.phrases import Phrases

PACK = load_pack(Path("demo"))
PHRASES = Phrases(AGENT_TEXTS, currency="RUB", timezone=PACK.timezone)
MONDAY = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
OPERATORS = ("olga", "ivan")
BEGINNINGS = (
    "given back",
    "interrupted",
    "saying",
    "cut off",
    "given back",
    "chosen",
    "claimed",
    "thinking",
    "queued",
    "snoozed",
    "passed on",
)
PERSON = Button(label="A person", action=Action(kind="person"))
CHANNEL = "telegram"
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing, as those of the fake do: a loop would cost more than the work."""
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError("the fake waits for something")


class SqlDesks(SqlRecords):
    """The records with operators a test lets sit at their consoles."""

    present: tuple[Operator, ...] = ()

    async def operators(self) -> tuple[Operator, ...]:
        return self.present


@dataclass  # mutable: the state of a model at work
class Thinking:
    """A turn under way in a process that may die."""

    turn: TurnId
    attempt: int
    situation: Situation
    ends: str
    claims: int
    said: int = 0


@dataclass  # mutable: what a test knows
class World:
    """Everything that happens goes through here; `check` raises on a promise that is broken."""

    records: FakeRecords | SqlDesks
    clock: Clock
    run: Run
    id: ConversationId = field(init=False)
    thinking: Thinking | None = None
    keys: int = 0
    owes: bool = False
    claims: int = 0
    answered: bool = False
    read: tuple[int, int, int] = (0, 0, 0)
    holder: str = "ai"

    def open(self) -> None:
        self.clock.time = MONDAY
        self.queue = Queue(
            records=self.records,  # type: ignore[arg-type]
            pack=PACK,
            phrases=PHRASES,
            clock=self.clock,
        )
        self.keys += 1
        how = {"channel": CHANNEL, "external_id": f"chat-{self.keys}-{id(self)}"}
        talk = self.run(self.records.open_conversation(**how, language="ru", disclosure=Reply(text="AI")))
        self.id = talk.id

    def begins(self, at: str) -> None:
        """Let something have happened already: chance alone would seldom get to where it becomes difficult."""
        if at in ("thinking", "saying", "interrupted", "given back"):
            self.writes()
            self.thinks("escalates" if at == "thinking" else "answers")
        if at == "saying":
            self.says()
        if at in ("queued", "chosen", "claimed", "snoozed", "passed on"):
            self.writes()
            self.thinks("escalates")
            self.ends()
        if at == "cut off":
            self.carries("is cut off")
            self.clock.time += timedelta(seconds=130)
        if at == "chosen":
            self.looks(("olga",))
        if at in ("claimed", "interrupted", "given back", "cut off", "snoozed", "passed on"):
            self.acts("claims", "olga")
        if at == "snoozed":
            self.acts("speaks", "olga")
            self.acts("snoozes", "olga")
        if at == "passed on":
            self.acts("passes to a colleague", "olga")
        if at == "given back":
            self.acts("returns", "olga")

    # The customer

    def writes(self, action: Action | None = None) -> None:
        self.keys += 1
        text = "" if action else f"words {self.keys}"
        before = self.run(self.records.conversation(self.id)).stage
        self.run(self.records.accept(self.id, key=f"k{self.keys}", text=text, action=action, label="pressed"))
        self._woken(before)
        rates = action is not None and action.kind == "rate"
        heard = self.run(self.records.conversation(self.id)).stage != "snoozed"
        assert heard or rates, "the customer writes, and it stays put aside"

    # The model

    def thinks(self, ends: str) -> None:
        if self.thinking is not None:
            return
        turn = self.run(self.records.next_batch(self.id))
        if turn is None:
            return
        attempt = self.run(self.records.attempt_of(turn))
        situation = self.run(self.records.situation(turn))
        said = len(self.run(self.records.sent(turn)))
        self.thinking = Thinking(turn, attempt, situation, ends, self.claims, said)

    def says(self) -> None:
        at = self.thinking
        if at is None or at.situation.conversation.holder not in ("ai", "closed"):
            return
        sentence = Verified(text=f"{at.turn[:6]} {at.said}.")
        try:
            if self.run(self.records.append(at.turn, at.said, sentence, attempt=at.attempt)):
                at.said += 1
        except Superseded:
            self.thinking = None

    def ends(self) -> None:
        at, self.thinking = self.thinking, None
        if at is None:
            return
        record = self.record(at)
        before = self.run(self.records.conversation(self.id))
        seen = len(self.run(self.records.messages(self.id)))
        try:
            self.run(self.records.commit(record, attempt=at.attempt))
        except Superseded:
            return
        if at.claims != self.claims:
            self._late(at, record, before.stage, self.run(self.records.messages(self.id))[seen:])
        if not before.disclosed and self.run(self.records.conversation(self.id)).disclosed:
            assert record.disclosed, "the AI is taken to have said what it is, and has not"
            self.owes = False

    def _late(self, at: Thinking, record: TurnRecord, stage: str, new: Any) -> None:
        """Hold what a turn may still do, to whom a person came meanwhile."""
        after = self.run(self.records.conversation(self.id)).stage
        # Words that say again what the AI is end `returned`, also where they were begun before a second person came.
        said_again = stage == "returned" and record.disclosed and any(line.author == "ai" for line in new)
        assert after == stage or said_again, "late words move the conversation"
        whole = [line for line in new if line.author == "ai" and line.text == record.replies[-1].text]
        if not whole or record.closed_proposal is not None:
            return
        assert stage in ("ai", "offered", "returned"), "late words where the AI is silent"
        assert not at.said, "what a person cut off is finished after them"
        kept = at.attempt > 1 or any(each.action is not None for each in at.situation.batch)
        assert kept, "an answer of before a person came, although the turn could begin again"

    def record(self, at: Thinking) -> TurnRecord:
        """What `agent.closing` would make of it."""
        state, action = at.situation.conversation, at.situation.batch[-1].action
        due = disclosure.due(state, at.situation.history) is not None
        known: dict[str, Any] = {
            "turn": at.turn,
            "conversation": self.id,
            "language": "ru",
            "outcome": Answered(),
            "replies": (Reply(text=f"answer {at.turn[:6]}"),),
            "disclosed": due,
            "holder": state.holder,
        }
        if state.holder == "queued" and action is not None and action.kind == "ai":
            return TurnRecord(**known | {"holder": "ai"})
        if state.holder in ("queued", "person"):
            return TurnRecord(**known | {"outcome": Held(), "replies": (), "disclosed": False})
        if at.ends == "escalates" or (action is not None and action.kind == "person"):
            ticket = Ticket(reason="not_sure", department="returns", summary="s")
            return TurnRecord(
                **known | {"outcome": Escalated(reason="not_sure"), "holder": "queued", "ticket": ticket}
            )
        if at.ends == "offers":
            return TurnRecord(**known | {"replies": (Reply(text="A person?", buttons=(PERSON,)),)})
        if at.ends == "changes":
            return TurnRecord(**known | {"closed_proposal": ("p", "done")})
        return TurnRecord(**known)

    # People, and the clock

    def acts(self, act: str, operator: str) -> None:
        records = self.records
        before = self.run(records.conversation(self.id))
        try:
            self._does(act, operator)
            self.claims += act == "claims" and before.holder != "person"
        except (AnswerFirst, NotPossible, NotYours, TakenAlready):
            assert self.run(records.conversation(self.id)) == before, "a refused act has left a trace"
            return
        after = self.run(records.conversation(self.id))
        if act == "speaks" or before.holder != "person":
            self.answered = act == "speaks"
        elif act == "wakes":
            self.answered = False
        if act == "speaks":
            assert (before.holder, before.operator) == ("person", operator), "somebody else's voice"
        if before.stage != after.stage and disclosure.owed_after(before.holder, after.holder):
            self.owes = True

    def _does(self, act: str, operator: str) -> None:
        records, name = self.records, operator.title()
        who = {"operator": operator}
        does: dict[str, Callable[[], Any]] = {
            "claims": lambda: records.claim(self.id, name=name, said="here", **who),
            "speaks": lambda: records.person_says(self.id, "words", name=name, **who),
            "snoozes": lambda: records.snooze(self.id, until=self.clock.time + timedelta(hours=1), **who),
            "wakes": lambda: records.wake(self.id, **who),
            "returns": lambda: records.return_to_ai(self.id, said="the AI again", **who),
            "closes": lambda: records.close(self.id, said="closed", **who),
            "passes on": lambda: self._passes_on(operator, personally=False),
            "passes to a colleague": lambda: self._passes_on(operator, personally=True),
        }
        self.run(does[act]())

    def _passes_on(self, operator: str, *, personally: bool) -> Coroutine[Any, Any, None]:
        other = next(one for one in OPERATORS if one != operator)
        colleague = Colleague(login=other, name=other.title()) if personally else None
        department = PACK.department("delivery" if self.keys % 2 else "returns")
        how: dict[str, Any] = {"colleague": colleague, "language": "ru", "now": self.clock.time, "pack": PACK}
        passing: Passing = passing_to(department, why="needs_expert", present=(), **how)
        said = passing_words(passing, department, phrases=PHRASES, **how)
        return self.records.pass_to(self.id, passing, operator=operator, name=operator.title(), said=said)

    def _woken(self, before: str) -> None:
        """Whoever takes up again what was put aside owes an answer."""
        if before == "snoozed" and self.run(self.records.conversation(self.id)).stage == "person":
            self.answered = False

    def passes(self, time: timedelta, *, present: tuple[str, ...]) -> None:
        """Let time pass, with these people at their consoles, and the queue be looked at."""
        self.clock.time += time
        self.looks(present)

    def looks(self, present: tuple[str, ...]) -> None:
        self.records.present = tuple(Operator(login=login, seen=self.clock.time) for login in present)
        before = self.run(self.records.conversation(self.id))
        self.run(self.queue.look())
        after = self.run(self.records.conversation(self.id))
        if before.stage == "person" and after.stage == "queued":
            self.owes = True
        self._woken(before.stage)
        if before.stage == "snoozed":
            assert after.operator == before.operator, "what was put aside has changed hands"

    def dies(self) -> None:
        """The process ends in the middle of whatever it did; the next one finds the tables."""
        self.thinking = None

    def carries(self, end: str) -> None:
        """Take the first due delivery to the messenger; `end` is what comes of it."""
        due = self.run(self.records.due(CHANNEL))
        if not due or not self.run(self.records.begin_delivery(due[0].id, seconds=60)):
            return
        state = self.run(self.records.conversation(self.id))
        message = self.run(self.records.message(due[0].conversation, due[0].seq))
        if due[0].conversation == self.id:
            assert message.author != "ai" or state.holder != "person", "words of the AI leave beside a person"
        if end == "arrives":
            self.run(self.records.delivered(due[0].id))
        elif end == "fails":
            self.run(self.records.postponed(due[0].id, seconds=1, fault="busy"))

    # The promises

    def check(self) -> None:
        state = self.run(self.records.conversation(self.id))
        assert OWNER[state.stage] == state.holder, "stage and owner have parted"
        assert (state.holder == "person") == bool(state.operator), "no owner, or one too many"
        messages, events, passed = self.read
        new = self.run(self.records.messages(self.id, after=messages))
        told = self.run(self.records.events(self.id, after=events))
        lines = self.run(self.records.handoffs(self.id))[passed:]
        self._one_voice(state.holder, new, told)
        for line in lines:
            assert TABLE[line.before][line.event] == line.after, "a transition that is not in the table"
            if line.before in ("returned", "closed") and line.after == "queued":
                assert line.event == "ask_person", "it loops"
            if line.event == "not_answered":
                assert any(m.author == "system" for m in new) or self._told_before(), "let go in silence"
            if line.event == "transfer":
                assert [m.author for m in new].count("system") == 1, "passed on in silence, or told twice"
        shown = [event.data["holder"] for event in told if event.type == "handoff"]
        assert (shown[-1] if shown else self.holder) == state.holder, "the screen shows another owner"
        assert state.disclosed != self.owes, "what the AI owes the customer is not what is written down"
        self._next_event(state)
        self.holder = state.holder
        self.read = (
            max((m.seq for m in new), default=messages),
            max((e.n for e in told), default=events),
            passed + len(lines),
        )

    def _told_before(self) -> bool:
        lines = self.run(self.records.messages(self.id))
        return any(line.author == "system" for line in lines)

    def _one_voice(self, holder: str, new: Any, told: Any) -> None:
        if self.holder == holder == "person":
            assert not [m for m in new if m.author == "ai"], "the AI talks over a person"
            assert not [e for e in told if e.type == "sentence"], "a sentence of the AI beside a person"

    def _next_event(self, state: Any) -> None:
        due = self.due()
        if state.stage == "queued":
            assert due is not None, "stuck in the queue: no next event"
        elif state.stage == "snoozed":
            assert due is not None, "put aside for ever"
        elif state.stage == "person":
            assert (due is None) == self.answered, "a silent claim that nobody watches"
        else:
            assert due is None, "the clock watches a conversation that waits for nobody"

    def due(self) -> datetime | None:
        """The moment of the next event, whenever that is."""
        now, self.clock.time = self.clock.time, MONDAY + timedelta(days=365)
        cases = [case for case in self.run(self.records.due_events()) if case.conversation == self.id]
        self.clock.time = now
        return cases[0].due if cases else None

    def over(self) -> None:
        """However it stands, everything comes to its end: turns, the queue, the customer's words."""
        self.dies()
        for _ in range(100):
            self.thinks("answers")
            if self.thinking is None:
                break
            self.ends()
            self.check()
        assert self.run(self.records.pending_conversations(only=self.id)) == (), (
            "a message without an outcome"
        )
        state = self.run(self.records.conversation(self.id))
        if state.holder == "ai":
            last = self.run(self.records.messages(self.id))[-1]
            assert last.author != "customer", "the AI has it, and the customer was left without a word"
        if state.stage == "snoozed":
            self._comes_back(state.operator)
        if state.stage != "queued":
            return
        # Whoever waits is offered to whoever is there, at the latest in the next opening hours.
        before = self.run(self.records.handoffs(self.id))
        self.clock.time = max(self.clock.time, self.due() or self.clock.time)
        for _ in range(6):
            self.looks(("zoe",))
            self.check()
            if self.run(self.records.conversation(self.id)).assigned == "zoe":
                return
            due = self.due()
            assert due is not None, "stuck in the queue: no next event"
            assert due > self.clock.time, "the next event is in the past: it would spin"
            self.clock.time = due
        raise AssertionError(f"nobody was chosen although somebody is there: {before}")

    def _comes_back(self, operator: str) -> None:
        """What was put aside comes back in its time, whether or not its owner is there; one who is not loses it then."""
        due = self.due()
        assert due is not None, "put aside for ever"
        self.clock.time = max(self.clock.time, due)
        self.looks(())
        self.check()
        state = self.run(self.records.conversation(self.id))
        assert (state.stage, state.operator) == ("person", operator), "its time came and nothing happened"
        self.looks(())
        self.clock.time += timedelta(seconds=301)
        self.looks(())
        self.check()
        assert self.run(self.records.conversation(self.id)).stage == "queued", (
            "left with somebody who is gone"
        )


def fake_world() -> World:
    """A world in memory."""
    clock = Clock()
    return World(records=FakeRecords(clock=clock, card=card, purposes=PURPOSES), clock=clock, run=at_once)
