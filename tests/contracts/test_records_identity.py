"""One contract for every memory of the agent: who a conversation belongs to, and what of it nobody may read."""

from dataclasses import replace

import pytest

from agent.records.errors import OtherCustomer
from tests.contracts.memory import Clock, Store, answer, clock, opened, records, rung, turn_for
from tools.context import CustomerId

__all__ = ["clock", "records", "rung"]

ANNA, BORIS = CustomerId("anna"), CustomerId("boris")


class TestIdentity:
    async def test_a_conversation_becomes_a_customers_and_nobody_elses(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.identify(turn, ANNA, "verified")
        await records.identify(turn, ANNA, "stepped_up")
        state = await records.conversation(id)
        assert (state.customer_id, state.assurance, state.proved) == (ANNA, "stepped_up", clock.now())
        with pytest.raises(OtherCustomer):
            await records.identify(turn, BORIS, "verified")
        assert (await records.conversation(id)).customer_id == ANNA

    async def test_what_waits_for_the_code_is_kept_until_a_turn_lets_go_of_it(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(replace(answer(turn, id), proving="code", parked="where is it?"))
        after = await turn_for(records, id, "123456")
        situation = await records.situation(after)
        assert (situation.proving, situation.parked) == ("code", "where is it?")
        assert [i.text for i in situation.batch] == ["123456"]
        await records.commit(answer(after, id))
        last = await records.situation(await turn_for(records, id, "thanks"))
        assert (last.proving, last.parked) == ("", "")

    async def test_a_code_and_a_contact_are_shown_to_nobody_and_forgotten_with_their_turn(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(replace(answer(turn, id), proving="contact"))
        asked = await turn_for(records, id, "anna@example.com")
        await records.commit(replace(answer(asked, id), proving="code"))
        told = await turn_for(records, id, "my code is 123456")
        await records.commit(answer(told, id))
        shown = [m.text for m in await records.messages(id) if m.author == "customer"]
        assert shown[1:] == ["•••", "my code is •••"]
        events = " ".join(str(event.data) for event in await records.events(id))
        assert "123456" not in events
        assert "anna@" not in events
        for each in (asked, told):
            assert all("•••" in i.text for i in (await records.situation(each)).batch)

    async def test_a_message_after_a_code_does_not_begin_its_turn_anew(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.commit(replace(answer(turn, id), proving="code"))
        told = await turn_for(records, id, "123456")
        await records.accept(id, key="late", text="so where is it?")
        assert await records.attempt_of(told) == 1

    async def test_changes_are_counted_by_customer_and_time(self, records: Store, clock: Clock) -> None:
        before = clock.now()
        for n, (who, state) in enumerate(
            [(ANNA, "done"), (ANNA, "already_done"), (ANNA, "refused"), (BORIS, "done")]
        ):
            id = await opened(records)
            turn = await turn_for(records, id)
            await records.identify(turn, who, "verified")
            await records.commit(replace(answer(turn, id), proposal={"id": f"p{n}", "tool": "cancel_order"}))
            after = await turn_for(records, id, "yes")
            clock.pass_by(60)
            await records.commit(replace(answer(after, id), closed_proposal=(f"p{n}", state)))
        assert await records.done_since(ANNA, before) == 2
        assert await records.done_since(BORIS, before) == 1
        clock.pass_by(1)
        assert await records.done_since(ANNA, clock.now()) == 0
