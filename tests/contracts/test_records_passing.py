"""One contract for every memory of the agent: passing a conversation on, putting it aside, taking it up again."""

from collections.abc import Awaitable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.domain import Action, Reply
from agent.handoff import NotPossible
from agent.pack import load_pack
from agent.passing import Passing
from agent.records.errors import AnswerFirst, NotYours, TakenAlready
from agent.routing import Next, next_event
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
SAID = Reply(text="Passed on.")


async def held(records: Store, *, spoken: bool = True) -> ConversationId:
    id = await opened(records, disclosure=Reply(text="I am a program."))
    await records.commit(escalation(await turn_for(records, id), id))
    await records.claim(id, operator="olga", name="Olga", said="Olga here.")
    if spoken:
        await records.person_says(id, "I shall ask the depot.", operator="olga", name="Olga")
    return id


def passing(clock: Clock, *, to: str = "", department: str = "delivery", seconds: float = 0) -> Passing:
    due = clock.now() + timedelta(seconds=seconds)
    return Passing(department=department, to=to, why="needs_expert", due=due)


async def pass_on(records: Store, id: ConversationId, way: Passing, *, operator: str = "olga") -> None:
    await records.pass_to(
        id, way, operator=operator, name=operator.title(), said=SAID, note="Call the depot."
    )


async def decided(records: Store, clock: Clock) -> Next:
    """Let the clock do what is due; return what it was."""
    (case,) = await records.due_events()
    next = next_event(case, now=clock.now(), operators=(), pack=PACK)
    await records.pass_along(case.conversation, next, expecting=case.due)
    return next


async def refused(act: Awaitable[Any], fault: type[Exception], records: Store, id: ConversationId) -> None:
    before = (await records.conversation(id), await records.handoffs(id), await said(records, id))
    with pytest.raises(fault):
        await act
    assert before == (await records.conversation(id), await records.handoffs(id), await said(records, id))


class TestPassingOn:
    async def test_it_waits_in_the_other_department_and_the_customer_is_told_once(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records)
        await pass_on(records, id, passing(clock))
        state = await records.conversation(id)
        assert (state.stage, state.department, state.operator, state.assigned) == (
            "queued", "delivery", "", "",
        )  # fmt: skip
        assert not state.disclosed, "after a person the AI would have to say again what it is"
        (ticket,) = await records.tickets()
        assert (ticket.state, ticket.department, ticket.operator) == ("open", "delivery", "")
        assert (await said(records, id)).count(("system", SAID.text)) == 1
        line = (await records.handoffs(id))[-1]
        assert (line.before, line.event, line.after, line.cause, line.actor, line.department) == (
            "person", "transfer", "queued", "needs_expert", "olga", "delivery",
        )  # fmt: skip
        shown = [e.data for e in await records.events(id) if e.type == "handoff"][-1]
        assert (shown["holder"], shown["department"]) == ("queued", "delivery")
        (case,) = await records.due_events()
        assert (case.fresh, case.tried, case.passed, case.told) == (True, ("olga",), ("care",), "")
        assert [note.text for note in await records.staff_notes(id)] == ["Call the depot."]

    async def test_whom_it_is_meant_for_is_offered_it_before_the_queue_chooses(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records)
        await pass_on(records, id, passing(clock, to="ivan", seconds=120))
        assert (await records.conversation(id)).assigned == "ivan"
        assert await records.due_events() == ()
        clock.pass_by(121)
        (case,) = await records.due_events()
        assert (case.assigned, case.tried, case.fresh) == ("ivan", ("olga",), False)

    async def test_one_that_waits_is_passed_on_unclaimed_and_the_department_that_had_it_is_not_asked_again(
        self, records: Store, clock: Clock
    ) -> None:
        id = await opened(records)
        await records.commit(escalation(await turn_for(records, id), id))
        await pass_on(records, id, passing(clock))
        (case,) = await records.due_events()
        assert (case.tried, case.passed) == ((), ("care",))
        assert [h.event for h in await records.handoffs(id)] == ["ask_person", "transfer"]

    async def test_nobody_passes_on_what_a_colleague_or_the_ai_has(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records)
        await refused(pass_on(records, id, passing(clock), operator="ivan"), TakenAlready, records, id)
        of_ai = await opened(records)
        await records.commit(answer(await turn_for(records, of_ai), of_ai))
        await refused(pass_on(records, of_ai, passing(clock)), NotPossible, records, of_ai)


class TestPuttingAside:
    async def test_it_stays_theirs_and_comes_back_at_the_time(self, records: Store, clock: Clock) -> None:
        id = await held(records)
        until = clock.now() + timedelta(hours=3)
        await records.snooze(id, operator="olga", until=until)
        state = await records.conversation(id)
        assert (state.stage, state.holder, state.operator) == ("snoozed", "person", "olga")
        assert await records.due_events() == ()
        clock.pass_by(3 * 3600)
        assert (await decided(records, clock)).wake
        state = await records.conversation(id)
        assert (state.stage, state.operator) == ("person", "olga")
        (case,) = await records.due_events()
        assert (case.woken, case.operator) == (True, "olga")
        assert [(h.event, h.cause, h.actor) for h in (await records.handoffs(id))[-2:]] == [
            ("snooze", "put_aside", "olga"),
            ("wake", "time_came", ""),
        ]

    async def test_the_customers_words_come_before_the_time_and_then_somebody_waits(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records)
        await records.snooze(id, operator="olga", until=clock.now() + timedelta(hours=3))
        await records.accept(id, key="r", action=Action(kind="rate", target="t"))
        assert (await records.conversation(id)).stage == "snoozed", "a rating asks for nothing"
        await records.accept(id, key="k", text="and?")
        assert (await records.conversation(id)).stage == "person"
        (case,) = await records.due_events()
        assert not case.woken

    async def test_who_speaks_or_takes_it_up_has_it_back(self, records: Store, clock: Clock) -> None:
        for by_words in (True, False):
            id = await held(records)
            await records.snooze(id, operator="olga", until=clock.now() + timedelta(hours=3))
            if by_words:
                await records.person_says(id, "Found it.", operator="olga", name="Olga")
            else:
                await records.wake(id, operator="olga")
            assert (await records.conversation(id)).stage == "person"
            assert bool(await records.due_events()) != by_words

    async def test_another_time_takes_the_place_of_the_first(self, records: Store, clock: Clock) -> None:
        id = await held(records)
        for hours in (1, 5):
            await records.snooze(id, operator="olga", until=clock.now() + timedelta(hours=hours))
        clock.pass_by(2 * 3600)
        assert await records.due_events() == ()
        assert [h.event for h in await records.handoffs(id)][-2:] == ["snooze", "snooze"]

    async def test_nobody_puts_aside_a_customer_who_waits_for_their_first_words(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records, spoken=False)
        later = clock.now() + timedelta(hours=1)
        await refused(records.snooze(id, operator="olga", until=later), AnswerFirst, records, id)
        await refused(records.snooze(id, operator="ivan", until=later), NotYours, records, id)
        await refused(records.wake(id, operator="olga"), NotPossible, records, id)

    async def test_what_came_back_in_its_time_may_be_put_aside_again(
        self, records: Store, clock: Clock
    ) -> None:
        id = await held(records)
        await records.snooze(id, operator="olga", until=clock.now() + timedelta(hours=1))
        clock.pass_by(3601)
        await decided(records, clock)
        clock.pass_by(10)
        await records.snooze(id, operator="olga", until=clock.now() + timedelta(hours=1))
        assert (await records.conversation(id)).stage == "snoozed"
