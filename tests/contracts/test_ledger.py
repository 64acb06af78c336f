"""One contract for the ledger of consents on every memory: whole rows, whom they follow, what takes them back."""

from dataclasses import replace
from typing import Any

import pytest

from agent.basis import ConsentRow, digest
from agent.gate import Gate
from agent.records.errors import UnknownConversation, UnknownTurn
from tests.contracts.memory import (
    PURPOSES,
    VERSION,
    WORDS,
    Clock,
    Store,
    clock,
    granted,
    opened,
    records,
    rung,
    turn_for,
)
from tools.context import ConversationId, CustomerId, TurnId
from tools.errors import NoBasis

__all__ = ["clock", "records", "rung"]
ANNA = CustomerId("anna")


async def signed(records: Store, customer: str | None = "anna", **how: Any) -> ConversationId:
    sure = "verified" if customer else "anonymous"
    return await opened(records, **{"customer_id": customer, "assurance": sure, **how})


async def live(records: Store, id: ConversationId) -> frozenset[str]:
    return (await records.situation(await turn_for(records, id))).purposes


class TestRows:
    async def test_a_row_is_whole(self, records: Store, clock: Clock) -> None:
        id = await signed(records, channel="telegram", external_id="77")
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        (row,) = await records.consents(id)
        assert row == ConsentRow(
            number=1,
            conversation=id,
            customer_id=ANNA,
            assurance="verified",
            purpose="orders:read",
            granted=True,
            version=VERSION,
            text=WORDS,
            text_sha256=digest(WORDS),
            language="en",
            channel="telegram",
            address="77",
            actor="customer",
            turn=turn,
            at=clock.now(),
        )

    async def test_a_member_of_staff_is_named_by_login(self, records: Store) -> None:
        id = await opened(records)
        await records.consent_outside(id, granted(yes=False), actor="olga")
        assert [(row.actor, row.turn, row.address) for row in await records.consents(id)] == [
            ("olga", None, "")
        ]

    async def test_several_changes_of_a_turn_are_one_commit_and_are_written_once(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        for _ in range(2):
            await records.consent(turn, granted(yes=False), granted("memory", yes=False))
        rows = await records.consents(id)
        assert [(row.number, row.purpose, row.granted) for row in rows] == [
            (1, "orders:read", False),
            (2, "memory", False),
        ]

    async def test_nothing_is_written_for_what_does_not_exist(self, records: Store) -> None:
        with pytest.raises(UnknownTurn):
            await records.consent(TurnId("nowhere"), granted())
        with pytest.raises(UnknownConversation):
            await records.consent_outside(ConversationId("nowhere"), granted())
        with pytest.raises(UnknownConversation):
            await records.consents(ConversationId("nowhere"))
        assert await records.ledger(ConversationId("nowhere"), None) == ()


class TestFollowing:
    async def test_a_verified_customers_consent_holds_on_another_channel(self, records: Store) -> None:
        await records.consent_outside(await signed(records), granted())
        telegram = await signed(records, channel="telegram", external_id="7", assurance="channel")
        assert await live(records, telegram) == {"orders:read"}

    async def test_what_somebody_less_sure_allowed_stays_where_they_said_it(self, records: Store) -> None:
        claimed = await signed(records, assurance="channel")
        await records.consent_outside(claimed, granted())
        assert await live(records, claimed) == {"orders:read"}
        assert await live(records, await signed(records)) == frozenset()

    async def test_an_anonymous_consent_stays_with_its_conversation_after_signing_in(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        await records.identify(turn, ANNA, "verified")
        assert (await records.situation(turn)).purposes == {"orders:read"}
        assert await live(records, await signed(records)) == frozenset()

    @pytest.mark.parametrize("assurance", ["channel", "verified", "stepped_up"])
    async def test_a_withdrawal_anywhere_counts_everywhere(self, records: Store, assurance: str) -> None:
        first = await signed(records)
        await records.consent_outside(first, granted())
        other = await signed(records, channel="telegram", external_id="7", assurance=assurance)
        await records.consent_outside(other, granted(yes=False))
        assert await live(records, first) == frozenset()

    async def test_a_withdrawal_before_signing_in_counts_everywhere_after_it(self, records: Store) -> None:
        first = await signed(records)
        await records.consent_outside(first, granted())
        other = await opened(records)
        turn = await turn_for(records, other)
        await records.consent(turn, granted(yes=False))
        assert "orders:read" in await live(records, first)
        await records.identify(turn, ANNA, "verified")
        assert "orders:read" not in {
            name for name in await Gate(records, PURPOSES).live(await whose_of(records, first))
        }

    async def test_nobodys_rows_follow_another_customer(self, records: Store) -> None:
        await records.consent_outside(await signed(records), granted())
        await records.consent_outside(await signed(records, "boris"), granted(yes=False))
        assert await live(records, await signed(records)) == {"orders:read"}
        assert await live(records, await signed(records, None)) == frozenset()

    async def test_the_history_of_a_customer_holds_what_was_said_before_signing_in(
        self, records: Store
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        await records.identify(turn, ANNA, "verified")
        await records.consent_outside(id, granted(yes=False))
        await records.consent_outside(await signed(records, "boris"), granted())
        assert [(row.granted, row.customer_id) for row in await records.consents_of(ANNA)] == [
            (True, None),
            (False, ANNA),
        ]


class TestWords:
    async def test_other_words_under_the_same_version_are_not_agreed_to(self, records: Store) -> None:
        id = await opened(records)
        await records.consent_outside(id, replace(granted(), text="May I? And tell others?"))
        assert await live(records, id) == frozenset()

    async def test_each_wording_somebody_agreed_to_is_told_once(self, records: Store) -> None:
        id = await opened(records)
        other = replace(granted(), text="May I, please?")
        old = granted(version="2020-01-01")
        await records.consent_outside(id, granted(), granted(), other, old, granted("memory", yes=False))
        found = await records.wordings([VERSION])
        assert [(row.purpose, row.text) for row in found] == [
            ("orders:read", WORDS),
            ("orders:read", other.text),
        ]


class TestGate:
    async def test_the_gate_reads_the_ledger_at_the_moment_of_the_call(self, records: Store) -> None:
        id = await signed(records)
        whose, gate = await whose_of(records, id), Gate(records, PURPOSES)
        with pytest.raises(NoBasis, match="orders:read"):
            await gate.require(whose, "orders:read")
        await records.consent_outside(id, granted())
        basis = await gate.require(whose, "orders:read")
        assert basis.kind == "consent"
        assert basis.row == (await records.consents(id))[0]
        await records.consent_outside(id, granted(yes=False))
        assert not await gate.allows(whose, "orders:read")

    async def test_a_purpose_nobody_knows_has_no_basis_even_with_a_row(self, records: Store) -> None:
        id = await opened(records)
        await records.consent_outside(id, granted("surveillance"))
        with pytest.raises(NoBasis):
            await Gate(records, PURPOSES).require(await whose_of(records, id), "surveillance")


class _Whose:
    def __init__(self, conversation: ConversationId, customer_id: CustomerId | None) -> None:
        self.conversation = conversation
        self.customer_id = customer_id


async def whose_of(records: Store, id: ConversationId) -> _Whose:
    return _Whose(id, (await records.conversation(id)).customer_id)
