"""A turn whose batch grew by messages that came before anything was sent."""

from dataclasses import replace

import pytest

from agent.domain import Action, Answered, Escalated
from agent.fake import FakeWriter, InlineSteps
from agent.records.errors import Superseded
from tests.agent.test_turn import GROUNDED, decide, house, situation
from tools.context import MessageId, TurnId


async def test_a_request_for_a_person_that_joined_a_question_is_seen_first() -> None:
    first = situation("за сколько дней можно вернуть товар?")
    more = replace(first.batch[0], id=MessageId("m2"), seq=2, key="k2")
    for last in (
        replace(more, text="позовите человека"),
        replace(more, text="", action=Action(kind="person")),
    ):
        ledger, writer = await decide(replace(first, batch=(*first.batch, last)))
        assert ledger.record.outcome == Escalated(reason="customer_asked")
        assert ledger.record.ticket is not None
        assert "вернуть товар" in ledger.record.ticket.summary
        assert writer.asked == []


async def test_three_short_messages_are_one_question() -> None:
    first = situation("здравствуйте")
    lines = ("за сколько дней", "можно вернуть товар?")
    rest = [
        replace(first.batch[0], id=MessageId(f"m{n}"), seq=n, key=f"k{n}", text=text)
        for n, text in enumerate(lines, 2)
    ]
    ledger, writer = await decide(replace(first, batch=(*first.batch, *rest)), GROUNDED)
    assert ledger.record.outcome == Answered()
    assert [brief.question for brief in writer.asked] == [
        "здравствуйте\nза сколько дней\nможно вернуть товар?"
    ]


async def test_an_attempt_that_was_taken_back_sends_nothing_and_the_next_one_does() -> None:
    turn, ledger = house(situation("за сколько дней можно вернуть товар?"), FakeWriter(GROUNDED, GROUNDED))
    ledger.attempt = 2
    with pytest.raises(Superseded):
        await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.appended == []
    assert ledger.records == []
    await turn.run(TurnId("t1"), steps=InlineSteps(attempt=2))
    assert ledger.record.outcome == Answered()
    assert len(ledger.appended) == 1
