"""The bench of the turn: questions of the pack, and a short run against real servers."""

from collections import Counter
from pathlib import Path

import pytest

from api.bench.asking import questions, window
from api.bench.turn import bench_turn, table
from api.settings import read_settings
from tests.api.test_bench_soak import small_pack
from tests.conftest import ROOT


def test_questions_come_from_the_pack_with_an_order_after_every_fourth_and_begin_again_when_used_up() -> None:
    asked = questions(ROOT / "demo", 400)
    assert len(asked) == 400
    assert [text for text, _ in asked[:10]].count("1045-A?") == 2
    assert {language for _, language in asked} == {"ru", "en"}
    assert max(Counter(asked).values()) > 1


@pytest.mark.heavy
async def test_a_short_real_run_starts_twice_and_times_every_question(tmp_path: Path) -> None:
    settings = read_settings(
        {"MAYAK_EMBEDDER": "fake", "MAYAK_COMPANY": str(small_pack(tmp_path)), "MAYAK_SENDER": "outbox"}
    )
    figures = await bench_turn(settings, asked=6)
    assert figures["questions"] == 6
    assert sum(figures["outcomes"].values()) == 6
    assert figures["cold_start_s"] > 0
    assert figures["second_start_s"] > 0
    assert 0 < figures["whole_answer_ms"]["p50"] <= figures["whole_answer_ms"]["max"]
    assert figures["resident_mib"] > 50
    assert "6 questions, one after another" in table(figures)


def test_the_clock_starts_when_the_window_of_the_message_closes() -> None:
    assert window("Сколько стоит доставка по городу?", quiet_ms=700) == 0.25
    assert window("Доставка", quiet_ms=700) == 0.7
    assert window("Доставка", quiet_ms=0) == 0
