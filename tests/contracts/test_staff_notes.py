"""One contract for every memory of the agent: what staff write to each other, and that nobody else comes near it."""

import asyncio

import pytest

from agent.records.errors import UnknownConversation
from agent.staff_notes import StaffNotebook
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
from tools.context import ConversationId

__all__ = ["clock", "records", "rung"]
SECRET = "Swears at couriers; call the depot first."


async def written(records: Store) -> ConversationId:
    """A conversation a person holds, with a note in it."""
    id = await opened(records, channel="telegram", external_id="7")
    await records.commit(escalation(await turn_for(records, id), id))
    await records.claim(id, operator="olga", name="Olga")
    await records.note_down(id, SECRET, operator="olga", name="Olga")
    return id


class TestStaffNotes:
    async def test_a_note_keeps_who_wrote_it_when_and_after_which_message(
        self, records: Store, clock: Clock
    ) -> None:
        kept: StaffNotebook = records
        id = await opened(records)
        await turn_for(records, id, "one", "two")
        first = await kept.note_down(id, " Look\u200b here ", operator="olga", name="Olga")
        clock.pass_by(60)
        await kept.note_down(id, "Done", operator="ivan", name="Ivan")
        notes = await kept.staff_notes(id)
        assert notes[0] == first
        assert [(n.n, n.after, n.author, n.name) for n in notes] == [
            (1, 2, "olga", "Olga"),
            (2, 2, "ivan", "Ivan"),
        ]
        assert (notes[1].at - notes[0].at).total_seconds() == 60
        assert "\u200b" not in first.text

    async def test_a_form_posted_five_times_writes_one_note_and_another_key_another(
        self, records: Store
    ) -> None:
        id = await opened(records)

        async def write(key: str) -> int:
            return (await records.note_down(id, "words", operator="olga", name="Olga", key=key)).n

        assert await asyncio.gather(*(write("a") for _ in range(5))) == [1] * 5
        assert await write("b") == 2
        assert len(await records.staff_notes(id)) == 2

    async def test_one_conversation_shows_nothing_of_another(self, records: Store) -> None:
        await written(records)
        other = await opened(records)
        assert await records.staff_notes(other) == ()
        with pytest.raises(UnknownConversation):
            await records.note_down(ConversationId("none"), "x", operator="olga", name="Olga")

    async def test_no_message_event_delivery_or_stage_comes_of_it(self, records: Store) -> None:
        id = await opened(records, channel="telegram", external_id="8")
        await records.commit(answer(await turn_for(records, id), id))
        before = (
            await said(records, id),
            await records.events(id),
            await records.due("telegram"),
            await records.conversation(id),
            await records.handoffs(id),
        )
        await records.note_down(id, SECRET, operator="olga", name="Olga")
        assert before == (
            await said(records, id),
            await records.events(id),
            await records.due("telegram"),
            await records.conversation(id),
            await records.handoffs(id),
        )

    async def test_what_a_turn_reads_has_nothing_of_it(self, records: Store) -> None:
        id = await written(records)
        await records.return_to_ai(id, operator="olga")
        turn = await turn_for(records, id, "and now?")
        assert SECRET not in repr(await records.situation(turn))
        assert SECRET not in repr(await records.messages(id)) + repr(await records.events(id))
        assert SECRET not in repr(await records.tickets())
