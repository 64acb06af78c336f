"""One contract for every memory of the agent: the queue's clock, and what it decides."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from agent.domain import Held, Reply
from agent.pack import load_pack
from agent.records.errors import NotYours
from agent.routing import Case, Next
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
PACK = load_pack(Path("demo"))
LATER = Reply(text="It takes longer.")


async def queued(records: Store, **how: str) -> ConversationId:
    id = await opened(records, **how)
    await records.commit(escalation(await turn_for(records, id), id))
    return id


async def due(records: Store) -> Case:
    (case,) = await records.due_events()
    return case


def chosen(clock: Clock, *, seconds: float = 120, **how: object) -> Next:
    known: dict[str, object] = {"due": clock.now() + timedelta(seconds=seconds), "department": "care"}
    return Next(**(known | how))  # type: ignore[arg-type]


class TestNextEvent:
    async def test_a_call_for_a_person_is_due_at_once_and_a_conversation_of_the_ai_never(
        self, records: Store
    ) -> None:
        await records.commit(answer(await turn_for(records, other := await opened(records)), other))
        id = await queued(records)
        case = await due(records)
        assert (case.conversation, case.stage, case.department, case.language) == (id, "queued", "care", "en")
        assert case.fresh

    async def test_whom_the_queue_chose_is_seen_and_the_next_event_is_theirs_to_meet(
        self, records: Store, clock: Clock
    ) -> None:
        id = await queued(records)
        case = await due(records)
        assert await records.pass_along(id, chosen(clock, assigned="olga"), expecting=case.due)
        assert (await records.conversation(id)).assigned == "olga"
        assert await records.due_events() == ()
        clock.pass_by(121)
        again = await due(records)
        assert (again.assigned, again.fresh, again.since) == ("olga", False, case.since)

    async def test_who_did_not_accept_is_written_down_and_the_customer_told_once(
        self, records: Store, clock: Clock
    ) -> None:
        id = await queued(records)
        await records.pass_along(id, chosen(clock, assigned="olga"), expecting=(await due(records)).due)
        clock.pass_by(121)
        next = chosen(clock, assigned="ivan", tried=("olga",), department="delivery", tells="later")
        assert await records.pass_along(id, next, expecting=(await due(records)).due, said=LATER)
        clock.pass_by(121)
        case = await due(records)
        assert (case.assigned, case.tried, case.department, case.told) == (
            "ivan",
            ("olga",),
            "delivery",
            "later",
        )
        assert (await said(records, id))[-1] == ("system", LATER.text)
        assert [ticket.department for ticket in await records.tickets()] == ["delivery"]
        line = (await records.handoffs(id))[-1]
        assert (line.event, line.cause, line.actor, line.department) == (
            "not_accepted", "not_accepted", "olga", "delivery",
        )  # fmt: skip
        handoff = [e for e in await records.events(id) if e.type == "handoff"][-1]
        assert (handoff.data["holder"], handoff.data["department"]) == ("queued", "delivery")

    async def test_an_event_that_was_decided_twice_happens_once(self, records: Store, clock: Clock) -> None:
        id = await queued(records)
        case = await due(records)
        next = chosen(clock, tells="later")
        assert await records.pass_along(id, next, expecting=case.due, said=LATER)
        assert not await records.pass_along(id, next, expecting=case.due, said=LATER)
        assert [text for _, text in await said(records, id)].count(LATER.text) == 1

    @pytest.mark.parametrize("act", ["claim", "close", "return", "resume"])
    async def test_what_people_do_meanwhile_comes_before_the_clock(
        self, records: Store, clock: Clock, act: str
    ) -> None:
        id = await queued(records)
        case = await due(records)
        clock.pass_by(1)
        if act == "claim":
            await records.claim(id, operator="ivan", name="Ivan")
        elif act == "close":
            await records.close(id, operator="ivan")
        elif act == "return":
            await records.return_to_ai(id, operator="ivan")
        else:
            await records.commit(answer(await turn_for(records, id, "go on"), id))
        before = await records.conversation(id)
        assert not await records.pass_along(
            id, chosen(clock, assigned="olga"), expecting=case.due, said=LATER
        )
        assert await records.conversation(id) == before

    async def test_a_contact_that_was_left_stands_on_the_call(self, records: Store) -> None:
        id = await queued(records)
        turn = await turn_for(records, id, "anna@mail.example")
        left = answer(turn, id, "Noted.", outcome=Held(), holder="queued", contact="anna@mail.example")
        await records.commit(left)
        (ticket,) = await records.tickets()
        assert ticket.contact == "anna@mail.example"
        later = answer(await turn_for(records, id, "and"), id, outcome=Held(), replies=(), holder="queued")
        await records.commit(later)
        assert (await records.tickets())[0].contact == "anna@mail.example"
        assert (await records.conversation(id)).stage == "queued"

    @pytest.mark.parametrize("act", ["close", "return"])
    async def test_out_of_the_queue_nothing_is_due(self, records: Store, act: str) -> None:
        id = await queued(records)
        await (records.close if act == "close" else records.return_to_ai)(id, operator="ivan")
        assert await records.due_events() == ()


class TestSilentClaim:
    async def test_a_claim_is_watched_until_the_first_words(self, records: Store) -> None:
        id = await queued(records)
        await records.claim(id, operator="olga", name="Olga", said="Olga here.")
        assert (await due(records)).stage == "person"
        await records.person_says(id, "Found it.", operator="olga", name="Olga")
        assert await records.due_events() == ()

    async def test_who_claimed_and_said_nothing_lets_go(self, records: Store, clock: Clock) -> None:
        id = await queued(records)
        await records.claim(id, operator="olga", name="Olga")
        case = await due(records)
        let_go = chosen(clock, requeue=True, tells="later")
        assert await records.pass_along(id, let_go, expecting=case.due, said=LATER)
        state = await records.conversation(id)
        assert (state.stage, state.holder, state.operator, state.disclosed) == ("queued", "queued", "", False)
        (ticket,) = await records.tickets()
        assert (ticket.state, ticket.operator) == ("open", "")
        again = await due(records)
        assert (again.stage, again.tried, again.told, again.fresh) == ("queued", ("olga",), "later", True)
        with pytest.raises(NotYours):
            await records.person_says(id, "Too late.", operator="olga", name="Olga")
        await records.claim(id, operator="ivan", name="Ivan")
        assert (await records.conversation(id)).operator == "ivan"

    async def test_a_late_answer_of_the_ai_does_not_take_it_out_of_the_queue(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records)
        turn = await turn_for(records, id)
        await records.claim(id, operator="olga", name="Olga")
        await records.pass_along(id, chosen(clock, requeue=True), expecting=(await due(records)).due)
        await records.commit(answer(turn, id, "Late."))
        assert (await records.conversation(id)).stage == "queued"
        assert await said(records, id) == [("customer", "hello")]


async def test_the_next_event_survives_its_reader(records: Store, clock: Clock) -> None:
    """Nothing but the table knows of it: whoever looks later, in whatever process, finds it."""
    id = await queued(records)
    first: datetime = (await due(records)).due
    clock.pass_by(86_400)
    case = await due(records)
    assert (case.conversation, case.due) == (id, first)
