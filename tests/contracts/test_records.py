"""One contract for every memory of the agent: in memory, SQLite, PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.domain import (
    Action,
    Answered,
    Button,
    Citation,
    Clarify,
    ConsentChange,
    Declined,
    Escalated,
    Held,
    Message,
    Reply,
    Ticket,
    TurnRecord,
    Verified,
    Waiting,
)
from agent.handoff import NotPossible
from agent.records.engine import connect
from agent.records.errors import NotYours, TakenAlready, UnknownConversation, UnknownTurn
from agent.records.fake import FakeRecords
from agent.records.sql import SqlRecords, create_tables
from agent.records.tables import metadata
from tools.context import ConversationId, CustomerId, Language, TurnId

Store = SqlRecords | FakeRecords
VERSION = "2026-11-01"
CITED = Citation(document="returns", passage="returns#2", title="Returns", quote="14 days")
ALLOW = Button(label="Allow", action=Action(kind="consent", target="orders:read"))


class Clock:
    """Moves only when told."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_by(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def card(purpose: str, language: Language) -> Mapping[str, Any]:
    return {"text": f"May I use {purpose}?", "gives": "an answer", "version": VERSION}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rung() -> list[ConversationId]:
    return []


@pytest.fixture(params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def records(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, rung: list[ConversationId]
) -> AsyncIterator[Store]:
    versions = {"orders:read": VERSION, "memory": VERSION}
    if request.param == "fake":
        yield FakeRecords(clock=clock, card=card, versions=versions, rang=rung.append)
        return
    sqlite = request.param == "sqlite"
    url = (
        f"sqlite:///{tmp_path / 'records.sqlite'}" if sqlite else request.getfixturevalue("postgres_database")
    )
    engine = connect(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await create_tables(engine)
    yield SqlRecords(engine, clock=clock, card=card, versions=versions, rang=rung.append)
    await engine.dispose()


async def opened(records: Store, **how: Any) -> ConversationId:
    return (await records.open_conversation(**{"channel": "widget", "language": "en", **how})).id


async def turn_for(records: Store, conversation: ConversationId, *texts: str) -> TurnId:
    for n, text in enumerate(texts or ("hello",)):
        await records.accept(conversation, key=f"{text}-{n}", text=text)
    turn = await records.next_batch(conversation)
    assert turn is not None
    return turn


def answer(turn: TurnId, conversation: ConversationId, text: str = "Yes.", **more: Any) -> TurnRecord:
    given: dict[str, Any] = {
        "turn": turn,
        "conversation": conversation,
        "outcome": Answered(),
        "language": "en",
        "replies": (Reply(text=text, citations=(CITED,), buttons=(ALLOW,)),),
    }
    return TurnRecord(**{**given, **more})


def escalation(turn: TurnId, conversation: ConversationId) -> TurnRecord:
    ticket = Ticket(reason="customer_asked", department="care", summary="wants a person", rejected="draft")
    outcome = Escalated(reason="customer_asked")
    return answer(turn, conversation, "Passing you on.", outcome=outcome, holder="queued", ticket=ticket)


def granted(purpose: str = "orders:read", *, yes: bool = True, version: str = VERSION) -> ConsentChange:
    return ConsentChange(purpose=purpose, granted=yes, version=version, text="May I?", language="en")


async def types(records: Store, conversation: ConversationId) -> list[str]:
    return [event.type for event in await records.events(conversation)]


async def said(records: Store, conversation: ConversationId) -> list[tuple[str, str]]:
    return [(m.author, m.text) for m in await records.messages(conversation)]


class TestIntake:
    async def test_a_message_is_in_the_inbox_the_transcript_and_the_events_before_accept_returns(
        self, records: Store, rung: list[ConversationId]
    ) -> None:
        id = await opened(records)
        accepted = await records.accept(id, key="k1", text="Where is my order?")
        assert (accepted.seq, accepted.new) == (1, True)
        assert await said(records, id) == [("customer", "Where is my order?")]
        assert await types(records, id) == ["message"]
        assert id in await records.pending_conversations()
        assert id in rung

    async def test_the_same_key_is_accepted_once(self, records: Store) -> None:
        id = await opened(records)
        first = await records.accept(id, key="k1", text="hello")
        again = await records.accept(id, key="k1", text="hello")
        assert (again.id, again.seq, again.new) == (first.id, first.seq, False)
        assert len(await records.messages(id)) == 1

    async def test_the_same_key_from_many_connections_at_once_is_accepted_once(self, records: Store) -> None:
        id = await opened(records)
        answers = await asyncio.gather(*(records.accept(id, key="k", text="hello") for _ in range(8)))
        assert sum(a.new for a in answers) == 1
        assert {a.seq for a in answers} == {1}

    async def test_messages_sent_at_once_get_numbers_without_gaps(self, records: Store) -> None:
        id = await opened(records)
        answers = await asyncio.gather(*(records.accept(id, key=f"k{n}", text=f"{n}") for n in range(10)))
        assert sorted(a.seq for a in answers) == list(range(1, 11))
        assert [e.n for e in await records.events(id)] == list(range(1, 11))

    async def test_control_characters_and_broken_surrogates_are_stored_safely(self, records: Store) -> None:
        id = await opened(records)
        await records.accept(id, key="k", text="a\x00b\ud800c\nd")
        assert (await records.messages(id))[0].text == "ab?c\nd"

    async def test_a_pressed_button_is_shown_by_its_label(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(answer(turn, id))
        await records.accept(id, key="b", action=ALLOW.action)
        assert (await said(records, id))[-1] == ("customer", "Allow")

    async def test_a_button_nobody_showed_leaves_no_line_but_is_still_a_message(self, records: Store) -> None:
        id = await opened(records)
        accepted = await records.accept(id, key="r", action=Action(kind="rate", target="t", yes=False))
        assert await said(records, id) == []
        turn = await records.next_batch(id)
        assert turn is not None
        batch = (await records.situation(turn)).batch
        assert [i.seq for i in batch] == [accepted.seq]
        assert batch[0].action == Action(kind="rate", target="t", yes=False)

    async def test_one_messenger_chat_is_one_conversation(self, records: Store) -> None:
        ids = {await opened(records, channel="telegram", external_id="7") for _ in range(3)}
        assert len(ids) == 1
        assert await opened(records, channel="telegram", external_id="8") not in ids

    async def test_an_unknown_conversation_accepts_nothing(self, records: Store) -> None:
        with pytest.raises(UnknownConversation):
            await records.accept(ConversationId("nowhere"), key="k", text="hello")

    async def test_the_disclosure_is_the_first_line_of_the_transcript(self, records: Store) -> None:
        id = await opened(records, disclosure=Reply(text="I am a program."))
        assert await said(records, id) == [("ai", "I am a program.")]
        assert (await records.conversation(id)).disclosed

    async def test_an_unknown_conversation_has_no_token(self, records: Store) -> None:
        id = await opened(records, token_hash="abc")
        assert await records.token_hash(id) == "abc"
        assert await records.token_hash(ConversationId("nowhere")) == ""


class TestTurns:
    async def test_waiting_messages_become_one_turn_named_after_the_first(self, records: Store) -> None:
        id = await opened(records)
        first = await records.accept(id, key="a", text="hello")
        await records.accept(id, key="b", text="where is my order?")
        turn = await records.next_batch(id)
        assert turn == first.id
        assert [i.text for i in (await records.situation(turn)).batch] == ["hello", "where is my order?"]

    async def test_an_open_turn_comes_back_until_it_has_an_outcome(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.accept(id, key="later", text="and another thing")
        assert await records.next_batch(id) == turn
        assert await records.unassigned(id) == ()
        await records.commit(answer(turn, id))
        after = await records.next_batch(id)
        assert after not in (None, turn)

    async def test_asking_for_the_next_batch_at_once_opens_one_turn(self, records: Store) -> None:
        id = await opened(records)
        await records.accept(id, key="a", text="hello")
        assert len(set(await asyncio.gather(*(records.next_batch(id) for _ in range(5))))) == 1

    async def test_nothing_waits_after_the_outcome(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(answer(turn, id))
        assert await records.next_batch(id) is None
        assert await records.pending_conversations() == ()

    async def test_the_history_holds_an_answer_younger_than_the_batch(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id, "first")
        await records.accept(id, key="second", text="second")
        await records.commit(answer(turn, id, "answer to the first"))
        after = await records.next_batch(id)
        assert after is not None
        situation = await records.situation(after)
        assert [m.text for m in situation.history] == ["first", "answer to the first"]

    async def test_a_turn_that_does_not_exist_has_no_situation(self, records: Store) -> None:
        with pytest.raises(UnknownTurn):
            await records.situation(TurnId("nothing"))

    async def test_a_record_is_committed_once(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.commit(answer(turn, id))
        assert not await records.commit(answer(turn, id, "Something else."))
        assert await said(records, id) == [("customer", "hello"), ("ai", "Yes.")]
        kept = await records.receipt(id, turn)
        assert kept is not None
        assert kept.replies[0].text == "Yes."

    @pytest.mark.parametrize(
        "outcome",
        [
            Answered(),
            Clarify(),
            Declined(),
            Held(),
            Escalated(reason="not_sure", partial=True),
            Waiting(what="confirmation", target="p"),
        ],
    )
    async def test_a_record_comes_back_as_it_was(self, records: Store, outcome: Any) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        record = answer(turn, id, outcome=outcome, confidence=0.5, reasons=("far",), ms={"total": 1.5})
        await records.commit(record)
        assert await records.receipt(id, turn) == record

    async def test_decided_turns_are_told_from_open_ones(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.decided([turn, TurnId("nothing")]) == frozenset()
        await records.commit(answer(turn, id))
        assert await records.decided([turn, TurnId("nothing")]) == {turn}

    async def test_a_record_of_an_unknown_turn_is_refused(self, records: Store) -> None:
        id = await opened(records)
        with pytest.raises(UnknownTurn):
            await records.commit(answer(TurnId("nothing"), id))

    async def test_replies_keep_their_citations_and_buttons(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(answer(await turn_for(records, id), id))
        line: Message = (await records.messages(id))[-1]
        assert (line.citations, line.buttons) == ((CITED,), (ALLOW,))
        event = (await records.events(id))[-1]
        assert event.data["citations"][0]["passage"] == "returns#2"
        assert event.data["buttons"][0]["action"] == {"kind": "consent", "target": "orders:read", "yes": True}

    async def test_sentences_are_appended_once_and_come_back_in_order(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        one, two = Verified(text="One.", citations=(CITED,)), Verified(text="Two.")
        assert await records.append(turn, 0, one)
        assert await records.append(turn, 0, one)
        assert await records.append(turn, 1, two)
        assert await records.sent(turn) == (one, two)
        assert await types(records, id) == ["message", "sentence", "sentence"]

    async def test_a_turn_leaves_its_question_for_the_next_one(self, records: Store) -> None:
        id = await opened(records)
        waiting = Waiting(what="consent", target="orders:read")
        record = answer(await turn_for(records, id), id, outcome=waiting, question="where is 1045?")
        await records.commit(record)
        turn = await turn_for(records, id, "yes")
        situation = await records.situation(turn)
        assert (situation.question, situation.awaiting) == ("where is 1045?", "orders:read")
        assert await types(records, id) == ["message", "message", "consent", "message"]
        card_event = (await records.events(id))[2]
        assert card_event.data["version"] == VERSION
        await records.commit(answer(turn, id, outcome=Clarify()))
        after = await records.situation(await turn_for(records, id, "1045"))
        assert (after.question, after.awaiting, after.clarified) == ("", "", True)

    async def test_a_held_turn_changes_nothing_that_waits(self, records: Store) -> None:
        id = await opened(records)
        asked = Waiting(what="consent", target="memory")
        await records.commit(answer(await turn_for(records, id), id, outcome=asked, question="q"))
        held = answer(await turn_for(records, id, "b"), id, outcome=Held(), replies=())
        await records.commit(held)
        situation = await records.situation(await turn_for(records, id, "c"))
        assert (situation.question, situation.awaiting) == ("q", "memory")

    async def test_at_most_one_proposal_is_open(self, records: Store) -> None:
        id = await opened(records)
        for name in ("p1", "p2"):
            turn = await turn_for(records, id, name)
            await records.commit(answer(turn, id, proposal={"id": name, "arguments": {"order": "1045"}}))
        turn = await turn_for(records, id, "yes")
        open_now = (await records.situation(turn)).proposal
        assert open_now is not None
        assert open_now["id"] == "p2"
        await records.commit(answer(turn, id, closed_proposal=("p2", "done")))
        assert (await records.situation(await turn_for(records, id, "thanks"))).proposal is None

    async def test_a_deliverable_reply_is_in_the_outbox_of_its_channel(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records, channel="telegram", external_id="77")
        await records.commit(answer(await turn_for(records, id), id))
        (delivery,) = await records.due("telegram")
        assert (delivery.address, delivery.seq, delivery.attempts) == ("77", 2, 0)
        await records.postponed(delivery.id, seconds=5, fault="timeout")
        assert await records.due("telegram") == ()
        clock.pass_by(6)
        (again,) = await records.due("telegram")
        assert (again.key, again.attempts) == (delivery.key, 1)
        await records.delivered(again.id)
        assert await records.due("telegram") == ()

    async def test_a_widget_needs_no_outbox(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(answer(await turn_for(records, id), id))
        assert await records.due("widget") == ()

    async def test_a_message_knows_its_turn(self, records: Store) -> None:
        id = await opened(records)
        accepted = await records.accept(id, key="k", text="hello")
        assert await records.turn_of(id, accepted.seq) is None
        turn = await records.next_batch(id)
        assert await records.turn_of(id, accepted.seq) == turn
        with pytest.raises(UnknownTurn):
            await records.turn_of(id, 99)

    async def test_a_lease_has_one_holder_until_it_runs_out(self, records: Store, clock: Clock) -> None:
        id = await opened(records)
        assert await records.lease(id, "one", seconds=30)
        assert await records.lease(id, "one", seconds=30)
        assert not await records.lease(id, "two", seconds=30)
        clock.pass_by(31)
        assert await records.lease(id, "two", seconds=30)
        await records.release(id, "one")
        assert not await records.lease(id, "one", seconds=30)
        await records.release(id, "two")
        assert await records.lease(id, "one", seconds=30)


class TestConsents:
    async def test_a_consent_of_this_turn_is_written_once(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        await records.consent(turn, granted())
        (row,) = await records.consents(id)
        assert (row.purpose, row.granted, row.version, row.actor) == (
            "orders:read",
            True,
            VERSION,
            "customer",
        )

    async def test_only_a_granted_current_text_is_live(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted("orders:read"))
        await records.consent(turn, granted("memory", version="2020-01-01"))
        assert (await records.situation(turn)).purposes == {"orders:read"}

    async def test_a_withdrawal_outside_a_turn_ends_the_consent(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        await records.consent_outside(id, granted(yes=False))
        situation = await records.situation(turn)
        assert situation.purposes == frozenset()
        assert situation.refused == {"orders:read"}
        assert len(await records.consents(id)) == 2

    async def test_a_refusal_counts_in_its_own_conversation_only(self, records: Store) -> None:
        anna = CustomerId("anna")
        first = await opened(records, customer_id=anna, assurance="verified")
        await records.consent_outside(first, granted(yes=False))
        second = await opened(records, customer_id=anna, assurance="verified")
        assert (await records.situation(await turn_for(records, second))).refused == frozenset()

    async def test_a_customers_consent_holds_in_her_next_conversation_and_in_nobody_elses(
        self, records: Store
    ) -> None:
        for whose in ("anna", "anna", "boris", None):
            id = await opened(records, customer_id=whose, assurance="verified" if whose else "anonymous")
            live = (await records.situation(await turn_for(records, id))).purposes
            if whose == "anna":
                await records.consent_outside(id, granted())
                first, anna_again = id, live
            else:
                assert live == frozenset()
        assert anna_again == {"orders:read"}
        assert len(await records.consents(first)) == 2


class TestPeople:
    async def test_an_escalation_leaves_a_ticket_and_silences_the_ai(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        (ticket,) = await records.tickets()
        assert (ticket.reason, ticket.department, ticket.state) == ("customer_asked", "care", "open")
        assert ticket.rejected == "draft"
        assert (await records.conversation(id)).holder == "queued"
        handoff = (await records.events(id))[-1]
        assert (handoff.type, handoff.data["holder"], handoff.data["department"]) == (
            "handoff",
            "queued",
            "care",
        )
        assert await records.tickets(department="delivery") == ()

    async def test_a_claim_has_one_winner(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        tries = [records.claim(id, operator=f"op{n}", name=f"Op {n}") for n in range(6)]
        results = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(r is None for r in results) == 1
        assert sum(isinstance(r, TakenAlready) for r in results) == 5
        (ticket,) = await records.tickets()
        assert ticket.state == "claimed"
        assert ticket.operator == (await records.conversation(id)).operator

    async def test_the_customer_sees_a_name_and_never_a_login(self, records: Store) -> None:
        id = await opened(records)
        await records.claim(id, operator="login-of-olga", name="Olga", said="Olga here.")
        await records.person_says(id, "One moment.", operator="login-of-olga", name="Olga")
        assert "login-of-olga" not in str(await records.events(id)) + str(await records.messages(id))
        assert await said(records, id) == [("person", "Olga here."), ("person", "One moment.")]

    async def test_only_the_holder_speaks_returns_and_closes(self, records: Store) -> None:
        id = await opened(records)
        await records.claim(id, operator="olga", name="Olga")
        with pytest.raises(NotYours):
            await records.person_says(id, "hi", operator="ivan", name="Ivan")
        with pytest.raises(TakenAlready):
            await records.return_to_ai(id, operator="ivan")
        with pytest.raises(TakenAlready):
            await records.close(id, operator="ivan")

    async def test_no_sentence_of_the_ai_leaves_after_a_claim(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.append(turn, 0, Verified(text="One.", citations=(CITED,)))
        await records.claim(id, operator="olga", name="Olga")
        assert not await records.append(turn, 1, Verified(text="Two."))
        assert await records.commit(escalation(turn, id))
        assert await said(records, id) == [("customer", "hello"), ("ai", "One.")]
        (ticket,) = await records.tickets()
        assert (ticket.state, ticket.operator) == ("claimed", "olga")
        assert (await records.conversation(id)).holder == "person"
        kept = await records.receipt(id, turn)
        assert kept is not None
        assert kept.replies[0].text == "Passing you on."

    async def test_after_a_person_the_ai_says_again_what_it_is(self, records: Store) -> None:
        id = await opened(records, disclosure=Reply(text="I am a program."))
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        state = await records.conversation(id)
        assert (state.holder, state.disclosed, state.operator) == ("ai", False, "")

    async def test_what_does_not_fit_the_state_is_refused(self, records: Store) -> None:
        id = await opened(records)
        with pytest.raises(NotPossible):
            await records.return_to_ai(id, operator="olga")
        assert (await records.conversation(id)).holder == "ai"

    async def test_a_closed_case_asks_for_a_rating_and_a_new_message_starts_with_the_ai(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(escalation(turn, id))
        await records.claim(id, operator="olga", name="Olga")
        await records.close(id, operator="olga", said="Solved.")
        assert await records.tickets() == ()
        csat = (await records.events(id))[-1]
        assert (csat.type, csat.data) == ("csat", {"turn": turn})
        assert (await records.conversation(id)).holder == "closed"
        await records.accept(id, key="again", text="one more thing")
        assert (await records.conversation(id)).holder == "ai"
        assert (await types(records, id))[-1] == "handoff"

    async def test_a_case_closed_while_the_ai_answers_still_gets_its_answer(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.close(id, operator="olga")
        await records.commit(answer(turn, id))
        assert (await said(records, id))[-1] == ("ai", "Yes.")
        assert (await records.conversation(id)).holder == "closed"

    async def test_the_waiting_customer_may_go_on_with_the_ai(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        await records.commit(answer(await turn_for(records, id, "go on"), id, holder="ai"))
        assert (await records.conversation(id)).holder == "ai"
        assert len(await records.tickets()) == 1

    async def test_the_transcript_and_the_events_can_be_read_from_any_point(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id, "a", "b", "c")
        await records.commit(replace(answer(turn, id), replies=(Reply(text="d"),)))
        assert [m.text for m in await records.messages(id, after=2)] == ["c", "d"]
        assert [e.n for e in await records.events(id, after=3)] == [4]
        assert (await records.outcomes(id)) == {turn: "answered"}
