"""What a checked draft shows about itself: the signals a confidence is computed from. Pure."""

import math
from collections.abc import Sequence

from agent import lexicon
from agent.confidence import Signals
from agent.domain import Draft, Verified
from agent.ports import Similarity
from knowledge.types import Hit, Language, Retrieval


def signals_of(
    draft: Draft,
    kept: Sequence[Verified],
    *,
    question: str,
    language: Language,
    retrieval: Retrieval,
    similarity: Similarity | None,
    earlier: Sequence[str] = (),
) -> Signals:
    """Return the signals of the sentences that were kept; `earlier` is what the customer asked before."""
    cited = {citation.passage for sentence in kept for citation in sentence.citations}
    documents = {citation.document for sentence in kept for citation in sentence.citations}
    hits = retrieval.hits
    return Signals(
        retrieval=retrieval.confidence,
        match=_match(question, kept, similarity),
        support=len(kept) / max(1, len(draft.sentences)),
        coverage=_coverage(question, kept),
        lead=next((1 / n for n, hit in enumerate(hits, start=1) if hit.passage.id in cited), 0.0),
        agreement=_share([hit.passage.document in documents for hit in hits]),
        margin=_margin(hits, documents),
        language=_share([hit.passage.language == language for hit in hits if hit.passage.id in cited]),
        certainty=draft.doubt.mean if draft.doubt else None,
        weakest=draft.doubt.least if draft.doubt else None,
        fresh=0.0 if _repeated(question, earlier) else 1.0,
        from_tools=bool(draft.tools) and not cited,
    )


def _match(question: str, kept: Sequence[Verified], similarity: Similarity | None) -> float:
    """Return how close the best sentence, or the title it stands under, comes to the question."""
    if not kept or similarity is None:
        return 0.0
    titles = [citation.title for sentence in kept for citation in sentence.citations]
    return min(1.0, max(similarity(question, [sentence.text for sentence in kept] + titles)))


def _coverage(question: str, kept: Sequence[Verified]) -> float:
    asked = lexicon.meaning(question)
    if not asked or not kept:
        return 0.0
    told = " ".join(
        (
            *(sentence.text for sentence in kept),
            *(citation.title for sentence in kept for citation in sentence.citations),
        )
    )
    found = lexicon.covered(asked, lexicon.meaning(told))
    return sum(map(lexicon.weight, found)) / sum(map(lexicon.weight, asked))


def _margin(hits: Sequence[Hit], documents: set[str]) -> float:
    inside = [hit.score for hit in hits if hit.passage.document in documents]
    outside = [hit.score for hit in hits if hit.passage.document not in documents]
    if not inside:
        return 0.0
    return 1 / (1 + math.exp(-(max(inside) - max(outside, default=0.0))))


def _repeated(question: str, earlier: Sequence[str]) -> bool:
    asked = set(lexicon.meaning(question))
    return bool(asked) and any(asked == set(lexicon.meaning(text)) for text in earlier)


def _share(marks: Sequence[bool]) -> float:
    return sum(marks) / len(marks) if marks else 0.0
