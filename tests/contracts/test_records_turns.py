"""One contract for every memory of the agent: turns, their records, and who may work on them."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from agent.cards import Card, Line, Row, Step
from agent.domain import Answered, Clarify, Declined, Escalated, Held, Message, Reply, Verified, Waiting
from agent.records.errors import UnknownTurn
from tests.contracts.memory import (
    ALLOW,
    CITED,
    VERSION,
    Clock,
    Store,
    answer,
    clock,
    opened,
    records,
    rung,
    said,
    turn_for,
    types,
)
from tools.context import TurnId

CARD = Card(
    kind="tracking",
    subject="1045-A",
    title="Order 1045-A",
    state="Placed",
    steps=(Step(name="placed", label="Placed", state="now", when="1 May"),),
    lines=(Line(title="Lamp", note="2 × 5", value="10"),),
    rows=(Row(name="total", label="Total", value="10"),),
    link="https://shop.example/track/1",
    link_label="Track it",
    more="And 1 more order",
)

__all__ = ["clock", "records", "rung"]


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
        assert await records.append(turn, 0, Verified(text="One."))
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
        assert await records.append(turn, 0, Verified(text="One."))
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

    async def test_a_card_is_part_of_its_message_and_of_its_event(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(answer(turn, id, replies=(Reply(text="On its way.", cards=(CARD,)),)))
        plain, line = (await records.messages(id))[-2:]
        assert (plain.cards, line.cards) == ((), (CARD,))
        told = (await records.events(id))[-1].data["cards"]
        assert [(card["kind"], card["subject"]) for card in told] == [("tracking", "1045-A")]
        assert told[0]["steps"][0] == {"name": "placed", "label": "Placed", "state": "now", "when": "1 May"}

    async def test_a_card_that_is_committed_stays_as_it_was(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        late = replace(CARD, state="Delayed", tone="late")
        assert await records.commit(answer(turn, id, replies=(Reply(text="One.", cards=(CARD,)),)))
        assert not await records.commit(answer(turn, id, replies=(Reply(text="One.", cards=(late,)),)))
        assert (await records.messages(id))[-1].cards == (CARD,)

    async def test_an_answer_that_a_person_cut_short_has_no_cards(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.append(turn, 0, Verified(text="One."))
        await records.claim(id, operator="maria", name="Мария")
        await records.commit(answer(turn, id, replies=(Reply(text="One. Two.", cards=(CARD,)),)))
        spoken = [m for m in await records.messages(id) if m.author == "ai"]
        assert [(m.text, m.cards) for m in spoken] == [("One.", ())]

    async def test_sentences_are_appended_once_and_come_back_in_order(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        one, two = Verified(text="One.", citations=(CITED,)), Verified(text="Two.")
        assert await records.append(turn, 0, one)
        assert await records.append(turn, 0, one)
        assert await records.append(turn, 1, two)
        assert await records.sent(turn) == (one, two)
        assert await types(records, id) == ["message", "sentence", "sentence"]

    async def test_what_the_ai_says_of_itself_leaves_with_the_first_sentence_and_before_it(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        first, one, two = ("I am a program.", "Not a person."), Verified(text="One."), Verified(text="Two.")
        assert await records.append(turn, 0, one, first=first)
        assert await records.append(turn, 0, one, first=first)
        assert await records.append(turn, 1, two, first=first)
        told = [event.data for event in await records.events(id) if event.type == "sentence"]
        assert [(each["n"], each["text"], each.get("opening", False)) for each in told] == [
            (0, "I am a program.", True),
            (1, "Not a person.", True),
            (2, "One.", False),
            (3, "Two.", False),
        ]
        assert await records.sent(turn) == (one, two)
        assert [line.text for line in await records.sent(turn, whole=True)] == [*first, "One.", "Two."]

    async def test_who_takes_over_meanwhile_leaves_what_was_shown_of_it_said(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.append(turn, 0, Verified(text="One."), first=("I am a program.",))
        await records.claim(id, operator="olga", name="Olga")
        await records.commit(answer(turn, id, replies=(Reply(text="One. Two."),)))
        assert [m.text for m in await records.messages(id) if m.author == "ai"] == ["I am a program. One."]

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

    async def test_a_turn_knows_which_consents_were_asked_for_before_it(self, records: Store) -> None:
        id, other = await opened(records), await opened(records)
        asked = Waiting(what="consent", target="model:external")
        confirmed = Waiting(what="confirmation", target="p1")
        for n, outcome in enumerate((asked, confirmed, Answered())):
            turn = await turn_for(records, id, f"word {n}")
            await records.commit(answer(turn, id, outcome=outcome))
        assert (await records.situation(await turn_for(records, id, "last"))).asked == {"model:external"}
        assert (await records.situation(await turn_for(records, other))).asked == frozenset()

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
            await records.commit(
                answer(
                    turn, id, proposal={"id": name, "tool": "cancel_order", "arguments": {"order": "1045"}}
                )
            )
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
