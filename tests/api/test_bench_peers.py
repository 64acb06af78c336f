"""The comparison with other libraries: the same questions to all, figures that can be checked by hand."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from api.bench.figures import first_ranks
from api.bench.peers import compare as comparing
from api.bench.peers.compare import check_peers, compare, peers_table, rated
from api.bench.peers.own import Given, Own
from api.bench.peers.port import FakePeer, Peer
from api.bench.peers.race import Race, measured, mostly, prepared, run
from api.bench.search import BenchFailed
from knowledge.embed.fake import FakeEmbedder
from knowledge.rank.mix import field_text
from knowledge.records import Question, read_passages, read_questions

PASSAGES = [
    {"id": "returns", "title": "Возврат", "text": "Вернуть товар можно за 14 дней."},
    {"id": "courier", "title": "Доставка", "text": "Курьер привезёт заказ завтра."},
    {"id": "gift", "title": "Карты", "text": "Подарочная карта действует год."},
    *(
        {"id": f"other{n}", "title": f"Прочее {n}", "text": f"Правило номер {n} для склада."}
        for n in range(12)
    ),
]
QUESTIONS = [
    {"qid": "1", "question": "за сколько дней вернуть товар", "gold_ids": ["returns"]},
    {"qid": "2", "question": "курьер привезёт заказ когда", "gold_ids": ["courier"]},
    {"qid": "3", "question": "подарочная карта сколько действует", "gold_ids": ["gift"]},
]


def lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def race(tmp_path: Path) -> Race:
    job = Race(
        passages=lines(tmp_path / "p.jsonl", PASSAGES),
        questions=lines(tmp_path / "q.jsonl", QUESTIONS),
        vectors=tmp_path / "vectors.npz",
        embedder="fake",
    )
    np.savez(job.vectors, allow_pickle=False, **prepared(job, read_passages(job.passages)))
    return job


def installed() -> bool:
    try:
        check_peers()
    except BenchFailed:
        return False
    return True


def own(race: Race) -> Peer:
    passages, fake = read_passages(race.passages), FakeEmbedder()
    texts = [field_text(one, field) for one in passages for field in ("title", "body")]
    return Own([Given(fake, vectors=dict(zip(texts, fake.passages(texts), strict=True)))])


@pytest.mark.parametrize("make", [lambda race: FakePeer(), own], ids=["fake", "mayak"])
def test_a_peer_finds_what_the_words_say_best_first_and_no_more_than_asked(make, race: Race) -> None:
    peer, passages = make(race), read_passages(race.passages)
    vectors = FakeEmbedder().passages([field_text(one, "body") for one in passages])
    peer.index(passages, vectors, language="ru")
    assert peer.find("вернуть товар за сколько дней", k=3)[0] == "returns"
    assert len(peer.find("вернуть товар", k=3)) == 3
    peer.index(passages[1:], vectors[1:], language="ru")
    assert "returns" not in peer.find("вернуть товар", k=15), "what is indexed anew replaces what was"
    if isinstance(peer, Own):
        peer.close()


def test_every_question_is_answered_and_timed(race: Race) -> None:
    passages, questions = read_passages(race.passages), read_questions(race.questions)
    found = measured(FakePeer(), passages, np.zeros((15, 2), np.float32), questions, language="ru", k=2)
    assert [len(ids) for ids in found["ids"]] == [2, 2, 2]
    assert len(found["ms"]) == 3
    assert all(ms > 0 for ms in found["ms"])
    assert found["index_s"] >= 0


def test_figures_count_the_first_right_id_and_only_questions_with_gold() -> None:
    asked = [
        Question(qid=str(n), text="?", gold=None if name is None else frozenset({name}))
        for n, name in enumerate(["a", "b", "c", None])
    ]
    found = {"ids": [["a", "x"], ["x", "b"], ["x", "y"], ["z"]], "ms": [1.0, 2.0, 3.0, 4.0], "index_s": 0.5}
    assert rated(found, asked) == {
        "hit@1": 0.3333,
        "hit@5": 0.6667,
        "hit@10": 0.6667,
        "mrr@10": 0.5,
        "p50_ms": 2.0,
        "p95_ms": 4.0,
        "index_s": 0.5,
    }


def test_the_rank_of_what_was_not_found_is_infinite() -> None:
    assert first_ranks([["a", "b"], [], ["c"]], [{"b"}, {"a"}, {"c", "d"}]) == [2.0, float("inf"), 1.0]


def test_the_language_is_that_of_most_questions(race: Race) -> None:
    assert mostly(read_questions(race.questions)) == "ru"


def test_a_missing_library_is_refused_before_the_measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "find_spec", lambda name: None if "haystack" in name else object())
    with pytest.raises(BenchFailed, match="haystack-ai") as refused:
        check_peers()
    assert "[peers]" in refused.value.remedy


def test_mayaks_own_half_finds_and_times_every_question(race: Race) -> None:
    told = run("own", race)
    assert [ids[0] for ids in told["peers"]["Mayak"]["ids"]] == ["returns", "courier", "gift"]
    assert [len(ms) for ms in told["embedding_ms"]] == [3]


@pytest.mark.heavy
def test_the_libraries_race_over_the_same_files(race: Race) -> None:
    if not installed():
        pytest.skip("the extra `peers` is not installed")
    figures = compare([(race.passages, race.questions)], embedder="fake")
    rows = figures["sets"][0]["searches"]
    names = ["BM25", "vectors", "BM25 + vectors"]
    assert list(rows) == [
        "Mayak",
        *(f"{one}, {name}" for one in ("Haystack", "LlamaIndex") for name in names),
    ]
    for name, row in rows.items():
        assert row["hit@1"] == 1.0, name
        assert 0 < row["p50_ms"] <= row["p95_ms"]
    text = peers_table(figures)
    assert all(name in text for name in rows)


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--peers"], "as many --questions as"),
        (["--peers", "--corpus", "absent.jsonl", "--questions", "absent.jsonl"], "What to do"),
    ],
)
def test_a_wrong_comparison_ends_with_a_message_and_a_code(options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "api.cli", "bench", "search", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in " ".join(done.stderr.replace("│", "").split())
    assert "Traceback" not in done.stderr
