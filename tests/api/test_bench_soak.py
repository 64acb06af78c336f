"""The soak: what counts as lost or doubled, what grows, and a short real one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.bench.process import descriptors, folder_mib, resident_mib
from api.bench.soak import Sample, Tally, bench_soak, compared, faults, soak_table, summary
from api.settings import read_settings
from tests.conftest import ROOT


def line(author: str, turn: str | None, text: str) -> dict[str, str | None]:
    return {"author": author, "turn": turn, "text": text}


GOOD = [
    line("ai", None, "disclosure"),
    line("customer", None, "one?"),
    line("ai", "t1", "first"),
    line("customer", None, "two?"),
    line("ai", "t2", "second"),
    line("ai", "t2", "and a word more"),
]


def sample(seconds: float, *, turns: int, mib: float, files: int = 40) -> Sample:
    return Sample(
        seconds=seconds,
        turns=turns,
        resident_mib=mib,
        descriptors=files,
        data_mib=5.0,
        p50_ms=100.0,
        p95_ms=200.0,
    )


def test_a_clean_transcript_has_nothing_lost_and_nothing_twice() -> None:
    assert compared(GOOD, ["t1", "t2"]) == (0, 0)


def test_a_turn_without_a_line_is_lost() -> None:
    assert compared(GOOD[:4], ["t1", "t2"]) == (1, 0)


def test_an_answer_a_question_or_a_turn_too_many_is_counted() -> None:
    assert compared([*GOOD, GOOD[-1]], ["t1", "t2"]) == (0, 1)
    assert compared([*GOOD, GOOD[1]], ["t1", "t2"]) == (0, 1)
    assert compared([*GOOD, line("ai", "t9", "nobody asked")], ["t1", "t2"]) == (0, 1)


def test_growth_is_told_by_the_hour_and_by_the_thousand_turns() -> None:
    samples = [sample(60 * n, turns=100 * n, mib=400 + 2 * n) for n in range(6)]
    samples[0] = sample(0, turns=0, mib=90, files=3)  # still filling its pools: not part of the slope
    found = summary(Tally(times=[100.0] * 400 + [150.0] * 100), samples)
    assert found["growth"]["resident_mib"] == {"per_hour": 120.0, "per_1000_turns": 20.0}
    assert found["growth"]["descriptors"] == {"per_hour": 0.0, "per_1000_turns": 0.0}
    assert (found["p95_first_fifth_ms"], found["p95_last_fifth_ms"]) == (100.0, 150.0)


def test_whatever_must_not_be_is_a_fault() -> None:
    good = {**summary(Tally(times=[1.0]), []), "server_alive": True}
    assert faults(good) == []
    assert faults({**good, "unanswered": 2}) == ["2 unanswered"]
    assert faults({**good, "duplicates": 1}) == ["1 duplicates"]
    assert faults({**good, "errors": {"ReadTimeout: ": 3}}) == ["3 × ReadTimeout: "]
    assert faults({**good, "server_alive": False}) == ["the server ended"]
    assert faults({**good, "turns": 0}) == ["no turn was finished"]


def test_a_process_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert resident_mib(ended.pid) == 0
    assert descriptors(ended.pid) == 0
    (tmp_path / "a").write_bytes(b"0" * 2**20)
    assert folder_mib(tmp_path) == 1


@pytest.mark.heavy
async def test_a_short_real_soak_answers_every_question_once(tmp_path: Path) -> None:
    settings = read_settings(
        {"MAYAK_EMBEDDER": "fake", "MAYAK_COMPANY": str(small_pack(tmp_path)), "MAYAK_SENDER": "outbox"}
    )
    figures = await bench_soak(settings, minutes=0.1, customers=3)
    assert faults(figures) == [], json.dumps(figures, ensure_ascii=False)
    assert figures["turns"] >= 3
    assert figures["conversations"] >= 3
    assert sum(figures["outcomes"].values()) == figures["turns"]
    assert len(figures["samples"]) >= 5
    assert figures["samples"][-1]["resident_mib"] > 50
    assert figures["samples"][-1]["descriptors"] > 5
    assert "every question has one answer" in soak_table(figures)


def small_pack(folder: Path) -> Path:
    """The demo company with two documents: quick to start."""
    pack = folder / "pack"
    (pack / "knowledge" / "ru").mkdir(parents=True)
    for name in ("company.toml", "policy.toml", "questions.yaml"):
        shutil.copy(ROOT / "demo" / name, pack / name)
    shutil.copytree(ROOT / "demo" / "shop", pack / "shop")
    for name in ("ru/returns.md", "ru/courier.md"):
        shutil.copy(ROOT / "demo" / "knowledge" / name, pack / "knowledge" / name)
    return pack


@pytest.mark.parametrize("options", [["--minutes", "0"], ["--minutes", "1", "--customers", "0"]])
def test_a_soak_of_no_time_or_nobody_is_refused(options: list[str]) -> None:
    command = [sys.executable, "-m", "api.cli", "bench", "turn", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
