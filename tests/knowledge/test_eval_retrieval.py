"""`mayak eval retrieval` and `calibrate`: figures that can be checked by hand, files from outside, honest faults."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from evals import figures
from evals.calibrate import withheld
from evals.company import read_company
from evals.logistic import fit, held_out
from evals.retrieval import is_right
from knowledge.errors import BadRecords
from knowledge.rank.confidence import calibration
from knowledge.records import read_ids, read_passages, read_questions
from knowledge.types import PassageId
from tests.knowledge.shelf import NOW, write
from tests.knowledge.test_search import PASSAGES, TEXTS

QUESTIONS = [
    {"qid": "1", "question": "за сколько дней вернуть товар", "gold_ids": ["returns"], "answerable": True},
    {"qid": "2", "question": "сколько светит FN-204", "gold_ids": ["head"], "answerable": True},
    {
        "qid": "3",
        "question": "gift card valid",
        "gold_ids": ["gift"],
        "answerable": True,
        "context": ["hello"],
    },
    {"qid": "4", "scenario": "кто выиграл чемпионат мира", "gold_ids": [], "answerable": False},
    {"qid": "5", "question": "хранение заказа в пункте выдачи", "gold_ids": ["pickup"], "answerable": True},
]


def lines(path, rows) -> str:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def files(tmp_path):
    passages = [{"id": name, "title": title, "text": text} for name, (_, title, text) in TEXTS.items()]
    return ["--passages", lines(tmp_path / "p.jsonl", passages), "--questions", lines(tmp_path / "q.jsonl", QUESTIONS),
            "--embedder", "fake", "--cache", str(tmp_path / "cache")]  # fmt: skip


def call(*words: str):
    import typer

    from evals.calibrate import calibrate
    from evals.retrieval import retrieval

    app = typer.Typer()
    app.command()(retrieval)
    app.command()(calibrate)
    return CliRunner().invoke(app, list(words))


def test_the_figures_of_the_contract_are_printed(files, tmp_path):
    out = tmp_path / "rankings.jsonl"
    result = call("retrieval", *files, "--rankings", str(out), "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert {
        "hit@1",
        "hit@5",
        "hit@10",
        "mrr@10",
        "recall@k",
        "auroc",
        "aurc",
        "coverage@5%risk",
        "ms",
    } <= set(found)
    assert found["hit@1"] == 1.0
    assert found["questions"] == 5
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["qid"] for row in rows] == ["1", "2", "3", "4", "5"]
    assert all(set(row) == {"qid", "ids", "scores", "confidence", "ms"} for row in rows)
    assert rows[0]["ids"][0] == "returns"
    assert all(len(row["ids"]) == len(row["scores"]) == 10 for row in rows)


def test_questions_without_gold_still_get_rankings(files, tmp_path):
    bare = lines(tmp_path / "bare.jsonl", [{"qid": row["qid"], "question": "вернуть"} for row in QUESTIONS])
    out = tmp_path / "r.jsonl"
    result = call("retrieval", *files[:2], "--questions", bare, *files[4:], "--rankings", str(out), "--json")
    assert set(json.loads(result.stdout)) == {"questions", "ms"}
    assert len(out.read_text(encoding="utf-8").splitlines()) == 5


def test_only_the_named_passages_are_indexed(files, tmp_path):
    only = lines(tmp_path / "ids.jsonl", [{"id": "returns"}, {"id": "gift"}])
    out = tmp_path / "r.jsonl"
    call("retrieval", *files, "--index-ids", only, "--rankings", str(out), "--json")
    named = {
        name for line in out.read_text(encoding="utf-8").splitlines() for name in json.loads(line)["ids"]
    }
    assert named == {"returns", "gift"}


def test_a_second_run_embeds_no_passage_again(files, monkeypatch):
    from knowledge.embed.fake import FakeEmbedder

    assert call("retrieval", *files, "--json").exit_code == 0

    def refuse(self, texts):
        raise AssertionError("embedded again")

    monkeypatch.setattr(FakeEmbedder, "passages", refuse)
    assert call("retrieval", *files, "--json").exit_code == 0


def test_a_calibration_can_be_made_and_used(files, tmp_path):
    out = tmp_path / "curve.toml"
    made = call("calibrate", *files, "--out", str(out), "--json")
    assert made.exit_code == 0, made.output
    assert "fake" in json.loads(made.stdout)
    found = json.loads(call("retrieval", *files, "--calibration", str(out), "--json").stdout)
    assert {"ece", "risk", "coverage"} <= set(found)
    assert 0 <= found["ece"] <= 1


@pytest.mark.parametrize(("option", "stepped"), [("--steps", True), ("--no-steps", False)])
def test_the_isotonic_step_can_be_left_out(files, tmp_path, option, stepped):
    out = tmp_path / "curve.toml"
    assert call("calibrate", *files, option, "--out", str(out), "--json").exit_code == 0
    assert bool(calibration(("fake",), out).knots) is stepped


def test_people_get_a_table(files):
    assert "hit@1" in call("retrieval", *files).stdout


@pytest.mark.parametrize(
    "text", ["{", '{"qid": 1}', "[]", "", '{"question": "a"}', '{"qid": "1", "question": ""}', "\xff\xfe"]
)
def test_questions_that_make_no_sense_end_with_one_and_a_remedy(files, tmp_path, text):
    bad = tmp_path / "bad.jsonl"
    bad.write_bytes(text.encode("latin-1"))
    result = call("retrieval", *files[:2], "--questions", str(bad), *files[4:], "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["remedy"]


def test_a_separator_that_json_allows_inside_a_string_does_not_break_a_line(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a", "title": "", "text": "раз\u2028два"}\n', encoding="utf-8")
    assert read_passages(path)[0].text == "раз\u2028два"


def test_ids_may_be_bare_or_objects(tmp_path):
    (tmp_path / "a").write_text("x\ny\n", encoding="utf-8")
    assert read_ids(tmp_path / "a") == read_ids_of(tmp_path, [{"id": "x"}, {"id": "y"}]) == {"x", "y"}
    with pytest.raises(BadRecords):
        read_questions(tmp_path / "none")


def read_ids_of(tmp_path, rows):
    return read_ids(tmp_path / lines(tmp_path / "b", rows))


def test_an_answer_is_right_only_when_answerable_and_gold_comes_first(tmp_path):
    asked = read_questions_of(tmp_path)
    assert is_right(asked[0], ["returns", "x"])
    assert not is_right(asked[0], ["x", "returns"])
    assert not is_right(asked[3], ["returns"])
    assert not is_right(asked[0], [])


def read_questions_of(tmp_path):
    lines(tmp_path / "q.jsonl", QUESTIONS)
    return read_questions(tmp_path / "q.jsonl")


def test_figures_are_those_of_a_small_case_done_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, False, True])
    assert figures.auroc(scores, right) == pytest.approx(2 / 3)
    assert figures.auroc(scores, np.array([True] * 4)) is None
    assert figures.risk_curve(scores, ~right).tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert figures.aurc(scores, ~right) == pytest.approx((1 / 3 + 1 / 4) / 4)
    assert figures.coverage_at_risk(scores, ~right, risk=0.05) == 0.5
    assert figures.coverage_at_risk(scores, ~right, risk=0.25) == 1.0
    assert figures.ece(np.array([0.95, 0.05]), np.array([True, False])) == pytest.approx(0.05)
    gold = [frozenset({"a"}), frozenset({"z"})]
    assert figures.first_ranks([["b", "a"], ["b"]], gold).tolist() == [2, np.inf]
    assert figures.recall([["a", "b"]], [frozenset({"a", "c"})], k=2) == 0.5


def test_equal_scores_count_together_so_order_in_the_file_cannot_help():
    wrong = np.array([False, True, False, True])
    assert figures.risk_curve(np.zeros(4), wrong).tolist() == [0.5] * 4
    assert figures.coverage_at_risk(np.zeros(4), wrong, risk=0.05) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1, width=16), st.booleans()), min_size=2, max_size=40))
@settings(max_examples=100, deadline=None)
def test_auroc_is_the_share_of_pairs_in_order(rows):
    scores, good = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    pairs = [(a > b) + (a == b) / 2 for a in scores[good] for b in scores[~good]]
    wanted = sum(pairs) / len(pairs) if pairs else None
    assert figures.auroc(scores, good) == (wanted if wanted is None else pytest.approx(wanted))


def test_a_fitted_curve_finds_the_signal_and_ignores_noise():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(2_000, 2)) * [3.0, 1.0] + [10.0, 0.0]
    right = rng.random(2_000) < 1 / (1 + np.exp(-(rows[:, 0] - 10)))
    share = np.ones(2_000)
    curve = fit(rows, right, share=share)
    assert curve.weights[0] == pytest.approx(1.0, abs=0.15)
    assert abs(curve.weights[1]) < 0.15
    guess = held_out(rows, right, share=share)
    assert figures.ece(guess, right) < 0.05


def test_a_company_pack_gives_passages_customers_see_and_its_own_questions(tmp_path):
    write(tmp_path / "knowledge")
    (tmp_path / "knowledge" / "documents.toml").write_text(
        '[[document]]\npath = "ru/lamps.md"\nstatus = "retired"\n', encoding="utf-8"
    )
    asked = '- {q: "сколько дней на возврат", language: ru, document: returns, contains: "14 ДНЕЙ"}\n- {q: "погода", language: ru, document: null, kind: outside}\n'
    (tmp_path / "questions.yaml").write_text(asked, encoding="utf-8")
    passages, questions = read_company(tmp_path, day=NOW.date())
    assert not any(passage.document == "lamps" for passage in passages)
    assert questions[0].gold == {"returns#1"}
    assert questions[1].answerable is False
    (tmp_path / "questions.yaml").write_text(
        '- {q: "а", document: returns, contains: "нет такого"}', encoding="utf-8"
    )
    with pytest.raises(BadRecords, match="question 1"):
        read_company(tmp_path, day=NOW.date())


def test_every_figure_of_abstention_comes_with_its_interval(files):
    found = json.loads(call("retrieval", *files, "--json").stdout)
    named = {"auroc", "aurc", "coverage@5%risk", "coverage@10%risk", "coverage@20%risk"}
    assert named <= set(found)
    assert set(found["intervals"]) == named
    for name, (low, high) in found["intervals"].items():
        assert low <= found[name] <= high


def test_withheld_gold_makes_questions_that_cannot_be_answered(tmp_path):
    asked = read_questions_of(tmp_path)
    passages = [one for one in PASSAGES if one.id in ("returns#1", "head#1", "gift#1", "pickup#1")]
    named = [replace(one, id=PassageId(one.document)) for one in passages]
    kept, rest = withheld(named, asked, share=0.5)
    assert len(kept) == 2
    ids = {one.id for one in kept}
    assert [one.answerable for one in rest] == [bool((one.gold or set()) & ids) for one in asked]
    assert withheld(named, asked, share=0.5) == (kept, rest)
    assert withheld(named, asked, share=0.0) == (named, asked)


def test_a_question_asked_twice_never_judges_its_own_twin():
    # Noise that only repetition could predict: with twins kept together nothing can be learned.
    rng = np.random.default_rng(0)
    rows = np.repeat(rng.normal(size=(60, 40)), 2, axis=0)
    right = np.repeat(rng.random(60) < 0.5, 2)
    share = np.ones(120)
    groups = [str(n // 2) for n in range(120)]
    apart = figures.auroc(held_out(rows, right, share=share, groups=groups), right)
    leaking = figures.auroc(held_out(rows, right, share=share), right)
    assert leaking > apart + 0.15


def test_calibrate_tells_how_the_curve_does_on_sets_it_has_not_seen(files, tmp_path):
    twice = [word for pair in zip(files[:4:2], files[1:4:2], strict=True) for word in pair]
    made = call("calibrate", *files, *twice, "--withhold", "0.4", "--out", str(tmp_path / "c.toml"), "--json")
    assert made.exit_code == 0, made.output
    for figure in json.loads(made.stdout)["fake"]["sets"].values():
        assert set(figure["auroc"]) == {"held_out", "in_sample", "other_sets"}


def test_a_curve_over_signals_nobody_measures_is_refused(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text(
        "[calibration.any]\nintercept = 0\naccept = 0.5\n[calibration.any.weights]\nmargin = 1.0\n"
    )
    with pytest.raises(BadRecords, match="margin"):
        calibration(("fake",), path)


def test_distractors_stand_in_the_same_index_and_may_be_found_first(files, tmp_path):
    other = {
        "id": "warehouse",
        "title": "Хранение заказа в пункте выдачи",
        "text": "Хранение заказа в пункте выдачи",
    }
    more = lines(tmp_path / "more.jsonl", [other])
    out = tmp_path / "rankings.jsonl"
    result = call("retrieval", *files, "--distractors", more, "--rankings", str(out), "--json")
    assert result.exit_code == 0, result.output
    ranked = {row["qid"]: row["ids"] for row in map(json.loads, out.read_text("utf-8").splitlines())}
    assert ranked["5"][0] == "warehouse"
    assert json.loads(result.stdout)["hit@1"] < 1.0


def test_a_distractor_with_the_id_of_a_passage_is_refused(files, tmp_path):
    more = lines(tmp_path / "more.jsonl", [{"id": "returns", "title": "", "text": "Другое"}])
    result = call("retrieval", *files, "--distractors", more, "--json")
    assert result.exit_code == 1
    assert "returns" in json.loads(result.stdout)["error"]
