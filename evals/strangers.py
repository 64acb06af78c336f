"""Questions asked after something else was talked about: a context that must do no harm."""

import random
from collections.abc import Sequence
from dataclasses import replace

from knowledge.language import language_of
from knowledge.records import Question
from knowledge.types import DocumentId, Language, Passage

_BEFORE = 2
_SEED = 5


def after_strangers(questions: Sequence[Question], *, passages: Sequence[Passage]) -> list[Question]:
    """Put two questions in the same language before each one, whose gold is in other documents; always the same two.

    A question without gold is no stranger to anything, so it lends itself to nobody.
    """
    document = {str(passage.id): passage.document for passage in passages}
    about = [frozenset(document[name] for name in one.gold or () if name in document) for one in questions]
    drawn = random.Random(_SEED)
    return [
        replace(one, context=tuple(_strangers(n, questions, about, drawn))) for n, one in enumerate(questions)
    ]


def _strangers(
    n: int, questions: Sequence[Question], about: Sequence[frozenset[DocumentId]], drawn: random.Random
) -> list[str]:
    fit = [
        other.text
        for other, documents in zip(questions, about, strict=True)
        if documents and not documents & about[n] and _language(other) == _language(questions[n])
    ]
    return drawn.sample(fit, min(_BEFORE, len(fit)))


def _language(question: Question) -> Language:
    return question.language or language_of(question.text)
