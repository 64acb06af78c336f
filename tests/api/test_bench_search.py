"""The search bench: corpora of a given size out of real text, real imports and searches, honest hits."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from api.bench import plot
from api.bench.corpus import BadCorpus, Text, read_texts, write_corpus
from api.bench.fill import Planted, shared
from api.bench.mixed import Mixed
from api.bench.search import FAR, BenchFailed, bench_search, growth, search_table
from api.bench.stages import REST, STAGES, Watch, account
from api.settings import read_settings
from knowledge.embed.fake import FakeEmbedder
from knowledge.lexical import Lexical
from knowledge.split import split
from knowledge.types import DocumentId
from tests.conftest import ROOT

pytestmark = pytest.mark.heavy

DEMO = ROOT / "demo"


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    """Two real runs with the fake embedder, each half in its own process."""
    settings = read_settings({"MAYAK_EMBEDDER": "fake"})
    return bench_search(settings, sizes=[120, 40])


@pytest.fixture(scope="module")
def texts() -> list[Text]:
    """The documents of the demo company, read once."""
    return read_texts([], company=DEMO)


def pieces(folder: Path) -> list[str]:
    return [
        " ".join(piece.text.split())
        for file in sorted(folder.rglob("*.md"))
        for piece in split(
            file.read_text("utf-8"),
            document=DocumentId(file.stem),
            title="",
            language="ru" if file.parent.name == "ru" else "en",
        )
    ]


def test_a_corpus_has_the_wanted_size_beyond_its_real_text(texts: list[Text], tmp_path: Path) -> None:
    corpus = write_corpus(texts, tmp_path, passages=700)
    assert corpus.real_passages < 700, "the demo company has fewer passages"
    found = pieces(tmp_path)
    assert abs(len(found) - 700) <= 70
    assert corpus.documents == len(list(tmp_path.rglob("*.md")))


def test_the_same_text_and_size_give_the_same_corpus(texts: list[Text], tmp_path: Path) -> None:
    one, two = (write_corpus(texts, tmp_path / name, passages=450) for name in ("one", "two"))
    assert one == two
    for file in (tmp_path / "one").rglob("*.md"):
        assert file.read_bytes() == (tmp_path / "two" / file.relative_to(tmp_path / "one")).read_bytes()


def test_a_planted_sentence_stands_in_one_passage_and_its_question_is_not_the_sentence(
    texts: list[Text], tmp_path: Path
) -> None:
    corpus = write_corpus(texts, tmp_path, passages=600)
    found = pieces(tmp_path)
    assert len(corpus.planted) > 50
    for one in corpus.planted:
        assert sum(one.sentence in piece for piece in found) == 1, one.sentence
        assert one.question not in one.sentence
        assert len(one.question.split()) >= 5


def test_rows_of_one_title_become_one_document(tmp_path: Path) -> None:
    file = tmp_path / "passages.jsonl"
    rows = [{"id": n, "title": title, "text": f"Words number {n}."} for n, title in enumerate("AABA")]
    file.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    texts = read_texts([file], company=DEMO)
    assert [(text.title, text.text.count("Words")) for text in texts] == [("A", 2), ("B", 1), ("A", 1)]


def test_a_broken_corpus_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "passages.jsonl"
    file.write_text('{"id": 1, "title": "A", "text": "B"}\n{"id": 2}\n', "utf-8")
    with pytest.raises(BadCorpus, match="line 2") as refused:
        read_texts([file], company=DEMO)
    assert "jsonl" in refused.value.remedy or "JSON" in refused.value.remedy


def test_no_question_is_asked_in_two_parts_of_a_run() -> None:
    planted = [Planted(question=f"q{n}", sentence=f"s{n}", language="en") for n in range(100)]
    warm, profiled, timed = shared(planted)
    assert [len(part) for part in (warm, profiled, timed)] == [10, 22, 68]
    assert warm + profiled + timed == planted
    assert shared(planted[:1]) == ([], [], planted[:1])


def test_mixed_vectors_are_real_first_then_alike_and_the_same_for_the_same_text() -> None:
    fake = FakeEmbedder()
    mixed, again = Mixed(fake, real=3), Mixed(fake, real=3)
    texts = ["один", "два", "три", "четыре", "пять"]
    rows = mixed.passages(texts)
    assert np.array_equal(rows[:3], fake.passages(texts[:3]))
    assert rows.shape == (5, fake.dim)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert np.array_equal(rows, np.concatenate([again.passages(texts[:2]), again.passages(texts[2:])]))
    assert not np.array_equal(rows[3], fake.passages(texts[3:4])[0])
    assert np.array_equal(mixed.queries(["вопрос"]), fake.queries(["вопрос"]))


@pytest.mark.heavy
def test_a_run_with_mixed_vectors_says_so_and_still_imports_everything() -> None:
    found = bench_search(read_settings({"MAYAK_EMBEDDER": "fake"}), sizes=[60], mixed=10)
    row = found["rows"][0]
    assert found["mixed"] == 10
    assert row["skipped"] == 0
    assert row["texts"] > 60
    assert "hits mean nothing" in search_table(found)


@pytest.mark.heavy
def test_a_real_run_measures_every_size_in_order(figures: dict[str, object]) -> None:
    rows = figures["rows"]
    assert isinstance(rows, list)
    assert [row["wanted"] for row in rows] == [40, 120]
    for row in rows:
        assert row["wanted"] <= row["passages"] <= row["wanted"] + 60
        assert row["skipped"] == 0
        assert row["reimport_embedded"] == 0
        assert row["reimport_unchanged"] == row["documents"]
        assert row["import_s"] > 0
        assert 0 < row["throughput_of_embedder"] <= 1
        assert row["search_ms"]["p50"] <= row["search_ms"]["p95"] <= row["search_ms"]["max"]
        assert row["resident_mib"] > 20
        assert row["disk_sql_mib"] > 0
        assert row["disk_index_mib"] > 0
        assert row["questions"] > 10


@pytest.mark.heavy
def test_the_planted_answers_are_found_so_speed_is_not_measured_on_nonsense(
    figures: dict[str, object],
) -> None:
    rows = figures["rows"]
    assert isinstance(rows, list)
    assert all(row["hit@1"] >= 0.7 for row in rows)


@pytest.mark.heavy
def test_the_stages_of_a_search_are_seen_and_add_up(figures: dict[str, object]) -> None:
    rows = figures["rows"]
    assert isinstance(rows, list)
    for row in rows:
        assert {"embedding", "vector index", "words and letters (BM25)"} <= set(row["stages"])
        # Threads work side by side, so the shares may come to more than the time that went by, never to less.
        assert sum(part["share"] for part in row["stages"].values()) > 0.98


@pytest.mark.heavy
def test_the_table_names_every_size_and_every_stage(figures: dict[str, object]) -> None:
    text = search_table(figures)
    assert "hit@1" in text
    assert "where a search goes at" in text
    assert "at 1,000,000" in text


def test_growth_carries_the_last_sizes_on() -> None:
    rows = [
        {"passages": n, "import_s": 2e-3 * n, "search_ms": {"p50": 5.0, "p95": 9.0}} for n in (1000, 10000)
    ]
    found = growth(rows)
    assert found["import_s"] == {"exponent": 1.0, "exponent_at_the_end": 1.0, f"at_{FAR}": 2000.0}
    assert found["search_ms.p50"][f"at_{FAR}"] == 5.0
    assert "disk_mib" not in found
    assert "import_s" not in growth(rows, mixed=600), "an import of mixed vectors has no curve"


def test_stages_never_overlap_and_the_rest_is_what_is_left() -> None:
    watch = Watch()
    watch.seconds.update({"embedding": 0.3, "vector index": 0.5})
    found = account(watch, searches=10, wall=1.0)
    assert list(found) == ["vector index", "embedding", REST]
    assert found[REST] == {"ms": 20.0, "share": 0.2}


def test_a_moment_belongs_to_the_innermost_watched_function_and_nothing_stays_wrapped() -> None:
    watch, lexical, before = Watch(), Lexical(), Lexical.read
    with watch.over():
        lexical.read("words")
        lexical.understood("words")
        assert Lexical.read is not before
    lexical.read("words")
    assert Lexical.read is before
    assert watch.calls["words and letters (BM25)"] == 1
    assert watch.calls["what titles tell"] == 1
    assert watch.calls["layout and transliteration"] == 1
    assert all(spent >= 0 for spent in watch.seconds.values())


def test_every_stage_names_a_function_that_exists() -> None:
    gone = [
        f"{module}.{name}.{function}"
        for module, name, function in STAGES
        if not hasattr(getattr(import_module(module), name, None), function)
    ]
    assert not gone, "the knowledge room changed: correct STAGES"


def test_a_picture_without_matplotlib_is_refused_before_the_measuring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda _: None)
    with pytest.raises(BenchFailed) as refused:
        plot.check_plot(tmp_path / "growth.png")
    assert "[bench]" in refused.value.remedy


@pytest.mark.heavy
def test_the_picture_is_a_picture(figures: dict[str, object], tmp_path: Path) -> None:
    if plot.find_spec("matplotlib") is None:
        with pytest.raises(BenchFailed):
            plot.check_plot(tmp_path / "growth.png")
        return
    plot.draw(figures, tmp_path / "growth.png")
    assert (tmp_path / "growth.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--passages", "many"], "no list of sizes"),
        (["--passages", "5"], "no list of sizes"),
        (["--passages", "100", "--embedder", "unheard"], "What to do"),
        (["--passages", "100", "--corpus", "absent.jsonl"], "What to do"),
    ],
)
def test_a_wrong_option_ends_with_a_message_and_a_code(options: list[str], words: str) -> None:
    command = [sys.executable, "-m", "api.cli", "bench", "search", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
