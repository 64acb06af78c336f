"""One contract for every memory of the agent: what is remembered of customers, and when it is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.notes import Keeping, Note, NoteChanges, NoteId
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
from tools.context import ConversationId, CustomerId

__all__ = ["clock", "records", "rung"]

ANNA, BORIS = CustomerId("anna"), CustomerId("boris")


async def of(records: Store, customer: CustomerId = ANNA) -> ConversationId:
    return await opened(records, customer_id=customer, assurance="verified")


async def keep(
    records: Store, clock: Clock, id: ConversationId, *texts: str, forget: tuple[NoteId, ...] = ()
) -> None:
    turn = await turn_for(records, id, f"say {len(await records.messages(id))}")
    expires = clock.now() + timedelta(days=365)
    kept = tuple(Keeping(kind="socket", text=t, language="en", seq=1, expires=expires) for t in texts)
    await records.commit(replace(answer(turn, id), notes=NoteChanges(keep=kept, forget=forget)))


async def remembered(records: Store, customer: CustomerId = ANNA) -> list[str]:
    return [note.text for note in await records.notes_of(customer)]


class TestNotes:
    async def test_a_note_is_kept_with_its_source_its_purpose_and_the_row_it_rests_on(
        self, records: Store, clock: Clock
    ) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "my socket is E14")
        (note,) = await records.notes_of(ANNA)
        assert isinstance(note, Note)
        assert (note.kind, note.text, note.conversation, note.channel, note.seq, note.consent) == (
            "socket",
            "my socket is E14",
            id,
            "widget",
            1,
            1,
        )
        assert (note.at, note.expires) == (clock.now(), clock.now() + timedelta(days=365))

    @pytest.mark.parametrize("change", [None, ("memory", False), ("orders:read", True)])
    async def test_without_a_live_consent_to_memory_nothing_is_kept(
        self, records: Store, clock: Clock, change: tuple[str, bool] | None
    ) -> None:
        id = await of(records)
        if change is not None:
            await records.consent_outside(id, granted("memory"))
            await records.consent_outside(id, granted("memory", yes=False))
            await records.consent_outside(id, granted(change[0], yes=change[1]))
        await keep(records, clock, id, "E14")
        assert await remembered(records) == []

    async def test_a_consent_to_an_older_text_is_no_basis(self, records: Store, clock: Clock) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory", version=f"before {VERSION}"))
        await keep(records, clock, id, "E14")
        assert await remembered(records) == []

    async def test_of_nobody_nothing_is_kept(self, records: Store, clock: Clock) -> None:
        id = await opened(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14")
        turn = await turn_for(records, id, "again")
        assert (await records.situation(turn)).notes == ()

    async def test_a_withdrawal_in_any_conversation_takes_all_notes_along(
        self, records: Store, clock: Clock
    ) -> None:
        first, second, other = await of(records), await of(records), await of(records, BORIS)
        for id in (first, other):
            await records.consent_outside(id, granted("memory"))
            await keep(records, clock, id, "E14")
        await records.consent_outside(second, granted("orders:read", yes=False))
        assert await remembered(records) == ["E14"]
        turn = await turn_for(records, second, "no more")
        await records.consent(turn, granted("memory", yes=False))
        assert await remembered(records) == []
        assert await remembered(records, BORIS) == ["E14"]

    async def test_a_turn_sees_the_notes_of_its_own_customer(self, records: Store, clock: Clock) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14", "E27")
        for who, seen in ((ANNA, ["E14", "E27"]), (BORIS, [])):
            turn = await turn_for(records, await of(records, who), "what now?")
            assert [note.text for note in (await records.situation(turn)).notes] == seen

    async def test_an_anonymous_conversation_bound_to_an_id_sees_none(
        self, records: Store, clock: Clock
    ) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14")
        loose = await opened(records, customer_id=ANNA, assurance="anonymous")
        assert (await records.situation(await turn_for(records, loose))).notes == ()

    async def test_a_turn_forgets_before_it_keeps_and_only_what_is_its_customers(
        self, records: Store, clock: Clock
    ) -> None:
        ids = {who: await of(records, who) for who in (ANNA, BORIS)}
        for who, id in ids.items():
            await records.consent_outside(id, granted("memory"))
            await keep(records, clock, id, f"E14 of {who}")
        all_of_them = tuple([note.id for who in ids for note in await records.notes_of(who)])
        await keep(records, clock, ids[ANNA], "E27", forget=all_of_them)
        assert await remembered(records) == ["E27"]
        assert await remembered(records, BORIS) == ["E14 of boris"]

    async def test_notes_are_forgotten_one_by_one_and_all_at_once(self, records: Store, clock: Clock) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14", "E27", "GU10")
        first, *_ = await records.notes_of(ANNA)
        assert await records.forget(BORIS, [first.id]) == 0
        assert await records.forget(ANNA, [first.id]) == 1
        assert await records.forget(ANNA, [first.id]) == 0
        assert await remembered(records) == ["E27", "GU10"]
        assert await records.forget(ANNA) == 2
        assert await records.forget(ANNA) == 0
        assert await remembered(records) == []

    async def test_an_expired_note_is_not_read_and_goes_with_the_next_change(
        self, records: Store, clock: Clock
    ) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14")
        clock.pass_by(366 * 86400)
        assert await remembered(records) == []
        await keep(records, clock, id, "E27")
        assert await remembered(records) == ["E27"]
        assert await records.forget(ANNA) == 1

    async def test_what_was_remembered_is_in_no_record_of_the_turn(
        self, records: Store, clock: Clock
    ) -> None:
        id = await of(records)
        await records.consent_outside(id, granted("memory"))
        await keep(records, clock, id, "E14")
        if hasattr(records, "engine"):
            (turn,) = await records.outcomes(id)
            record = await records.receipt(id, turn)
            assert record is not None
            assert record.notes == NoteChanges()
