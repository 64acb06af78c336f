"""Labelled sentences about evidence: the reader, the figures, the command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.grounding import Verdict
from evals.commands import app
from evals.grounding import Judged, as_row, judged, measures, support
from evals.grounding_pairs import HALVES, KINDS, Kind, Pair, read_half, read_pairs
from evals.marked import BadCases
from knowledge.errors import BadRecords


def write(folder: Path, text: str) -> Path:
    (folder / "grounding_held.yaml").write_text(text, "utf-8")
    return folder


def test_the_set_has_every_kind_in_both_languages_and_no_evidence_in_both_halves() -> None:
    halves = {half: read_half(half, evaldata=None).rows for half in HALVES}
    rows = [pair for part in halves.values() for pair in part]
    assert len(rows) >= 400
    assert len(halves["held"]) >= 140
    for language in ("ru", "en"):
        assert {pair.kind for pair in rows if pair.language == language} == set(KINDS)
    evidence = [{pair.evidence for pair in part} for part in halves.values()]
    assert not evidence[0] & evidence[1]
    assert not (evidence[0] | evidence[1]) & evidence[2]
    assert len({pair.id for pair in rows}) == len(rows)


def test_evidence_of_a_public_set_is_looked_up_and_left_out_where_there_is_none(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        "- id: a\n  evidence: {corpus: kb/x, id: p1}\n  sentences:\n    supported: [It waits a week.]\n",
    )
    absent = read_half("held", evaldata=None, folder=folder)
    assert absent.rows == ()
    assert absent.left_out == ("kb/x: 1 pairs (held)",)
    (tmp_path / "kb").mkdir()
    (tmp_path / "kb" / "x.passages.jsonl").write_text(
        json.dumps({"id": "p1", "title": "T", "text": "It waits for a week."}), "utf-8"
    )
    (pair,) = read_half("held", evaldata=tmp_path, folder=folder).rows
    assert (pair.id, pair.title, pair.evidence, pair.kind) == (
        "a/supported/1",
        "T",
        "It waits for a week.",
        "supported",
    )


def test_wrong_keys_kinds_and_evidence_are_faults_with_their_lines(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        "- id: a\n  evidence: {title: T}\n  sentences:\n    suported: [One.]\n"
        "- id: a\n  evidence: {title: T, text: X}\n  sentences: {number: ['']}\n",
    )
    with pytest.raises(BadCases) as bad:
        read_half("held", evaldata=None, folder=folder)
    told = [str(fault) for fault in bad.value.faults]
    assert any(":4: unknown key `suported`" in line and "supported" in line for line in told)
    assert any(":2: evidence is {title, text} or {corpus, id}" in line for line in told)
    assert any(":5: `a` is written twice" in line for line in told)
    assert any(":7: a sentence was expected" in line for line in told)


def test_a_label_nobody_knows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text(json.dumps({"id": 1, "evidence": "A.", "sentence": "B.", "label": "maybe"}), "utf-8")
    with pytest.raises(BadRecords, match="maybe"):
        read_pairs(path)


def one(kind: Kind, *, ok: bool, language: str = "ru") -> Judged:
    pair = Pair(id="p", title="", evidence="", sentence="", language=language, kind=kind, half="held")
    verdict = Verdict(ok=ok, reason="supported" if ok else "number", score=0.6)
    return Judged(pair=pair, verdict=verdict, ms=1.0)


def test_figures_count_what_left_wrongly_and_what_was_kept_back_wrongly() -> None:
    rows = [
        *[one("supported", ok=True)] * 8,
        *[one("supported", ok=False)] * 2,
        one("negation", ok=True),
        *[one("number", ok=False, language="en")] * 9,
        one("unsupported", ok=True),
    ]
    found = {figure.name: figure for figure in measures(rows)}
    assert found["f1"].value == pytest.approx(2 * 8 / (2 * 8 + 2 + 2))
    assert (found["contradicted_passed"].value, found["contradicted_passed"].of) == (0.1, 10)
    assert found["passed_unsupported"].value == 1.0
    assert found["contradicted_passed_held_en"].value == 0.0


def test_the_score_is_one_half_or_more_exactly_where_the_sentence_may_leave() -> None:
    pairs = [
        Pair(
            id=said,
            title="",
            evidence="Вернуть товар можно за 14 дней.",
            sentence=said,
            language="ru",
            kind=None,
        )
        for said in ("Вернуть товар можно за 14 дней.", "Вернуть товар можно за 30 дней.", "Кот спит.")
    ]
    rows = judged(pairs, similarity=None, tell=lambda done, total: None)
    assert [as_row(row)["verdict"] for row in rows] == ["supported", "contradicted", "unsupported"]
    assert [support(row.verdict) >= 0.5 for row in rows] == [True, False, False]


def test_the_command_prints_a_row_a_pair_and_figures_apart(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    evidence = "Delivery costs RUB 290."
    rows = [
        {"id": "a", "evidence": evidence, "sentence": "Delivery costs RUB 290.", "label": "supported"},
        {"id": "b", "evidence": evidence, "sentence": "Delivery costs RUB 390.", "label": "number"},
        {"id": "c", "evidence": evidence, "sentence": "The shop sells tea.", "label": "unsupported"},
    ]
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    told = CliRunner().invoke(app, ["grounding", "--pairs", str(path), "--embedder", "-", "--json"])
    assert told.exit_code == 0
    printed = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(row["id"], row["verdict"]) for row in printed] == [
        ("a", "supported"),
        ("b", "contradicted"),
        ("c", "unsupported"),
    ]
    assert json.loads(told.stderr)["f1"] == 1.0
