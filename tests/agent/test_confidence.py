"""Confidence is arithmetic: bounded, monotone, with reasons."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as some

from agent.confidence import Signals, judge

UNIT = some.floats(0, 1)
SIGNALS = some.builds(Signals, retrieval=UNIT, match=UNIT, support=UNIT, from_tools=some.booleans())


@given(SIGNALS)
def test_it_is_a_probability(signals: Signals) -> None:
    assert 0 <= judge(signals).value <= 1


@given(SIGNALS, some.sampled_from(["retrieval", "match", "support"]))
def test_a_better_signal_never_makes_it_less_sure(signals: Signals, name: str) -> None:
    better = replace(signals, **{name: min(1.0, getattr(signals, name) + 0.1)})
    assert judge(better).value >= judge(signals).value


def test_weak_signals_are_named_worst_first() -> None:
    weak = judge(Signals(retrieval=0.1, match=0.3, support=0.5, from_tools=False))
    assert weak.reasons == ("low_retrieval", "low_match", "low_support")
    assert judge(Signals(retrieval=0.9, match=0.9, support=1, from_tools=False)).reasons == ()
