"""Documents that are almost the same are found; twins in other words are not."""

import random

from knowledge.imports.near import Near, signature
from knowledge.types import DocumentId

WORDS = [f"слово{n}" for n in range(3_000)]
A, B, C = DocumentId("a"), DocumentId("b"), DocumentId("c")


def text(seed: int, size: int = 400) -> list[str]:
    return random.Random(seed).choices(WORDS, k=size)


def joined(words: list[str]):
    return signature(" ".join(words))


def test_a_copy_with_a_few_words_changed_is_almost_the_same():
    first = text(1)
    second = [*first]
    second[50], second[300] = "иначе", "по-другому"
    near = Near({A: joined(first), C: joined(text(2))})
    (found,) = near.like(B, joined(second))
    assert found[0] == A
    assert 0.9 < found[1] <= 1.0


def test_case_signs_and_yo_do_not_count():
    first = signature("Ёлка стоит дорого, а лампа стоит дёшево. " * 5 + " ".join(text(3)))
    second = signature("елка СТОИТ дорого а лампа стоит дешево " * 5 + " ".join(text(3)))
    assert (first == second).all()


def test_different_documents_and_the_document_itself_are_not_named():
    near = Near({A: joined(text(1)), B: joined(text(2))})
    assert near.like(C, joined(text(3))) == []
    assert near.like(A, joined(text(1))) == []


def test_a_new_version_replaces_the_old_one():
    near = Near({A: joined(text(1))})
    near.add(A, joined(text(2)))
    assert near.like(B, joined(text(1))) == []
    assert near.like(B, joined(text(2))) == [(A, 1.0)]


def test_a_few_words_have_no_signature():
    assert signature("Оплата картой.") is None


def test_the_share_is_near_the_true_one():
    rng = random.Random(7)
    for kept in (0.85, 0.95):
        first = text(4, 2_000)
        second = [word if rng.random() < kept + (1 - kept) * 0.5 else "иное" for word in first]
        runs = [{tuple(words[i : i + 4]) for i in range(len(words) - 3)} for words in (first, second)]
        true = len(runs[0] & runs[1]) / len(runs[0] | runs[1])
        guessed = float((joined(first) == joined(second)).mean())
        assert abs(true - guessed) < 0.13
