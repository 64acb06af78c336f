"""Changes above the company's limits wait for a person, with what the customer confirmed in the card."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from agent.domain import Action, Escalated
from agent.fake import FakeNotices, FakeWriter, InlineSteps
from agent.policy.approval import Over, above
from agent.terms import WriteLimits
from tests.agent.desk import FakeActions, Ledger, proposal
from tests.agent.test_turn import CLOCK, PHRASES, house, situation
from tools.context import Language, TurnId
from tools.proposal import Fact, Proposal

TODAY = date(2026, 11, 23)
LIMITS = WriteLimits(amount=Decimal(5000), per_day=3, order_age_days=30)
SMALL: Mapping[str, Fact] = {"total": 4000, "refund": 4000, "worth": 4000, "placed": "2026-11-20"}


@pytest.mark.parametrize(
    ("facts", "done", "over"),
    [
        (SMALL, 0, ()),
        (SMALL, 2, ()),
        (SMALL, 3, ("per_day",)),
        ({**SMALL, "total": 5000}, 0, ()),
        ({**SMALL, "total": 5000.01}, 0, ("amount",)),
        ({**SMALL, "difference": -5001}, 0, ("amount",)),
        ({**SMALL, "placed": "2026-10-24"}, 0, ()),
        ({**SMALL, "placed": "2026-10-23"}, 0, ("order_age",)),
        # A part of a dear order is as much as it is; its address is as much as the order.
        ({"later": 900, "worth": 90_000, "placed": "2026-11-20"}, 0, ()),
        ({"new_address": "…", "worth": 90_000, "placed": "2026-11-20"}, 0, ("amount",)),
        # An address in a profile is no order's.
        ({"new_address": "…"}, 0, ()),
        # What cannot be read is above.
        ({"total": "much", "placed": "soon"}, 9, ("amount", "per_day", "order_age")),
        ({"total": "NaN"}, 0, ("amount",)),
    ],
)
def test_a_change_is_above_the_limits_it_is_above(
    facts: Mapping[str, Fact], done: int, over: tuple[Over, ...]
) -> None:
    assert above(facts, limits=LIMITS, done=done, today=TODAY) == over


@pytest.mark.parametrize(
    ("currency", "over"), [("RUB", ()), ("EUR", ("amount",)), ("KZT", ("amount",)), ("", ())]
)
def test_an_amount_in_another_currency_than_the_limits_is_above_it(
    currency: str, over: tuple[Over, ...]
) -> None:
    facts = {"total": 10, "currency": currency}
    assert above(facts, limits=LIMITS, done=0, today=TODAY, currency="RUB") == over
    # Where no limit is set, none can be passed; an address in a profile has no amount in any currency.
    assert above(facts, limits=WriteLimits(), done=0, today=TODAY, currency="RUB") == ()
    moved: Mapping[str, Fact] = {"new_address": "…", "currency": currency}
    assert above(moved, limits=LIMITS, done=0, today=TODAY, currency="RUB") == ()


def test_a_company_without_limits_leaves_it_to_the_customer() -> None:
    assert above({"total": 10**9, "placed": "1999-01-01"}, limits=WriteLimits(), done=99, today=TODAY) == ()


def dear(*, age: timedelta = timedelta(0)) -> Proposal:
    return replace(proposal(CLOCK.now() - age), facts={"total": 100_001, "placed": "2026-11-20"})


async def confirmed(
    offered: Proposal, *, language: Language = "ru", done: int = 0
) -> tuple[Ledger, FakeActions]:
    actions = FakeActions()
    at = situation(action=Action(kind="confirm", target=offered.id), proposal=offered.to_dict())
    at = replace(at, conversation=replace(at.conversation, language=language))
    turn, ledger = house(at, FakeWriter(), actions=actions)
    ledger.done = done
    await turn.run(TurnId("t1"), steps=InlineSteps())
    return ledger, actions


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_a_confirmed_change_above_a_limit_is_handed_over_and_not_made(language: Language) -> None:
    ledger, actions = await confirmed(dear(), language=language)
    assert actions.executed == []
    assert ledger.record.outcome == Escalated(reason="needs_approval")
    assert ledger.record.closed_proposal == (dear().id, "handed_over")
    assert ledger.record.ticket is not None
    assert ledger.record.ticket.rejected == "amount: confirm 1051"
    assert ledger.record.replies[0].text.startswith(PHRASES.say("person.needs_approval", language))


async def test_the_eleventh_change_of_a_day_is_handed_over_and_the_tenth_is_made() -> None:
    ledger, actions = await confirmed(proposal(CLOCK.now()), done=9)
    assert len(actions.executed) == 1
    ledger, actions = await confirmed(proposal(CLOCK.now()), done=10)
    assert actions.executed == []
    assert ledger.record.ticket is not None
    assert ledger.record.ticket.rejected.startswith("per_day: ")


async def test_what_is_out_of_date_is_nobodys_to_approve() -> None:
    ledger, _ = await confirmed(dear(age=timedelta(hours=1)))
    assert ledger.record.ticket is None
    assert ledger.record.replies[0].text == PHRASES.say("confirm.expired", "ru")


async def test_an_altered_proposal_is_nobodys_to_approve() -> None:
    altered = {**dear().to_dict(), "arguments": {"order_id": "1"}}
    at = situation("да", proposal=altered)
    turn, ledger = house(at, FakeWriter())
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert ledger.record.ticket is None


async def test_nobody_is_shown_work_that_is_not_done() -> None:
    notices = FakeNotices()
    at = situation("да", proposal=dear().to_dict())
    turn, _ = house(at, FakeWriter())
    turn.notices = notices
    await turn.run(TurnId("t1"), steps=InlineSteps())
    assert notices.shown == []
