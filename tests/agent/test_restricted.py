"""Of who asked that nothing of theirs be processed nothing is read by a model: a person gets every message."""

from dataclasses import replace

import pytest

from agent.domain import Draft, Escalated, Held, Holder
from tests.agent.test_turn import decide, situation


async def test_a_restricted_customer_gets_a_person_and_is_told_why() -> None:
    ledger, writer = await decide(replace(situation("Где мой заказ?"), restricted=True), Draft(kind="answer"))
    record = ledger.record
    assert record.outcome == Escalated(reason="restricted")
    assert "программа не обрабатывает" in record.replies[-1].text
    assert record.ticket is not None
    assert "Где мой заказ?" in record.ticket.summary
    assert record.evidence == ()
    assert writer.asked == []


@pytest.mark.parametrize("holder", ["queued", "person"])
async def test_while_a_person_is_there_nothing_is_said(holder: Holder) -> None:
    at = situation("Алло?")
    at = replace(at, restricted=True, conversation=replace(at.conversation, holder=holder))
    ledger, writer = await decide(at, Draft(kind="answer"))
    assert (ledger.record.outcome, ledger.record.replies) == (Held(), ())
    assert writer.asked == []
