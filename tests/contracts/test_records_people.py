"""One contract for every memory of the agent: people who take a conversation, and what the customer sees of it."""

import asyncio
from dataclasses import replace

import pytest

from agent.domain import Action, Message, Reply, Verified
from agent.handoff import NotPossible
from agent.records.errors import NotYours, TakenAlready
from tests.contracts.memory import (
    CITED,
    Store,
    answer,
    clock,
    escalation,
    opened,
    records,
    rung,
    said,
    turn_for,
    types,
)

__all__ = ["clock", "records", "rung"]


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

    async def test_a_reply_posted_twice_is_said_once_and_other_words_are_another_reply(
        self, records: Store
    ) -> None:
        id = await opened(records, channel="telegram", external_id="7")
        await records.claim(id, operator="olga", name="Olga")

        async def say(text: str, key: str) -> Message:
            return await records.person_says(id, text, operator="olga", name="Olga", key=key)

        posted = await asyncio.gather(*(say("One moment.", "k1") for _ in range(5)))
        assert {message.seq for message in posted} == {posted[0].seq}
        await say("Found it.", "k2")
        assert await said(records, id) == [("person", "One moment."), ("person", "Found it.")]
        assert len(await records.due("telegram")) == 2

    async def test_a_repeated_reply_is_known_after_the_case_was_given_away(self, records: Store) -> None:
        id = await opened(records)
        await records.claim(id, operator="olga", name="Olga")
        first = await records.person_says(id, "Hello.", operator="olga", name="Olga", key="k1")
        await records.return_to_ai(id, operator="olga")
        assert await records.person_says(id, "Hello.", operator="olga", name="Olga", key="k1") == first
        with pytest.raises(NotYours):
            await records.person_says(id, "Hello.", operator="olga", name="Olga", key="k2")

    async def test_one_key_in_two_conversations_is_two_replies(self, records: Store) -> None:
        for id in (await opened(records), await opened(records)):
            await records.claim(id, operator="olga", name="Olga")
            await records.person_says(id, "Hello.", operator="olga", name="Olga", key="k")
            assert await said(records, id) == [("person", "Hello.")]

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

    async def test_words_that_do_not_say_it_leave_it_due_after_a_person(self, records: Store) -> None:
        id = await opened(records, disclosure=Reply(text="I am a program."))
        await records.accept(id, key="button", action=Action(kind="consent", target="orders:read"))
        turn = await records.next_batch(id)
        assert turn is not None
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        await records.commit(answer(turn, id, "Begun before the person came."))
        assert not (await records.conversation(id)).disclosed
        next_turn = await turn_for(records, id, "and now?")
        await records.commit(answer(next_turn, id, "A program again.", disclosed=True))
        assert (await records.conversation(id)).disclosed

    async def test_a_closed_case_owes_it_too_and_a_queue_does_not(self, records: Store) -> None:
        closed = await opened(records, disclosure=Reply(text="I am a program."))
        await records.close(closed, operator="olga")
        assert not (await records.conversation(closed)).disclosed
        waiting = await opened(records, disclosure=Reply(text="I am a program."))
        await records.commit(escalation(await turn_for(records, waiting), waiting))
        assert (await records.conversation(waiting)).disclosed

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
