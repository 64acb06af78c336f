"""The bench of the hand-off: what counts as lost, doubled and late, and a short real one with a killed server."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from api.bench.handoff.ledger import Call, Ledger, compared, faults, latencies, miscounts, tokens
from api.bench.handoff.run import Size, bench_handoff, handoff_table
from api.settings import read_settings
from tests.api.test_bench_soak import small_pack


def test_a_message_is_known_by_its_token_wherever_it_stands() -> None:
    page = "<p>Thank you. c-0a1b2c3d-1</p><p>c-0a1b2c3d-1 r-ffffffff-0</p><p>c-none-1 xc-0a1b2c3d-1x</p>"
    assert tokens(page) == Counter({"c-0a1b2c3d-1": 2, "r-ffffffff-0": 1})


def test_what_is_missing_is_lost_and_what_is_twice_or_never_sent_is_doubled() -> None:
    assert compared(["a", "b"], {"a": 1, "b": 1}) == (0, 0)
    assert compared(["a", "b"], {"a": 1}) == (1, 0)
    assert compared(["a", "b"], {"a": 3, "b": 1}) == (0, 2)
    assert compared(["a"], {"a": 1, "never": 1}) == (0, 1)


def test_a_call_across_an_outage_is_told_apart_and_counts_for_no_promise() -> None:
    ledger = Ledger(outages=[(10.0, 20.0)])
    ledger.calls = {
        "calm": Call(conversation="calm", way="button", asked=1.0, told=1.1, seen={"a": 1.2, "b": 1.5}),
        "across": Call(conversation="across", way="words", asked=9.0, told=21.0, seen={"a": 22.0}),
        "after": Call(conversation="after", way="words", asked=30.0, told=30.2, seen={"a": 30.4}),
        "never": Call(conversation="never", way="words", asked=40.0),
    }
    found = latencies(ledger)
    assert found["told_ms"] == {"p50": 150.0, "p95": 200.0, "max": 200.0}
    assert set(found["told_by_way_ms"]) == {"button", "words"}
    assert found["told_across_a_kill_ms"]["max"] == 12000.0
    assert found["visible_ms"]["max"] == 500.0
    assert found["first_list_ms"]["max"] == 400.0
    assert found["late"] == {"told": False, "visible": False}


def test_a_promise_that_was_not_kept_is_a_fault() -> None:
    ledger = Ledger()
    ledger.calls = {"a": Call(conversation="a", way="button", asked=1, told=1.301, seen={"op": 2.001})}
    good: dict[str, Any] = {
        **latencies(Ledger()),
        "messages": {end: {"lost": 0, "doubled": 0} for end in ("customer", "staff")},
        "calls": 1,
        "errors": {},
        **dict.fromkeys(("streamed_twice", "untold", "unseen", "unanswered"), 0),
    }
    assert faults(good) == []
    late = {**good, **latencies(ledger)}
    assert [fault.split(" in ")[0] for fault in faults(late)] == ["customers were told", "calls were visible"]
    assert miscounts(late) == []
    for wrong in (
        {"messages": {**good["messages"], "staff": {"lost": 1, "doubled": 0}}},
        {"messages": {**good["messages"], "customer": {"lost": 0, "doubled": 2}}},
        {"streamed_twice": 1},
        {"untold": 1},
        {"unseen": 1},
        {"unanswered": 1},
        {"calls": 0},
        {"errors": {"reply refused: 500": 1}},
    ):
        assert len(faults({**good, **wrong})) == 1


@pytest.mark.heavy
@pytest.mark.timeout(600)
async def test_no_message_is_lost_or_doubled_when_the_server_is_killed_in_the_middle(tmp_path: Path) -> None:
    settings = read_settings({"MAYAK_EMBEDDER": "fake", "MAYAK_COMPANY": str(small_pack(tmp_path))})
    size = Size(customers=12, operators=3, per_second=4, kill=True)
    figures = await bench_handoff(settings, size, quiet=True)
    assert miscounts(figures) == [], json.dumps(figures)
    assert figures["kills"] == 1
    assert figures["calls"] == 12
    assert figures["claims"]["won"] == 12
    # Two replies and two answers a conversation, and every second call was in words.
    assert figures["sent"] == 12 * 4 + 6
    assert "customer told" in handoff_table(figures)
