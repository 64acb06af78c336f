"""The promised figures on real questions, where the evaluation data is beside the checkout. Minutes, not seconds."""

from pathlib import Path
from typing import Any

import pytest

from evals.retrieval import Settings, measure, run

pytestmark = [pytest.mark.evaldata, pytest.mark.heavy, pytest.mark.timeout(1_500)]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


def figures(cache: Path, passages: Path, questions: Path, only: Path | None = None) -> dict[str, Any]:
    settings = Settings(passages=passages, questions=questions, index_ids=only, cache=cache)
    asked, found = run(settings, bar=lambda title: lambda done, total: None)
    return measure(asked, found, k=settings.k)


@pytest.mark.parametrize(
    ("name", "first", "ten"),
    [
        ("kb_ru/rutube", 0.58, 0.89),
        ("kb_ru/xquad", 0.93, 0.99),
        ("kb_en/xquad", 0.96, 0.99),
        ("kb_ru/vkcloud_faq", 0.62, 0.91),
        ("kb_en/vkcloud_faq", 0.57, 0.95),
    ],
)
def test_the_right_passage_comes_first_as_often_as_promised(evaldata, cache, name, first, ten):
    found = figures(cache, evaldata / f"{name}.passages.jsonl", evaldata / f"{name}.questions.open.jsonl")
    assert found["hit@1"] >= first
    assert found["hit@10"] >= ten


@pytest.mark.parametrize(
    ("name", "passages", "least"),
    [
        ("xquad_en", "kb_en/xquad", 0.985),
        ("xquad_ru", "kb_ru/xquad", 0.975),
        ("rutube_ru", "kb_ru/rutube", 0.66),
    ],
)
def test_questions_the_documents_do_not_answer_get_less_confidence(evaldata, cache, name, passages, least):
    found = figures(
        cache,
        evaldata / f"{passages}.passages.jsonl",
        evaldata / f"oos/{name}_absent.open.jsonl",
        evaldata / f"oos/{name}.index_ids.jsonl",
    )
    assert found["auroc"] >= least
