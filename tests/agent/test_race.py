"""Hedged calls: the next remote model is asked beside a slow one, the first usable answer wins, losers are paid."""

import asyncio

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage

from agent.errors import WriterFailed
from agent.link import Asking, Link
from agent.models import ModelChain
from agent.provider import unavailable
from tests.scripted import ScriptedModel, says


class Slow(ScriptedModel):
    """Answers after `seconds`; tells when it was cancelled."""

    seconds: float = 0.0
    cancelled: bool = False

    async def _agenerate(self, *args: object, **more: object):  # type: ignore[no-untyped-def, override]
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self._generate(*args, **more)  # type: ignore[arg-type]


def link(name: str, model: BaseChatModel, *, local: bool = False) -> Link:
    return Link(name=name, model=model, timeout=5.0, local=local, price=(1.0, 10.0))


async def ask(model: BaseChatModel) -> AIMessage:
    return await model.ainvoke([HumanMessage("question")])


async def test_a_slow_model_is_overtaken_and_cancelled_and_its_cost_is_counted() -> None:
    slow = Slow(steps=[says("late")], seconds=5)
    quick = Slow(steps=[says("in time", tokens=(100, 10))])
    chain = ModelChain([link("slow", slow), link("quick", quick)], hedge=0.05)
    reply = await chain.ask(Asking(call=ask, tokens=90))
    assert (reply.link, reply.message.text) == (1, "in time")
    assert slow.cancelled
    assert [(c.model, c.prompt, c.completion, c.estimated) for c in reply.charges] == [
        ("quick", 100, 10, False),
        ("slow", 90, 10, True),
    ]
    assert reply.charges[0].usd == pytest.approx(0.0002)
    assert reply.tried == ("slow: slower",)
    assert chain.links[0].breaker.failures == 0, "to be slower is no fault"


async def test_a_model_that_answers_before_the_delay_is_asked_alone() -> None:
    second = Slow(steps=[says("unasked")])
    chain = ModelChain([link("first", Slow(steps=[says("a")])), link("second", second)], hedge=1)
    reply = await chain.ask(Asking(call=ask))
    assert reply.link == 0
    assert second.asked == []


async def test_without_a_delay_the_models_are_asked_one_after_another() -> None:
    second = Slow(steps=[says("unasked")])
    chain = ModelChain([link("first", Slow(steps=[says("a")], seconds=0.2)), link("second", second)])
    assert (await chain.ask(Asking(call=ask))).link == 0
    assert second.asked == []


async def test_the_local_model_never_races_with_better_ones() -> None:
    local = ScriptedModel(steps=[says("quoted")])
    slow = Slow(steps=[says("thought about")], seconds=0.2)
    chain = ModelChain([link("slow", slow), link("local", local, local=True)], hedge=0.01)
    assert (await chain.ask(Asking(call=ask))).message.text == "thought about"
    assert local.asked == []


async def test_when_the_hedge_fails_the_slow_one_still_answers() -> None:
    slow = Slow(steps=[says("late but right")], seconds=0.2)
    broken = Slow(steps=[ValueError("no JSON")])
    chain = ModelChain([link("slow", slow), link("broken", broken)], hedge=0.02)
    reply = await chain.ask(Asking(call=ask))
    assert reply.message.text == "late but right"
    assert reply.tried[0].startswith("broken: unreadable")


async def test_an_answer_that_is_not_accepted_leads_to_the_next_model_and_is_paid() -> None:
    def russian_only(message: AIMessage) -> None:
        if message.text.isascii():
            raise unavailable("wrong_language", "en, not ru", message=message)

    first = ScriptedModel(steps=[says("in English", tokens=(5, 5))])
    second = ScriptedModel(steps=[says("по-русски", tokens=(5, 5))])
    chain = ModelChain([link("first", first), link("second", second)])
    reply = await chain.ask(Asking(call=ask, accept=russian_only))
    assert reply.link == 1
    assert [charge.model for charge in reply.charges] == ["first", "second"]
    assert chain.links[0].breaker.failures == 0


async def test_models_that_may_not_be_asked_are_passed_over_and_named() -> None:
    first, second = ScriptedModel(steps=[]), ScriptedModel(steps=[says("ours")])
    chain = ModelChain([link("far", first), link("near", second, local=True)])
    asking = Asking(call=ask, permit=lambda link: "" if link.local else "model:external")
    reply = await chain.ask(asking)
    assert (reply.message.text, reply.withheld, reply.tried) == ("ours", ("model:external",), ())
    with pytest.raises(WriterFailed, match="model:external"):
        await ModelChain([link("far", first)]).ask(asking)


async def test_an_unknown_error_stops_the_race_and_is_told_as_it_is() -> None:
    slow = Slow(steps=[says("late")], seconds=5)
    wrong = Slow(steps=[RuntimeError("a mistake of ours")])
    chain = ModelChain([link("slow", slow), link("wrong", wrong)], hedge=0.02)
    with pytest.raises(RuntimeError):
        await chain.ask(Asking(call=ask))
    assert slow.cancelled
