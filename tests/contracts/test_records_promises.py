"""One contract for every memory of the agent: the ledger of promises."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agent.domain import Reply
from agent.overdue import Lateness
from agent.pledge import Owed, Pledge, PledgeId
from agent.records.errors import NotYours, UnknownPromise
from agent.routing import Next
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
LATE = Reply(text="We promised and did not.")


def pledge(clock: Clock, *, minutes: float = 60, words: str = "I'll be back.") -> Pledge:
    return Pledge(words=words, due=clock.now() + timedelta(minutes=minutes))


async def held(records: Store) -> ConversationId:
    id = await opened(records)
    await records.commit(escalation(await turn_for(records, id), id))
    await records.claim(id, operator="olga", name="Olga")
    return id


async def promised(records: Store, clock: Clock, *, minutes: float = 60) -> tuple[ConversationId, Owed]:
    id = await held(records)
    made = pledge(clock, minutes=minutes)
    await records.person_says(id, "I'll be back.", operator="olga", name="Olga", pledge=made)
    (owed,) = await records.promises(id)
    return id, owed


def late(*, move: str = "stays", tells: str = "late", **more: object) -> Lateness:
    return Lateness(tells=tells, move=move, department="care", **more)  # type: ignore[arg-type]


class TestMaking:
    async def test_a_reply_that_promises_is_written_with_its_owner_its_words_and_its_time(
        self, records: Store, clock: Clock
    ) -> None:
        id, owed = await promised(records, clock)
        (*_, message) = await records.messages(id)
        assert (owed.seq, owed.owner, owed.name, owed.department) == (message.seq, "person", "olga", "care")
        assert (owed.words, owed.state, owed.due) == (
            "I'll be back.",
            "open",
            clock.now() + timedelta(hours=1),
        )

    async def test_a_reply_sent_twice_promises_once(self, records: Store, clock: Clock) -> None:
        id = await held(records)
        for _ in range(2):
            await records.person_says(
                id, "Soon.", operator="olga", name="Olga", key="k", pledge=pledge(clock)
            )
        assert len(await records.promises(id)) == 1

    async def test_what_may_not_be_said_promises_nothing(self, records: Store, clock: Clock) -> None:
        id = await held(records)
        with pytest.raises(NotYours):
            await records.person_says(id, "Soon.", operator="ivan", name="Ivan", pledge=pledge(clock))
        assert await records.promises(id) == ()

    async def test_out_of_hours_the_department_promises_with_the_words_of_the_call(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records)
        await records.commit(
            replace(escalation(await turn_for(records, id), id), pledge=pledge(clock, words="Back at 9."))
        )
        (owed,) = await records.promises(id)
        (*_, message) = await records.messages(id)
        assert (owed.owner, owed.name, owed.seq, owed.words) == (
            "department",
            "care",
            message.seq,
            "Back at 9.",
        )

    async def test_people_who_have_gone_home_promise_for_the_morning(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        (case,) = await records.due_events()
        next = Next(due=clock.now() + timedelta(hours=8), department="care", tells="gone")
        told = Reply(text="Back at 9.")
        await records.pass_along(id, next, expecting=case.due, said=told, pledge=pledge(clock))
        (owed,) = await records.promises(id)
        assert (owed.owner, owed.name) == ("department", "care")


class TestEnding:
    async def test_the_next_words_of_a_person_keep_it(self, records: Store, clock: Clock) -> None:
        id, _ = await promised(records, clock)
        clock.pass_by(60)
        await records.person_says(id, "Found it.", operator="olga", name="Olga")
        (owed,) = await records.promises(id)
        assert (owed.state, owed.end, owed.ended) == ("kept", "answered", clock.now())
        assert await records.standing() == ()

    async def test_the_customers_own_words_and_a_new_person_keep_nothing(
        self, records: Store, clock: Clock
    ) -> None:
        id, _ = await promised(records, clock)
        await records.accept(id, key="k", text="well?")
        await records.return_to_ai(id, operator="olga")
        await records.claim(id, operator="ivan", name="Ivan", said="Ivan here.")
        assert [owed.state for owed in await records.standing()] == ["open"]

    async def test_words_that_promise_anew_take_its_place(self, records: Store, clock: Clock) -> None:
        id, first = await promised(records, clock)
        await records.person_says(
            id, "Later.", operator="olga", name="Olga", pledge=pledge(clock, minutes=120)
        )
        known = {owed.id: owed for owed in await records.promises(id)}
        assert (known.pop(first.id).state, len(known)) == ("withdrawn", 1)
        assert [owed.state for owed in known.values()] == ["open"]

    @pytest.mark.parametrize("act", ["close", "return"])
    async def test_a_closed_case_ends_what_its_department_promised_and_nothing_a_person_did(
        self, records: Store, clock: Clock, act: str
    ) -> None:
        theirs, _ = await promised(records, clock)
        id = await opened(records)
        await records.commit(replace(escalation(await turn_for(records, id), id), pledge=pledge(clock)))
        for talk in (theirs, id):
            await (records.close if act == "close" else records.return_to_ai)(talk, operator="olga")
        assert [owed.end for owed in await records.promises(id)] == ["case_closed"]
        assert [owed.conversation for owed in await records.standing()] == [theirs]

    async def test_somebody_says_what_it_is(self, records: Store, clock: Clock) -> None:
        id, owed = await promised(records, clock)
        kept = await records.mark_promise(id, owed.id, operator="ivan", end="marked")
        assert (kept.state, kept.end) == ("kept", "marked")
        again = await records.mark_promise(id, owed.id, operator="ivan", end="")
        assert (again.state, again.ended) == ("open", None)
        none = await records.mark_promise(id, owed.id, operator="ivan", end="mistaken")
        assert none.state == "withdrawn"
        assert await records.standing(within=[id]) == ()

    async def test_its_time_is_put_right(self, records: Store, clock: Clock) -> None:
        id, owed = await promised(records, clock)
        wanted = clock.now() + timedelta(hours=3)
        assert (await records.put_off(id, owed.id, operator="ivan", due=wanted)).due == wanted
        assert (await records.promises(id))[0].due == wanted

    async def test_a_promise_is_reached_through_its_own_conversation(
        self, records: Store, clock: Clock
    ) -> None:
        _, owed = await promised(records, clock)
        other = await opened(records)
        for id in (owed.id, PledgeId("none")):
            with pytest.raises(UnknownPromise):
                await records.mark_promise(other, id, operator="ivan", end="marked")
            with pytest.raises(UnknownPromise):
                await records.put_off(other, id, operator="ivan", due=clock.now())


class TestLateness:
    async def test_nothing_is_overdue_before_its_time(self, records: Store, clock: Clock) -> None:
        await promised(records, clock, minutes=10)
        clock.pass_by(599)
        assert await records.overdue() == ()
        clock.pass_by(1)
        (one,) = await records.overdue()
        assert (one.owed.state, one.stage, one.operator, one.language) == ("open", "person", "olga", "en")

    async def test_the_customer_is_told_once_and_the_promise_still_stands(
        self, records: Store, clock: Clock
    ) -> None:
        id, _ = await promised(records, clock, minutes=10)
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert await records.be_late(one, late(), said=LATE)
        assert not await records.be_late(one, late(), said=LATE), "two that look at once do it once"
        assert (await said(records, id))[-1] == ("system", LATE.text)
        assert [text for _, text in await said(records, id)].count(LATE.text) == 1
        (owed,) = await records.standing()
        assert (owed.state, owed.late, owed.told) == ("late", clock.now(), "late")
        assert await records.overdue() == ()
        clock.pass_by(60)
        await records.person_says(id, "Here it is.", operator="olga", name="Olga")
        assert [one.state for one in await records.promises(id)] == ["kept"]

    async def test_a_new_time_is_a_promise_of_the_department(self, records: Store, clock: Clock) -> None:
        id, first = await promised(records, clock, minutes=10)
        clock.pass_by(600)
        (one,) = await records.overdue()
        again = clock.now() + timedelta(minutes=5)
        assert await records.be_late(one, late(tells="due", again=again), said=LATE)
        old, new = await records.promises(id)
        assert (old.state, new.owner, new.due, new.renews) == ("late", "department", again, first.id)

    async def test_what_is_told_later_is_late_at_once(self, records: Store, clock: Clock) -> None:
        id, _ = await promised(records, clock, minutes=10)
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert await records.be_late(one, late(tells=""))
        (again,) = await records.overdue()
        assert (again.owed.state, again.owed.told) == ("late", "")
        assert await records.be_late(again, late(), said=LATE)
        assert (await said(records, id))[-1] == ("system", LATE.text)

    async def test_who_is_not_there_lets_go_and_the_call_is_open_again(
        self, records: Store, clock: Clock
    ) -> None:
        id, _ = await promised(records, clock, minutes=10)
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert await records.be_late(one, late(move="let_go"), said=LATE)
        state = await records.conversation(id)
        assert (state.stage, state.operator) == ("queued", "")
        (ticket,) = await records.tickets()
        assert (ticket.state, ticket.operator) == ("open", "")
        assert (await records.handoffs(id))[-1].cause == "promise_late"
        assert len(await records.due_events()) == 1, "the queue looks at it at once"

    @pytest.mark.parametrize(("move", "stage"), [("stays", "person"), ("let_go", "queued")])
    async def test_what_was_put_aside_comes_back_with_its_promise(
        self, records: Store, clock: Clock, move: str, stage: str
    ) -> None:
        id, _ = await promised(records, clock, minutes=10)
        await records.snooze(id, operator="olga", until=clock.now() + timedelta(days=1))
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert one.stage == "snoozed"
        assert await records.be_late(one, late(move=move), said=LATE)
        assert (await records.conversation(id)).stage == stage

    async def test_a_closed_conversation_comes_back_to_the_queue(self, records: Store, clock: Clock) -> None:
        id, _ = await promised(records, clock, minutes=10)
        await records.close(id, operator="olga")
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert await records.be_late(one, late(move="called"), said=LATE)
        assert (await records.conversation(id)).stage == "queued"
        (ticket,) = await records.tickets()
        assert (ticket.reason, ticket.summary, ticket.department) == ("promise_late", "I'll be back.", "care")

    @pytest.mark.parametrize("act", ["kept", "put off", "moved", "a turn is under way"])
    async def test_what_happens_meanwhile_comes_before_the_clock(
        self, records: Store, clock: Clock, act: str
    ) -> None:
        id, owed = await promised(records, clock, minutes=10)
        clock.pass_by(600)
        (one,) = await records.overdue()
        if act == "kept":
            await records.person_says(id, "Here.", operator="olga", name="Olga")
        elif act == "put off":
            await records.put_off(id, owed.id, operator="olga", due=clock.now() + timedelta(hours=1))
        elif act == "moved":
            await records.return_to_ai(id, operator="olga")
        else:
            await turn_for(records, id, "hello again")
        before = await said(records, id)
        assert not await records.be_late(one, late(), said=LATE)
        assert await said(records, id) == before

    async def test_a_restricted_customer_is_known_as_one(self, records: Store, clock: Clock) -> None:
        id, _ = await promised(records, clock, minutes=10)
        await records.freeze(id, known=False, by="marina", why="asked")
        clock.pass_by(600)
        (one,) = await records.overdue()
        assert one.restricted


async def test_a_promise_is_in_no_record_of_the_turn(records: Store, clock: Clock) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    await records.commit(answer(turn, id))
    assert (await records.promises(id), await records.standing()) == ((), ())
