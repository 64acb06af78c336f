"""One contract for every memory of the agent: how a conversation goes between AI and people, and what may still leave."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from agent.domain import Action, Answered, Button, Held, Reply, TurnRecord, Verified
from agent.handoff import OWNER, TABLE
from agent.records.errors import Superseded
from tests.contracts.memory import (
    Clock,
    Store,
    answer,
    clock,
    escalation,
    opened,
    records,
    rung,
    said,
    turn_for,
)
from tools.context import ConversationId, TurnId

__all__ = ["clock", "records", "rung"]
PERSON = Button(label="A person", action=Action(kind="person"))


def offering(turn: TurnId, id: ConversationId) -> TurnRecord:
    return answer(turn, id, replies=(Reply(text="Not ours. A person?", buttons=(PERSON,)),))


async def press(records: Store, id: ConversationId) -> TurnId:
    """A turn on a button: it may have effects, so it never begins again."""
    await records.accept(id, key="pressed", action=Action(kind="consent", target="orders:read"))
    turn = await records.next_batch(id)
    assert turn is not None
    return turn


async def passed(records: Store, id: ConversationId) -> list[tuple[str, str, str, str]]:
    return [(h.before, h.after, h.cause, h.actor) for h in await records.handoffs(id)]


class TestStages:
    async def test_every_transition_is_written_down_with_its_cause(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(offering(await turn_for(records, id, "a"), id))
        await records.commit(escalation(await turn_for(records, id, "b"), id))
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        await records.commit(answer(await turn_for(records, id, "c"), id, disclosed=True))
        await records.close(id, operator="olga")
        await records.accept(id, key="d", text="d")
        assert await passed(records, id) == [
            ("ai", "offered", "offered", ""),
            ("offered", "ai", "customer_wrote", ""),
            ("ai", "queued", "customer_asked", ""),
            ("queued", "person", "claimed", "olga"),
            ("person", "returned", "given_back", "olga"),
            ("returned", "ai", "spoke", ""),
            ("ai", "closed", "case_closed", "olga"),
            ("closed", "ai", "customer_wrote", ""),
        ]
        for line in await records.handoffs(id):
            assert TABLE[line.before][line.event] == line.after  # type: ignore[index]

    async def test_an_offer_ends_with_the_customers_next_words_and_owns_nothing(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(offering(await turn_for(records, id), id))
        state = await records.conversation(id)
        assert (state.stage, state.holder, await records.tickets()) == ("offered", "ai", ())
        await records.accept(id, key="no", text="never mind")
        assert (await records.conversation(id)).stage == "ai"

    async def test_a_rating_takes_up_no_offer_and_reopens_no_case(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(offering(await turn_for(records, id), id))
        await records.accept(id, key="r", action=Action(kind="rate", target="t"))
        assert (await records.conversation(id)).stage == "offered"

    async def test_what_was_given_back_is_over_when_the_ai_has_said_what_it_is(self, records: Store) -> None:
        id = await opened(records, disclosure=Reply(text="I am a program."))
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        await records.commit(answer(await turn_for(records, id, "a"), id))
        assert (await records.conversation(id)).stage == "returned"
        await records.commit(answer(await turn_for(records, id, "b"), id, disclosed=True))
        state = await records.conversation(id)
        assert (state.stage, state.disclosed) == ("ai", True)

    async def test_owner_and_stage_never_part(self, records: Store) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        for act in (records.claim, records.return_to_ai, records.claim, records.close):
            named = {"name": "Olga"} if act == records.claim else {}
            await act(id, operator="olga", **named)  # type: ignore[operator]
            state = await records.conversation(id)
            assert OWNER[state.stage] == state.holder


class TestLateWords:
    async def test_a_turn_a_person_interrupted_begins_again_when_they_gave_it_back(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        with pytest.raises(Superseded):
            await records.append(turn, 0, Verified(text="Of before."))
        with pytest.raises(Superseded):
            await records.commit(answer(turn, id, "Of before."))
        assert await records.next_batch(id) == turn
        assert await records.append(turn, 0, Verified(text="Anew."), attempt=2)
        assert await records.commit(answer(turn, id, "Anew."), attempt=2)
        assert (await said(records, id))[-1] == ("ai", "Anew.")

    async def test_a_message_that_met_a_person_is_answered_by_the_ai_once_it_is_given_back(
        self, records: Store
    ) -> None:
        id = await opened(records)
        await records.claim(id, operator="olga", name="Olga")
        turn = await turn_for(records, id)
        await records.return_to_ai(id, operator="olga")
        with pytest.raises(Superseded):
            await records.commit(answer(turn, id, outcome=Held(), replies=(), holder="person"))
        assert await records.next_batch(id) == turn

    async def test_an_answer_that_was_cut_off_by_a_person_is_not_finished_after_them(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.append(turn, 0, Verified(text="One."))
        await records.claim(id, operator="olga", name="Olga")
        await records.return_to_ai(id, operator="olga")
        assert not await records.append(turn, 1, Verified(text="Two."))
        await records.commit(answer(turn, id, "One. Two."))
        assert (await said(records, id))[-1] == ("ai", "One.")

    async def test_what_was_shown_before_a_person_came_stands_before_their_words_and_once(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        assert await records.append(turn, 0, Verified(text="One."))
        assert await records.append(turn, 1, Verified(text="Two."))
        for name in ("olga", "ivan"):
            await records.claim(id, operator=name, name=name, said=f"{name} here.")
            await records.return_to_ai(id, operator=name)
        await records.commit(answer(turn, id, "One. Two. Three."))
        assert [text for _, text in await said(records, id)] == [
            "hello", "One. Two.", "olga here.", "ivan here.",
        ]  # fmt: skip

    @pytest.mark.parametrize("after", ["returned", "closed"])
    async def test_a_call_for_a_person_of_before_calls_nobody_after_them(
        self, records: Store, after: str
    ) -> None:
        id = await opened(records)
        turn = await press(records, id)
        await records.claim(id, operator="olga", name="Olga")
        leave = records.return_to_ai if after == "returned" else records.close
        await leave(id, operator="olga")
        await records.commit(escalation(turn, id))
        assert (await records.conversation(id)).stage == after
        assert await records.tickets() == ()
        assert [author for author, _ in await said(records, id)] == []

    @pytest.mark.parametrize("after", ["returned", "closed"])
    async def test_what_became_of_a_change_is_told_all_the_same(self, records: Store, after: str) -> None:
        id = await opened(records)
        turn = await press(records, id)
        await records.claim(id, operator="olga", name="Olga")
        leave = records.return_to_ai if after == "returned" else records.close
        await leave(id, operator="olga")
        await records.commit(answer(turn, id, "Cancelled.", closed_proposal=("p", "done")))
        assert await said(records, id) == [("ai", "Cancelled.")]
        assert (await records.conversation(id)).stage == after

    async def test_beside_a_person_the_house_speaks_and_not_the_ai(self, records: Store) -> None:
        id = await opened(records)
        await records.claim(id, operator="olga", name="Olga")
        turn = await turn_for(records, id, "I take my consent back")
        record = replace(answer(turn, id, "Taken back."), outcome=Held(), holder="person")
        await records.commit(record)
        assert (await said(records, id))[-1] == ("system", "Taken back.")


class TestDeliveries:
    async def texts(self, records: Store, id: ConversationId) -> Sequence[str]:
        due = await records.due("telegram")
        found = [await records.message(id, delivery.seq) for delivery in due]
        return [message.text for message in found if message is not None]

    async def test_words_of_the_ai_that_have_not_begun_to_leave_stay_when_a_person_comes(
        self, records: Store
    ) -> None:
        id = await opened(records, channel="telegram", external_id="7")
        await records.commit(answer(await turn_for(records, id), id))
        await records.claim(id, operator="olga", name="Olga", said="Olga here.")
        assert await self.texts(records, id) == ["Olga here."]

    async def test_words_that_failed_once_are_not_tried_again_beside_a_person(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records, channel="telegram", external_id="7")
        await records.commit(answer(await turn_for(records, id), id))
        (delivery,) = await records.due("telegram")
        assert await records.begin_delivery(delivery.id, seconds=30)
        await records.claim(id, operator="olga", name="Olga")
        await records.postponed(delivery.id, seconds=1, fault="busy")
        clock.pass_by(2)
        assert not await records.begin_delivery(delivery.id, seconds=30)
        assert await records.due("telegram") == ()

    async def test_without_a_person_they_leave(self, records: Store) -> None:
        id = await opened(records, channel="telegram", external_id="7")
        await records.commit(answer(await turn_for(records, id), id, outcome=Answered()))
        (delivery,) = await records.due("telegram")
        assert await records.begin_delivery(delivery.id, seconds=30)
