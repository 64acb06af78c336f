"""The smoke suite asks for what the demo documents say: a case whose words are nowhere tests nothing."""

from functools import cache
from pathlib import Path

import pytest

from evals.case import CASES, Case, Expectation, read_cases
from evals.scorers import folded
from knowledge.load import FORMATS, load

DOCUMENTS = Path(__file__).resolve().parents[2] / "demo" / "knowledge"
SMOKE = [case for case in read_cases(CASES) if case.suite == "smoke"]
CITING = [
    pytest.param(case, step.expect, id=f"{case.id}-{n}")
    for case in SMOKE
    for n, step in enumerate(case.steps, start=1)
    if step.expect.get("cites")
]


@cache
def demo_text(document: str) -> str:
    """The words of a demo document by its id: the file's stem, with `.en` for English."""
    stem, _, english = document.partition(".")
    found = [p for p in (DOCUMENTS / (english or "ru")).glob(f"{stem}.*") if p.suffix in FORMATS]
    return folded(load(found[0]).text) if found else ""


def text_of(document: str, case: Case) -> str:
    own = {row.key: row.value["text"] for row in case.world.rows if row.kind == "knowledge"}
    return folded(own[document]) if document in own else demo_text(document)


@pytest.mark.parametrize(("case", "expect"), CITING)
def test_what_an_answer_must_say_stands_in_a_document_it_must_cite(case: Case, expect: Expectation) -> None:
    named = [document for any_of in expect["cites"] for document in any_of]
    texts = [text_of(document, case) for document in named]
    assert all(texts), f"one of {named} does not exist"
    for any_of in expect.get("says", ()):
        assert any(folded(words) in text for words in any_of for text in texts), any_of


@pytest.mark.parametrize("case", SMOKE, ids=[case.id for case in SMOKE])
def test_a_document_that_must_not_be_cited_exists(case: Case) -> None:
    named = {
        name
        for expect in (case.always, *(s.expect for s in case.steps))
        for name in expect.get("never_cites", ())
    }
    assert all(text_of(document, case) for document in named)
