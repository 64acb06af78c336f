"""Budgets of tokens and money: by turn, conversation and day; over them the house answers by itself and says why."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from agent.fake import FakeGate
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import Caps
from agent.policy.budget import Budget, over
from agent.records.purse import FakePurse
from agent.spending import Account, Charge, Spent
from tests.agent.library import ALLOWING, CountingSteps, LibraryTools, brief, caller, no_status, pack
from tests.scripted import ScriptedModel, calls, says
from tools.context import ConversationId, TurnId

CAPS = Caps(
    usd_per_turn=0.1,
    usd_per_conversation=0.5,
    usd_per_day=20,
    tokens_per_turn=1000,
    tokens_per_conversation=5000,
    tokens_per_day=100_000,
)


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        (Account(), None),
        (Account(turn=Spent(tokens=901)), "budget_turn_tokens"),
        (Account(turn=Spent(usd=0.095)), "budget_turn_usd"),
        (Account(conversation=Spent(tokens=4901)), "budget_conversation_tokens"),
        (Account(conversation=Spent(usd=0.495)), "budget_conversation_usd"),
        (Account(day=Spent(tokens=99_901)), "budget_day_tokens"),
        (Account(day=Spent(usd=19.995)), "budget_day_usd"),
        (Account(turn=Spent(tokens=900), conversation=Spent(tokens=4900), day=Spent(tokens=99_900)), None),
    ],
)
def test_a_call_fits_until_it_would_break_a_cap(account: Account, reason: Budget | None) -> None:
    assert over(CAPS, account, tokens=100, usd=0.01) == reason


def test_money_caps_say_nothing_where_no_price_is_known() -> None:
    assert over(CAPS, Account(day=Spent(usd=20)), tokens=1, usd=0) is None


def loop(*steps: object, purse: FakePurse, answers: int = 1, **caps: float) -> tuple[Loop, ScriptedModel]:
    remote = ScriptedModel(steps=list(steps))
    local = ScriptedModel(steps=[says("Книгу выдают на 21 день. [rules#2]")] * answers)
    links = [
        Link(name="far", model=remote, timeout=2, local=False, price=(10.0, 100.0), max_tokens=100),
        Link(name="house", model=local, timeout=2, local=True),
    ]
    return Loop(
        ModelChain(links), toolbox=LibraryTools(), pack=pack(**caps), purse=purse, gate=ALLOWING
    ), remote


ANSWER = says("Книгу выдают на 21 день. [rules#2]", tokens=(1000, 50))


async def test_over_the_turns_tokens_the_house_goes_on_by_itself_and_says_so() -> None:
    first = calls(("list_loans", {}))
    first.usage_metadata = {"input_tokens": 3000, "output_tokens": 50, "total_tokens": 3050}
    writer, remote = loop(first, ANSWER, purse=FakePurse(), tokens_per_turn=4500)
    draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
    assert draft.model == "house"
    assert draft.withheld == ("budget_turn_tokens",)
    assert len(remote.asked) == 1


async def test_one_conversation_over_its_budget_does_not_touch_another() -> None:
    purse = FakePurse()
    writer, _ = loop(ANSWER, ANSWER, purse=purse, usd_per_conversation=0.035, usd_per_turn=1)
    one = brief(who=caller("loans:read"))
    other = brief(who=replace(caller("loans:read"), conversation=ConversationId("c2")))
    models = []
    for asked in (one, one, other):
        draft = await writer.write(asked, steps=CountingSteps(), status=no_status)
        models.append((draft.model, draft.withheld))
    assert models == [("far", ()), ("house", ("budget_conversation_usd",)), ("far", ())]


async def test_the_days_budget_holds_for_everybody_and_ends_at_the_companys_midnight() -> None:
    purse = FakePurse()
    writer, _ = loop(ANSWER, ANSWER, purse=purse, tokens_per_day=5000, answers=2)
    purse.rows.append(
        (ConversationId("c9"), date(2026, 11, 24), Charge(model="far", prompt=4900, completion=0))
    )
    # The library is in Moscow: 20:59 in Greenwich is still the 24th there, 21:00 is the 25th.
    late = brief(who=replace(caller("loans:read"), now=datetime(2026, 11, 24, 20, 59, tzinfo=UTC)))
    next_day = brief(who=replace(caller("loans:read"), now=datetime(2026, 11, 24, 21, 0, tzinfo=UTC)))
    before = await writer.write(late, steps=CountingSteps(), status=no_status)
    after = await writer.write(next_day, steps=CountingSteps(), status=no_status)
    assert (before.model, before.withheld) == ("house", ("budget_day_tokens",))
    assert after.model == "far"


async def test_a_call_that_was_refused_is_paid_and_noted_all_the_same() -> None:
    refused = says("x", tokens=(700, 5))
    refused.additional_kwargs["refusal"] = "no"
    purse = FakePurse()
    writer, _ = loop(refused, purse=purse)
    draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
    assert draft.model == "house"
    assert draft.cost.prompt_tokens == 700
    assert [(charge.model, charge.prompt) for _, _, charge in purse.rows] == [("far", 700)]


async def test_a_replayed_turn_is_not_paid_twice() -> None:
    purse, steps = FakePurse(), CountingSteps()
    writer, _ = loop(ANSWER, purse=purse)
    first = await writer.write(brief(), steps=steps, status=no_status)
    again = await writer.write(brief(), steps=steps, status=no_status)
    assert first.cost == again.cost
    assert len(purse.rows) == 1


async def test_without_consent_words_do_not_leave_the_company() -> None:
    remote = ScriptedModel(steps=[ANSWER])
    local = ScriptedModel(steps=[says("Книгу выдают на 21 день. [rules#2]")] * 2)
    far = Link(name="far", model=remote, timeout=2, local=False)
    house = Link(name="house", model=local, timeout=2, local=True)
    writer = Loop(
        ModelChain([far, house]), toolbox=LibraryTools(), pack=pack(), purse=FakePurse(), gate=FakeGate()
    )
    draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
    assert (draft.model, draft.withheld) == ("house", ("model:external",))
    assert remote.asked == []
    allowed = brief(who=caller("loans:read", "model:external"))
    assert (await writer.write(allowed, steps=CountingSteps(), status=no_status)).model == "far"
    remote.steps.append(ANSWER)
    far.external = False
    assert (await writer.write(brief(), steps=CountingSteps(), status=no_status)).model == "far", (
        "our own server"
    )


async def test_charges_are_noted_under_their_turn() -> None:
    purse = FakePurse()
    await purse.note(
        Charge(model="far", prompt=1, completion=2, usd=0.5),
        conversation=ConversationId("a"),
        turn=TurnId("t"),
        day=date(2026, 11, 24),
    )
    assert await purse.spent(ConversationId("a"), day=date(2026, 11, 25)) == (
        Spent(tokens=3, usd=0.5),
        Spent(),
    )


async def test_a_consent_taken_back_while_a_slower_model_is_waited_for_is_heard() -> None:
    """The first model fails while the customer withdraws: the second one outside is never asked."""
    gate = FakeGate("model:external")

    class Withdrawing(ScriptedModel):
        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            gate.withdrawn.add("model:external")
            return super()._generate(*args, **kwargs)

    first, second = Withdrawing(steps=[says("")]), ScriptedModel(steps=[ANSWER])
    house = ScriptedModel(steps=[says("Книгу выдают на 21 день. [rules#2]")])
    links = [
        Link(name="first", model=first, timeout=2, local=False),
        Link(name="second", model=second, timeout=2, local=False),
        Link(name="house", model=house, timeout=2, local=True),
    ]
    writer = Loop(ModelChain(links), toolbox=LibraryTools(), pack=pack(), purse=FakePurse(), gate=gate)
    draft = await writer.write(brief(), steps=CountingSteps(), status=no_status)
    assert (draft.model, draft.withheld) == ("house", ("model:external",))
    assert (len(first.asked), second.asked) == (1, [])
