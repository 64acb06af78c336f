"""Whole turns beside other agents: figures that can be checked by hand, and a run from end to end."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.bench.agents.compare import (
    AGENTS,
    OWN,
    agents_table,
    bench_long,
    compare_turns,
    long_talk,
    rated,
    ratios,
)
from api.bench.agents.port import Agent, Asked, FakeAgent, Job
from api.bench.agents.race import EACH, WARM_UP, opening_of, race
from api.bench.asking import documented
from api.bench.budget import Taken, account, bench_budget, budget_table
from api.settings import Settings, read_settings
from tests.api.test_bench_soak import small_pack
from tests.conftest import ROOT


def job(folder: Path, **what: object) -> Job:
    asked = tuple(Asked(question=f"q{n}?", language="ru") for n in range(4))
    return Job(
        url="http://127.0.0.1:9/v1",
        company=folder,
        data=folder,
        scratch=folder,
        embedder="fake",
        asked=asked,
        **what,  # type: ignore[arg-type]
    )


@asynccontextmanager
async def fake(_: Job, *, agent: FakeAgent) -> AsyncIterator[Agent]:
    yield agent


def test_a_job_survives_its_way_into_another_process(tmp_path: Path) -> None:
    evidence = ({"ref": "a#1", "title": "А", "text": "Да."},)
    one = Job(
        url="u",
        company=tmp_path,
        data=tmp_path,
        scratch=tmp_path,
        embedder="fake",
        asked=(Asked(question="Да?", language="ru", evidence=evidence),),
        in_flight=3,
    )
    assert Job.of_json(one.to_json()) == one


async def test_alone_at_once_and_long_are_asked_as_the_job_says(tmp_path: Path) -> None:
    agent = FakeAgent()
    told = await race(lambda j: fake(j, agent=agent), job(tmp_path, alone=True, in_flight=3, long=25))
    assert agent.said.pop("warm") == WARM_UP
    assert agent.said.pop("long") == len(told["long_ms"]) == 25
    assert {agent.said.pop(f"flight-{n}") for n in range(3)} == {EACH}
    assert set(agent.said.values()) == {1}
    assert len(agent.said) == len(told["ms"]) == told["answered"] == 4
    assert len(told["flight_ms"]) == 3 * EACH
    assert told["failed"] == 0


async def test_a_turn_that_fails_in_flight_is_counted_and_ends_nothing(tmp_path: Path) -> None:
    agent = FakeAgent(failing=WARM_UP + 2)
    told = await race(lambda j: fake(j, agent=agent), job(tmp_path, in_flight=2))
    assert told["failed"] == 1
    assert len(told["flight_ms"]) == 2 * EACH - 1
    assert "ConnectionError" in told["faults"][0]


def test_figures_of_an_agent_come_from_its_two_runs() -> None:
    alone = {"cpu_ms": 12.0, "ms": [float(n) for n in range(1, 101)], "answered": 100}
    flight = {"per_second": 40.0, "flight_cpu_ms": 20.0, "flight_ms": [500.0, 700.0], "failed": 1}
    assert rated(alone, flight) == {
        "cpu_ms": 12.0,
        "p50_ms": 50.0,
        "p95_ms": 95.0,
        "answered": 100,
        "per_second": 40.0,
        "flight_cpu_ms": 20.0,
        "flight_p95_ms": 700.0,
        "failed": 1,
    }
    assert "per_second" not in rated(alone, {})


def test_a_ratio_is_mayaks_figure_over_the_others_and_none_where_one_is_missing() -> None:
    own = {"cpu_ms": 30.0, "p50_ms": 50.0, "per_second": 20.0, "failed": 1}
    other = {"cpu_ms": 20.0, "p50_ms": 0.0, "failed": 2}
    assert ratios(own, other) == {"cpu_ms": 1.5}
    assert ratios(own, {"missing": "not installed"}) == {}


def test_a_long_talk_is_judged_by_medians_around_the_tenth_turn_and_of_the_last_ten() -> None:
    told = [10.0] * 50 + [14.0] * 50
    told[9], told[-1] = 900.0, 900.0
    assert long_talk(told) == {"turn_10_ms": 10.0, "turn_last_ms": 14.0, "ratio": 1.4}


def test_a_budget_shows_each_stage_of_the_turns_that_asked_the_model() -> None:
    ms = {"queue": 5.0, "retrieval": 20.0, "model": 200.0, "total": 225.0}
    turns = [
        Taken(ms=ms, whole=230.0, outcome="answered"),
        Taken(ms={**ms, "queue": 15.0, "total": 235.0}, whole=235.0, outcome="answered"),
        Taken(ms={"queue": 3.0, "total": 3.0}, whole=4.0, outcome="escalated"),
    ]
    told = account(turns)
    assert told["turns"] == 2
    assert told["outcomes"] == {"answered": 2, "escalated": 1}
    assert told["stages"]["queue"] == {"p50": 10.0, "p95": 15.0, "max": 15.0}
    assert told["stages"]["delivery"]["max"] == 5.0
    assert told["stages"]["outside the model"] == {"p50": 32.5, "p95": 35.0, "max": 35.0}
    assert "tools" not in told["stages"]
    table = budget_table({"machine": "m", "questions": 3, "stubs": {"200": told}})
    assert "outside the model" in table
    assert "200 ms" in table


def test_questions_of_the_comparison_are_those_a_document_answers_each_once() -> None:
    asked = documented(ROOT / "demo", 400)
    assert len(set(asked)) == len(asked) > 50
    assert documented(ROOT / "demo", 7) == asked[:7]


def test_an_agent_nobody_knows_is_refused() -> None:
    with pytest.raises(KeyError):
        opening_of("nobody")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "words"),
    [(["--stub", "0,soon"], "no list of delays"), (["--long", "5"], "no tenth")],
)
def test_a_wrong_wish_ends_with_a_message(options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "api.cli", "bench", "turn", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in " ".join(done.stderr.replace("│", "").split())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(
        {"MAYAK_EMBEDDER": "fake", "MAYAK_COMPANY": str(small_pack(tmp_path)), "MAYAK_SENDER": "outbox"}
    )


@pytest.mark.heavy
async def test_every_turn_record_of_a_real_server_carries_the_whole_budget(settings: Settings) -> None:
    figures = await bench_budget(settings, delays=[0, 30], asked=6)
    for one in figures["stubs"].values():
        assert sum(one["outcomes"].values()) == 6
        assert {"queue", "situation", "retrieval", "model", "check", "commit"} <= set(one["stages"])
    slow, quick = (figures["stubs"][delay]["stages"]["model"] for delay in ("30", "0"))
    assert slow["p50"] >= 30 > 0 < quick["p50"]


@pytest.mark.heavy
async def test_agents_race_on_the_same_stub_and_a_missing_one_is_named(settings: Settings) -> None:
    figures = await compare_turns(settings, documented(settings.company, 4), in_flight=3)
    assert figures["agents"]["parlant"] == {"missing": "not installed: give --parlant-python"}
    for name in (OWN, "langchain:given", "langchain:search", "openai:given", "openai:search"):
        row = figures["agents"][name]
        assert row["answered"] == 4, name
        assert row["failed"] == 0, name
        assert row["cpu_ms"] > 0, name
    assert figures["ratios"]["langchain:given"]["cpu_ms"] > 0
    table = agents_table(figures)
    assert all(shown in table for shown in AGENTS.values())


@pytest.mark.heavy
async def test_a_long_talk_is_held_in_one_conversation(settings: Settings) -> None:
    figures = await bench_long(settings, documented(settings.company, 5), turns=20)
    assert figures["turns"] == 20
    assert figures["ratio"] > 0
