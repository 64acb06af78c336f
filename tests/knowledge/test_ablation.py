"""`mayak eval retrieval --ablate` and scenarios: every part off in turn, one search against several."""

import json

import pytest
import typer
from typer.testing import CliRunner

from evals.ablation import VARIANTS, table
from evals.retrieval import retrieval
from knowledge.rank.mix import mix
from knowledge.records import read_questions
from tests.knowledge.test_dialogue import STORY, TALES


@pytest.fixture
def files(tmp_path) -> list[str]:
    def lines(name: str, rows) -> str:
        path = tmp_path / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return str(path)

    passages = [{"id": name, "title": title, "text": text} for name, (title, text) in TALES.items()]
    questions = [
        {"qid": "1", "question": "hello", "scenario": STORY, "gold_ids": ["crack", "card", "photo"]},
        {"qid": "2", "question": "and how long?", "context": ["gift cards"], "gold_ids": ["card"]},
    ]
    return ["--passages", lines("p.jsonl", passages), "--questions", lines("q.jsonl", questions),
            "--embedder", "fake", "--cache", str(tmp_path / "cache")]  # fmt: skip


def call(*words: str):
    app = typer.Typer()
    app.command()(retrieval)
    return CliRunner().invoke(app, list(words))


def test_a_scenario_is_searched_for_more_than_once_and_the_one_search_is_told_beside_it(files):
    found = json.loads(call(*files, "-k", "3", "--json").stdout)
    assert found["recall@k"] == 1.0
    assert set(found["one_search"]) == {"hit@1", "mrr@10", "recall@k"}
    assert found["recall_gain"] == pytest.approx(1.0 / found["one_search"]["recall@k"], abs=1e-3)


def test_with_one_search_allowed_nothing_is_gained(files):
    found = json.loads(call(*files, "-k", "3", "--searches", "1", "--json").stdout)
    assert "one_search" not in found


def test_a_scenario_goes_before_the_first_words_of_it(files):
    from pathlib import Path

    asked = read_questions(Path(files[3]))
    assert [one.story for one in asked] == [True, False]
    assert asked[0].text == STORY


def test_every_part_is_left_out_in_turn_for_every_set(files):
    found = json.loads(call(*files, *files[:4], "-k", "3", "--ablate", "--json").stdout)
    (variants,) = found.values()
    assert set(variants) == {one.name for one in VARIANTS}
    assert variants["whole"]["recall@k"] == 1.0
    alone = json.loads(call(*files, "-k", "3", "--json").stdout)["one_search"]
    assert variants["story in one search"]["recall@k"] == alone["recall@k"]


@pytest.mark.parametrize("variant", VARIANTS[1:], ids=lambda one: one.name)
def test_a_variant_changes_the_search_in_one_way(variant):
    ways = [variant.change(mix()) != mix(), variant.plain, variant.searches is not None]
    assert ways.count(True) == 1


def test_the_table_has_one_row_for_each_variant():
    shown = table(
        {
            "kb/a": {
                "whole": {"hit@1": 0.5, "recall@k": 1.0},
                "without words": {"hit@1": 0.25, "recall@k": 1.0},
            }
        }
    )
    assert "| without words | 0.250 | 1.000 |" in shown.splitlines()


def test_several_sets_without_ablation_are_refused(files):
    assert call(*files, *files[:4], "--json").exit_code == 2
