"""`mayak eval intents`: each bot has intents of its own, and the figures can be checked by hand."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from evals.intents import Example, intents, measure
from evals.selective import selective, share_interval
from knowledge.rank.intents import Guess

TRAIN = [
    {"text": "где мой заказ", "label": "delivery", "bot": "lamps"},
    {"text": "когда привезут заказ", "label": "delivery", "bot": "lamps"},
    {"text": "хочу вернуть товар", "label": "returns", "bot": "lamps"},
    {"text": "расскажи анекдот", "label": "oos", "in_scope": False, "bot": "lamps"},
    {"text": "where is my order", "label": "parcels", "source": "books"},
    {"text": "return a book", "label": "refunds", "source": "books"},
]
ASKED = [
    {"id": "a", "text": "где заказ", "label": "delivery", "in_scope": True, "bot": "lamps"},
    {"id": "b", "text": "вернуть товар", "label": "returns", "in_scope": True, "bot": "lamps"},
    {"id": "c", "text": "анекдот расскажи", "label": "oos", "in_scope": False, "bot": "lamps"},
    {"id": "d", "text": "my order", "label": "parcels", "in_scope": True, "source": "books"},
]


def call(tmp_path, train, asked, *words):
    for name, rows in (("t", train), ("q", asked)):
        (tmp_path / f"{name}.jsonl").write_text(
            "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
        )
    app = typer.Typer()
    app.command()(intents)
    return CliRunner().invoke(
        app,
        ["--train", str(tmp_path / "t.jsonl"), "--questions", str(tmp_path / "q.jsonl"), "--embedder", "fake",
         "--cache", str(tmp_path / "cache"), "--json", *words],
    )  # fmt: skip


def test_every_bot_is_read_by_its_own_examples(tmp_path):
    out = tmp_path / "r.jsonl"
    result = call(tmp_path, TRAIN, ASKED, "--results", str(out))
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert set(found["by_source"]) == {"lamps", "books"}
    assert found["accuracy"] == 1.0
    assert found["by_source"]["lamps"]["auroc"] == 1.0
    assert found["by_source"]["books"]["auroc"] is None
    assert {"aurc", "coverage@5%risk", "coverage@10%risk", "coverage@20%risk"} <= set(found)
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["a", "b", "c", "d"]
    assert all(set(row) == {"id", "label", "in_scope_score"} for row in rows)
    assert [row["label"] for row in rows][3] == "parcels"


def test_questions_without_labels_still_get_results(tmp_path):
    bare = [{"id": row["id"], "text": row["text"], "bot": row.get("bot") or row["source"]} for row in ASKED]
    out = tmp_path / "r.jsonl"
    result = call(tmp_path, TRAIN, bare, "--results", str(out))
    assert result.exit_code == 0, result.output
    assert "accuracy" not in json.loads(result.stdout)
    assert len(out.read_text(encoding="utf-8").splitlines()) == 4


@pytest.mark.parametrize(
    ("train", "asked"),
    [
        (TRAIN, [{"id": "x", "text": "привет", "bot": "nobody"}]),
        ([*TRAIN, {"text": "без имени", "bot": "lamps"}], ASKED),
        ([{"label": "a"}], ASKED),
        (TRAIN, []),
        ([{"text": "погода", "in_scope": False, "bot": "lamps"}], ASKED[:1]),
    ],
)
def test_examples_that_make_no_sense_end_with_one_and_a_remedy(tmp_path, train, asked):
    result = call(tmp_path, train, asked)
    assert result.exit_code == 1
    assert json.loads(result.stdout)["remedy"]


def test_answering_what_is_out_of_scope_is_wrong_and_an_unsure_wrong_label_costs_little():
    asked = [
        Example(id=str(n), text="", label=label, in_scope=label is not None, source="")
        for n, label in enumerate(["a", "a", "b", None])
    ]
    guesses = [Guess(label="a", in_scope=score) for score in (0.9, 0.8, 0.5, 0.6)]
    found = measure(asked, guesses)
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["auroc"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["coverage@5%risk"] == 0.5
    assert found["aurc"] == pytest.approx((1 / 3 + 1 / 2) / 4, abs=1e-4)


def test_intervals_hold_the_figure_and_narrow_with_more_rows():
    rng = np.random.default_rng(1)

    def width(n: int) -> float:
        positive = rng.random(n) < 0.5
        found = selective(rng.normal(size=n) + positive, wrong=~positive, positive=positive)
        low, high = found["intervals"]["auroc"]
        assert low <= found["auroc"] <= high
        return high - low

    assert width(2_000) < width(100) / 2
    assert share_interval(np.array([True] * 8 + [False] * 2)) == pytest.approx([0.4902, 0.9433], abs=1e-3)
    assert share_interval(np.array([], dtype=bool)) == [0.0, 1.0]


def test_the_interval_of_a_known_auroc_covers_it_as_often_as_it_says():
    # Normal scores one deviation apart: AUROC 0.7602.
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(40):
        positive = np.arange(200) % 2 == 0
        found = selective(rng.normal(size=200) + positive, wrong=~positive, positive=positive)
        low, high = found["intervals"]["auroc"]
        hits += low <= 0.7602 <= high
    assert hits >= 34
