"""One contract for every memory of the agent: a message that comes before anything was sent restarts the turn."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from agent.domain import Action, ActionKind, Waiting
from agent.records.errors import Superseded, UnknownTurn
from tests.contracts.memory import (
    ONE,
    Store,
    answer,
    clock,
    granted,
    opened,
    records,
    rung,
    said,
    turn_for,
)
from tools.context import ConversationId, TurnId

__all__ = ["clock", "records", "rung"]

PERSON = Action(kind="person")


async def late(records: Store, id: ConversationId, text: str = "and more", **how: Action) -> int:
    """A message that comes while a turn runs; returns which attempt of the turn may write after it."""
    turn = await records.next_batch(id)
    assert turn is not None
    await records.accept(id, key=f"late-{text}-{how}", text="" if how else text, **how)
    return await records.attempt_of(turn)


async def batch(records: Store, turn: TurnId) -> list[str]:
    return [i.text for i in (await records.situation(turn)).batch]


async def test_a_message_before_the_first_sentence_joins_the_turn_and_there_is_one_answer(
    records: Store,
) -> None:
    id = await opened(records)
    turn = await turn_for(records, id, "where is my order?")
    assert await late(records, id, "1045") == 0
    assert [i.text for i in await records.unassigned(id)] == ["1045"]
    await records.accept(id, key="third", text="please")
    assert await records.next_batch(id) == turn
    assert await records.attempt_of(turn) == 2
    assert await batch(records, turn) == ["where is my order?", "1045", "please"]
    assert await records.append(turn, 0, ONE, attempt=2)
    assert await records.commit(answer(turn, id, "One."), attempt=2)
    assert await records.next_batch(id) is None
    assert len(await said(records, id)) == 4


async def test_the_attempt_that_was_taken_back_writes_nothing_more(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    await late(records, id)
    for _ in range(2):
        with pytest.raises(Superseded):
            await records.append(turn, 0, ONE)
        with pytest.raises(Superseded):
            await records.commit(answer(turn, id))
        await records.next_batch(id)
    assert await records.commit(answer(turn, id), attempt=2)
    assert not await records.commit(answer(turn, id)), "its outcome is there"
    assert [author for author, _ in await said(records, id)] == ["customer", "customer", "ai"]


async def test_a_turn_begins_again_once(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    await late(records, id, "one")
    assert await late(records, id, "two") == 2
    assert await records.unassigned(id) == ()
    assert await records.commit(answer(turn, id), attempt=2)
    after = await records.next_batch(id)
    assert after is not None
    assert after != turn
    assert await batch(records, after) == ["two"]


async def test_a_sent_sentence_stands_and_the_late_message_is_the_next_turn(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    await records.append(turn, 0, ONE)
    assert await late(records, id) == 1
    assert await records.commit(answer(turn, id))
    assert await records.next_batch(id) not in (None, turn)


async def test_a_recorded_consent_stands(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    await records.consent(turn, granted())
    assert await late(records, id) == 1


async def test_a_turn_of_a_button_never_begins_again(records: Store) -> None:
    kinds: tuple[ActionKind, ...] = ("consent", "confirm", "person", "rate", "ai")
    for kind in kinds:
        id = await opened(records)
        await records.accept(id, key="b", action=Action(kind=kind, target="t"))
        assert await late(records, id) == 1, kind


async def test_a_typed_answer_to_our_question_stands_and_another_question_does_not(records: Store) -> None:
    consent = {"outcome": Waiting(what="consent", target="orders:read")}
    confirmation = {"outcome": Waiting(what="confirmation", target="p")}
    for text, attempt in (("yes", 1), ("no, thanks", 1), ("how long is it kept?", 0)):
        for asked in (consent, {**confirmation, "proposal": {"id": f"{text}-p", "arguments": {}}}):
            id = await opened(records)
            await records.commit(answer(await turn_for(records, id), id, **asked))
            await turn_for(records, id, text)
            assert await late(records, id) == attempt, (text, asked)


async def test_a_plain_yes_that_answers_nothing_may_begin_again(records: Store) -> None:
    id = await opened(records)
    await turn_for(records, id, "yes")
    assert await late(records, id) == 0


async def test_a_request_for_a_person_that_comes_late_is_part_of_the_turn(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id, "where is my order?")
    assert await late(records, id, action=PERSON) == 0
    await records.accept(id, key="more", text="it is urgent")
    assert await records.next_batch(id) == turn
    assert [i.action for i in (await records.situation(turn)).batch] == [None, PERSON]
    await records.commit(answer(turn, id), attempt=2)
    after = await records.next_batch(id)
    assert after is not None
    assert await batch(records, after) == ["it is urgent"]


async def test_any_other_late_button_waits_and_what_comes_after_it_keeps_its_place(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id)
    assert await late(records, id, action=Action(kind="rate", target="t")) == 1
    assert await late(records, id, "more") == 1
    await records.commit(answer(turn, id))
    second = await turn_after(records, id)
    assert [i.action is None for i in (await records.situation(second)).batch] == [False]
    await records.commit(answer(second, id))
    assert await batch(records, await turn_after(records, id)) == ["more"]


async def turn_after(records: Store, id: ConversationId) -> TurnId:
    turn = await records.next_batch(id)
    assert turn is not None
    return turn


async def test_waiting_words_and_an_answering_button_are_two_turns(records: Store) -> None:
    id = await opened(records)
    yes = Action(kind="consent", target="orders:read")
    await records.accept(id, key="a", text="hm")
    await records.accept(id, key="b", action=yes)
    await records.accept(id, key="c", text="and then?")
    seen = []
    while (turn := await records.next_batch(id)) is not None:
        seen.append([i.action or i.text for i in (await records.situation(turn)).batch])
        await records.commit(answer(turn, id))
    assert seen == [["hm"], [yes], ["and then?"]]


async def test_a_quick_reply_is_words(records: Store) -> None:
    id = await opened(records)
    await records.accept(id, key="a", action=Action(kind="say", target="Delivery"))
    assert await late(records, id, action=Action(kind="say", target="Returns")) == 0


async def test_a_message_to_the_person_who_holds_the_conversation_takes_nothing_back(records: Store) -> None:
    id = await opened(records)
    await turn_for(records, id)
    await records.claim(id, operator="olga", name="Olga")
    assert await late(records, id) == 1


async def test_the_same_message_again_takes_nothing_back(records: Store) -> None:
    id = await opened(records)
    turn = await turn_for(records, id, "hello")
    assert not (await records.accept(id, key="hello-0", text="hello")).new
    assert await records.attempt_of(turn) == 1


async def test_an_unknown_turn_has_no_attempt(records: Store) -> None:
    with pytest.raises(UnknownTurn):
        await records.attempt_of(TurnId("nothing"))


async def refused(*calls: Awaitable[Any], turned: bool) -> bool:
    """Run the calls at once, in the other order when `turned`; tell whether one found itself superseded."""
    results = await asyncio.gather(*(reversed(calls) if turned else calls), return_exceptions=True)
    faults = [result for result in results if isinstance(result, BaseException)]
    assert all(isinstance(fault, Superseded) for fault in faults), faults
    return bool(faults)


async def test_of_a_first_sentence_and_a_late_message_at_once_exactly_one_is_first(records: Store) -> None:
    for n in range(12):
        id = await opened(records)
        turn = await turn_for(records, id)
        late = records.accept(id, key="late", text="late")
        lost = await refused(records.append(turn, 0, ONE), late, turned=n % 2 == 1)
        assert (await records.attempt_of(turn) == 0) == lost
        assert (await records.sent(turn) == ()) == lost


async def test_of_a_commit_and_a_late_message_at_once_exactly_one_is_first(records: Store) -> None:
    for n in range(12):
        id = await opened(records)
        turn = await turn_for(records, id)
        late = records.accept(id, key="late", text="late")
        lost = await refused(records.commit(answer(turn, id)), late, turned=n % 2 == 1)
        assert (await records.next_batch(id) == turn) == lost
        assert (await records.receipt(id, turn) is None) == lost
