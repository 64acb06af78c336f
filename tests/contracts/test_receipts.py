"""One contract for every memory: a turn's receipt is kept with it, and tells of the rows of the ledger it rested on."""

from dataclasses import replace

import pytest

from agent.basis import digest
from agent.receipt import Basis, DocumentUse, FieldUse, ModelRead, Receipt, Remembered
from agent.records.errors import UnknownTurn
from tests.contracts.memory import (
    VERSION,
    Clock,
    Store,
    answer,
    clock,
    granted,
    opened,
    records,
    rung,
    turn_for,
)

__all__ = ["clock", "records", "rung"]

CITED = DocumentUse(document="returns", version=2, passage="returns@2#1", title="Returns", cited=True)


class TestReceipts:
    async def test_a_turn_knows_the_row_its_live_consent_is(self, records: Store, clock: Clock) -> None:
        id = await opened(records)
        await records.consent_outside(id, granted(yes=False))
        await records.consent_outside(id, granted())
        (row,) = (await records.situation(await turn_for(records, id))).granted
        assert (row.purpose, row.version, row.at) == ("orders:read", VERSION, clock.now())
        assert row.id == max(each.number for each in await records.consents(id))
        assert row.sha256 == digest(granted().text)

    async def test_a_withdrawn_or_outdated_consent_is_no_row_to_rest_on(self, records: Store) -> None:
        id = await opened(records)
        await records.consent_outside(id, granted())
        await records.consent_outside(id, granted(yes=False))
        await records.consent_outside(id, granted("memory", version="2020-01-01"))
        assert (await records.situation(await turn_for(records, id))).granted == ()

    async def test_what_is_granted_in_a_turn_is_told_of_this_turn_alone(self, records: Store) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.consent(turn, granted())
        await records.commit(answer(turn, id))
        (row,) = await records.granted(turn)
        assert row.purpose == "orders:read"
        assert await records.granted(await turn_for(records, id, "later")) == ()

    async def test_a_receipt_comes_back_as_it_was_committed_and_only_to_its_own_conversation(
        self, records: Store
    ) -> None:
        id, other = await opened(records), await opened(records)
        await records.consent_outside(id, granted())
        turn = await turn_for(records, id)
        receipt = Receipt(
            documents=(CITED,),
            data=(FieldUse(what="orders", fields=("order", "items.title"), purpose="orders:read", tool="o"),),
            bases=(
                Basis(
                    purpose="orders:read", kind="consent", granted=(await records.situation(turn)).granted[0]
                ),
            ),
            models=(
                ModelRead(model="m", external=True, masked=True, parts=("question",), kinds={"name": 1}),
            ),
            withheld=("model:external",),
            remembered=(Remembered(what="number"),),
        )
        await records.commit(replace(answer(turn, id), receipt=receipt))
        record = await records.receipt(id, turn)
        assert record is not None
        assert record.receipt == receipt
        with pytest.raises(UnknownTurn):
            await records.receipt(other, turn)
