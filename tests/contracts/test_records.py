"""One contract for every memory of the agent: how messages come in, and the ledger of consents."""

import asyncio

import pytest

from agent.domain import Action, Reply
from agent.records.errors import UnknownConversation
from tests.contracts.memory import (
    ALLOW,
    VERSION,
    Store,
    answer,
    clock,
    granted,
    opened,
    records,
    rung,
    said,
    turn_for,
    types,
)
from tools.context import ConversationId, CustomerId

__all__ = ["clock", "records", "rung"]


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
