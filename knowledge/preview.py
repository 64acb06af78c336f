"""What a change of knowledge would do to answers: the same questions asked before and after it. Pure but for `Ask`.

    questions ─┬─ ask what is live ──────────────┬─ the same words, from the same documents? ─ unchanged
               └─ ask it with the draft in place ┘      └─ no ─ Difference: better | worse | unknown, and why

Verdicts, first that applies:

    the pack knows where the answer is    found now: better, lost: worse, found both times: unknown
    the pack says it is not our business  answered now: worse, no longer: better
    the outcome                           answered > asked back > no answer of our own
    the confidence                        by more than `MARGIN`
    none of these                         unknown: somebody reads both
"""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from knowledge.types import DocumentId, Language

Verdict = Literal["better", "worse", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("worse", "unknown", "better")
Why = Literal[
    "gold_found",
    "gold_lost",
    "gold_kept",
    "outside_answered",
    "outside_declined",
    "answers_now",
    "answers_no_more",
    "surer",
    "less_sure",
    "other_words",
]
Origin = Literal["customer", "pack"]
Depth = Literal["answer", "retrieval"]
"""Whether whole answers were compared, or, where a model costs time and money, only what was found."""

MARGIN = 0.15
_RANK: Mapping[str, int] = {"answered": 2, "found": 2, "clarify": 1, "waiting": 1}
_NOTHING_CHANGED: tuple[Verdict, Why] = ("unknown", "other_words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gold:
    """Where the pack says the answer is; no documents: it is not our business (`outside`), or not written yet."""

    documents: tuple[DocumentId, ...] = ()
    contains: str = ""
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question somebody asked, without what would name them; `context` holds their messages before, oldest first."""

    text: str
    language: Language
    origin: Origin
    context: tuple[str, ...] = ()
    gold: Gold | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """What an answer rests on; `words` is the whole passage, by which gold is recognised."""

    document: DocumentId
    passage: str
    title: str
    quote: str
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What would be said to a question."""

    outcome: str
    text: str
    citations: tuple[Cited, ...] = ()
    confidence: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A question whose answer changes."""

    question: Asked
    before: Told
    after: Told
    verdict: Verdict
    why: Why


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would change, the worst first; `asked` counts questions, `ms` is wall time."""

    document: DocumentId
    version: int
    differences: tuple[Difference, ...]
    unchanged: int
    asked: int
    ms: float
    depth: Depth

    @property
    def counts(self) -> dict[Verdict, int]:
        """Return how many answers change, by verdict."""
        found = Counter(one.verdict for one in self.differences)
        return {verdict: found[verdict] for verdict in VERDICTS}


Ask = Callable[[Asked], Awaitable[Told]]
Progress = Callable[[int, int], None]


async def preview(
    questions: Sequence[Asked],
    *,
    document: DocumentId,
    version: int,
    before: Ask,
    after: Ask,
    depth: Depth = "answer",
    progress: Progress = lambda done, total: None,
) -> Preview:
    """Ask every question (each text once) both ways, and return what changes.

    `progress` is told questions done and all of them. What `before` and `after` raise is not caught.
    """
    began = time.perf_counter()
    asked = _once(questions)
    differences: list[Difference] = []
    for n, question in enumerate(asked, start=1):
        was, becomes = await before(question), await after(question)
        if _changed(was, becomes):
            differences.append(_difference(question, was, becomes))
        progress(n, len(asked))
    return Preview(
        document=document,
        version=version,
        differences=tuple(sorted(differences, key=lambda one: VERDICTS.index(one.verdict))),
        unchanged=len(asked) - len(differences),
        asked=len(asked),
        ms=round((time.perf_counter() - began) * 1000, 1),
        depth=depth,
    )


def verdict(question: Asked, before: Told, after: Told) -> tuple[Verdict, Why]:
    """Return whether the answer after is better, and by what that is known."""
    for rule in (_by_gold, _by_scope, _by_outcome, _by_confidence):
        found = rule(question, before, after)
        if found is not None:
            return found
    return _NOTHING_CHANGED


def _by_gold(question: Asked, before: Told, after: Told) -> tuple[Verdict, Why] | None:
    gold = question.gold
    if gold is None or not gold.documents:
        return None
    was, becomes = _right(before, gold), _right(after, gold)
    if was == becomes:
        return ("unknown", "gold_kept") if was else None
    return ("better", "gold_found") if becomes else ("worse", "gold_lost")


def _by_scope(question: Asked, before: Told, after: Told) -> tuple[Verdict, Why] | None:
    if question.gold is None or not question.gold.outside:
        return None
    was, becomes = _rank(before) == 2, _rank(after) == 2
    if was == becomes:
        return None
    return ("worse", "outside_answered") if becomes else ("better", "outside_declined")


def _by_outcome(question: Asked, before: Told, after: Told) -> tuple[Verdict, Why] | None:
    if _rank(after) == _rank(before):
        return None
    return ("better", "answers_now") if _rank(after) > _rank(before) else ("worse", "answers_no_more")


def _by_confidence(question: Asked, before: Told, after: Told) -> tuple[Verdict, Why] | None:
    if before.confidence is None or after.confidence is None:
        return None
    gained = after.confidence - before.confidence
    if abs(gained) < MARGIN:
        return None
    return ("better", "surer") if gained > 0 else ("worse", "less_sure")


def _difference(question: Asked, before: Told, after: Told) -> Difference:
    found, why = verdict(question, before, after)
    return Difference(question=question, before=_quoted(before), after=_quoted(after), verdict=found, why=why)


def _quoted(told: Told) -> Told:
    """Leave only the quotes: whole passages were needed for the verdict alone."""
    return replace(told, citations=tuple(replace(one, words="") for one in told.citations))


def _changed(before: Told, after: Told) -> bool:
    """Whether somebody reading both would see a difference; the name of a passage changes with every version."""
    return (before.outcome, _flat(before.text), _sources(before)) != (
        after.outcome,
        _flat(after.text),
        _sources(after),
    )


def _sources(told: Told) -> list[tuple[str, str]]:
    return [(one.document, _flat(one.quote)) for one in told.citations]


def _right(told: Told, gold: Gold) -> bool:
    wanted = _flat(gold.contains)
    return _rank(told) == 2 and any(
        one.document in gold.documents and wanted in _flat(one.words or one.quote) for one in told.citations
    )


def _rank(told: Told) -> int:
    return _RANK.get(told.outcome, 0)


def _once(questions: Sequence[Asked]) -> list[Asked]:
    """Return each question once; the one whose answer is known goes before others of the same words."""
    out: dict[tuple[str, tuple[str, ...]], Asked] = {}
    for question in questions:
        key = (_flat(question.text), tuple(map(_flat, question.context)))
        if key not in out or (question.gold is not None and out[key].gold is None):
            out[key] = question
    return list(out.values())


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").casefold().split())
