"""`mayak eval conflicts`: the planted pairs are many, apart and judged no worse than promised."""

import json
from collections import Counter

import pytest
import typer
from typer.testing import CliRunner

from evals.conflicts import HALVES, conflicts, interval, judge, measure, read_pairs
from tests.knowledge.shelf import write

KINDS = {"number", "date", "money", "term", "yes_no"}


def call(*words: str):
    app = typer.Typer()
    app.command()(conflicts)
    return CliRunner().invoke(app, list(words))


def test_the_halves_share_no_pair_and_hold_enough_of_both_sorts():
    pairs = [pair for half in HALVES for pair in read_pairs(half)]
    texts = Counter((pair.left.text, pair.right.text) for pair in pairs)
    assert len({pair.id for pair in pairs}) == len(pairs)
    assert max(texts.values()) == 1
    assert sum(bool(pair.conflict) for pair in pairs) >= 60
    assert sum(bool(pair.fine) for pair in pairs) >= 120
    assert all(bool(pair.conflict) != bool(pair.fine) for pair in pairs)
    assert {pair.conflict for pair in pairs if pair.conflict} == KINDS


@pytest.mark.parametrize(("half", "recall", "precision"), [("tuned", 0.9, 0.9), ("held", 0.8, 0.8)])
def test_planted_pairs_are_told_apart_no_worse_than_measured(half, recall, precision):
    figures = measure([(pair, judge(pair)) for pair in read_pairs(half)])
    assert figures["recall"] >= recall
    assert figures["precision"] >= precision


def test_the_interval_of_a_share_is_wilsons():
    assert interval(8, 10) == [0.49, 0.943]
    assert interval(0, 0) == [0.0, 1.0]


def test_figures_and_what_is_found_in_a_company_are_printed(tmp_path):
    texts = {"ru/a.md": "# Пункты\n\nЗаказ хранится в пункте выдачи 7 дней.\n", "ru/b.md": "# Заказ\n\nЗаказ хранится в пункте выдачи 5 дней.\n"}  # fmt: skip
    write(tmp_path / "pack" / "knowledge", texts)
    (tmp_path / "pack" / "questions.yaml").write_text('- {q: "Сколько хранится заказ?"}\n', encoding="utf-8")
    done = call(
        "--company",
        str(tmp_path / "pack"),
        "--embedder",
        "fake",
        "--cache",
        str(tmp_path),
        "--json",
        "--wrong",
    )
    assert done.exit_code == 0
    figures = json.loads(done.stdout)
    assert figures["company"]["found"] == 1
    assert figures["company"]["documents"] == 2
    missed = round((1 - figures["whole"]["recall"]) * figures["whole"]["conflicts"])
    assert len(figures["wrong"]) >= missed
    assert "precision" in call().stdout
