"""From a draft to sentences that may leave the house: every sentence bound, then the whole judged.

```
Draft ─► verify each sentence ─► drop what is not supported ─► Signals ─► Confidence ─► gate
```
Pure: evidence comes in, a `Judged` comes out; nothing is sent here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.confidence import Calibration, Confidence, Signals
from agent.domain import Citation, Draft, Evidence, Sentence, ToolUse, Verified
from agent.grounding import Verdict, verify
from agent.language import sentences
from agent.pledging import is_idle, is_pledge, pledged_by
from agent.policy.courtesy import is_courtesy
from agent.policy.limits import OF_A_MODEL, Limit, limit_of
from agent.ports import Similarity
from agent.promise import Promise
from agent.signals import signals_of
from knowledge.types import Language, Retrieval, title_of

Gate = Literal["send", "decline", "escalate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What may be said, how sure the house is, and what was kept back."""

    sentences: tuple[Verified, ...]
    confidence: Confidence
    gate: Gate
    dropped: tuple[str, ...]
    """Drafted sentences that found no support, each with its reason."""
    signals: Signals
    """What the confidence was computed from; a fit reads them here."""
    limits: tuple[Limit, ...] = ()
    """Limits that drafted sentences were over, each once."""

    @property
    def promised(self) -> bool:
        """Whether the draft promised what nobody would do."""
        return "promise" in self.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One sentence held against the evidence: as it may leave, or why not.

    `from_tools`: whether it rests on a tool's result, alone or beside passages.
    """

    verified: Verified | None = None
    fault: str = ""
    limit: Limit | None = None
    from_tools: bool = False


def evidence_of(retrieval: Retrieval) -> tuple[Evidence, ...]:
    """Return the passages a writer may use, best first."""
    return tuple(
        Evidence(
            ref=hit.passage.id,
            kind="passage",
            title=title_of(hit.passage),
            text=hit.passage.text,
            document=hit.passage.document,
            score=hit.score,
        )
        for hit in retrieval.hits
    )


def tool_evidence(tools: Sequence[ToolUse]) -> tuple[Evidence, ...]:
    """Return finished tool results as evidence, named `tool:<name>:<n>` with n from 1 within the turn."""
    return tuple(
        Evidence(
            ref=f"tool:{use.name}:{n}",
            kind="tool",
            title=use.name,
            text="\n".join(str(sentence) for sentence in use.result.get("sentences", ())),
        )
        for n, use in enumerate(tools, start=1)
    )


def check(
    draft: Draft,
    *,
    question: str,
    language: Language,
    retrieval: Retrieval,
    calibration: Calibration,
    promise: Promise,
    similarity: Similarity | None,
    forbidden: Sequence[str] = (),
    hosts: Collection[str] | None = None,
    earlier: Sequence[str] = (),
    notes: Sequence[Evidence] = (),
) -> Judged:
    """Bind every drafted sentence to this turn's evidence and decide whether the rest may be sent under the promise.

    `earlier` is what the customer asked before in this conversation, `notes` what is remembered of them; `hosts` where links
    may lead, None: anywhere.
    """
    evidence = {item.ref: item for item in (*evidence_of(retrieval), *tool_evidence(draft.tools), *notes)}
    kept, dropped, limits = _verified(draft, evidence, similarity, forbidden, hosts)
    signals = signals_of(
        draft,
        kept,
        question=retrieval.understood or question,
        language=language,
        retrieval=retrieval,
        similarity=similarity,
        earlier=earlier,
    )
    confidence = calibration.judge(signals)
    accept = calibration.accept(promise, from_tools=signals.from_tools)
    gate = _gate(draft, kept, confidence=confidence, accept=accept)
    return Judged(
        sentences=kept, confidence=confidence, gate=gate, dropped=dropped, signals=signals, limits=limits
    )


def _verified(
    draft: Draft,
    evidence: Mapping[str, Evidence],
    similarity: Similarity | None,
    forbidden: Sequence[str],
    hosts: Collection[str] | None,
) -> tuple[tuple[Verified, ...], tuple[str, ...], tuple[Limit, ...]]:
    found = [
        examine(one, evidence, similarity=similarity, forbidden=forbidden, hosts=hosts)
        for one in draft.sentences
    ]
    kept = tuple(one.verified for one in found if one.verified is not None)
    dropped = tuple(one.fault for one in found if one.fault)
    return kept, dropped, tuple(dict.fromkeys(one.limit for one in found if one.limit is not None))


def examine(
    sentence: Sentence,
    evidence: Mapping[str, Evidence],
    *,
    similarity: Similarity | None,
    forbidden: Sequence[str] = (),
    hosts: Collection[str] | None = None,
) -> Examined:
    """Hold one drafted sentence against the limits and the turn's evidence by reference."""
    over = limit_of(sentence.text, forbidden=forbidden, hosts=hosts)
    verdict = verify(sentence, evidence, similarity=similarity)
    # What a document says word for word the company says itself, and keeps: only a model's own words are limited.
    own = over in OF_A_MODEL and (verdict.reason == "quoted" or _pledged(sentence.text, verdict))
    if over is not None and not own:
        return Examined(fault=f"{over}: {sentence.text}", limit=None if _idle(sentence.text) else over)
    if not verdict.ok:
        return Examined(fault=f"{verdict.reason}: {sentence.text}")
    # A tool's result has no document to open; the receipt names it instead.
    cited = tuple(_showable(c, hosts) for c in verdict.citations if evidence[c.passage].kind == "passage")
    return Examined(
        verified=Verified(text=sentence.text, citations=cited),
        from_tools=len(cited) < len(verdict.citations),
    )


def _pledged(text: str, verdict: Verdict) -> bool:
    """Return whether a document pledges to everybody what the sentence says: the company keeps that without a record."""
    if not verdict.ok or pledged_by(text) != "us":
        return False
    return any(is_pledge(unit) for cited in verdict.citations for unit in sentences(cited.quote))


def _idle(text: str) -> bool:
    """Return whether a pledge is a manner of speaking before an answer: «Сейчас посмотрю.»"""
    return is_pledge(text) and (is_courtesy(text) or is_idle(text))


def _showable(citation: Citation, hosts: Collection[str] | None) -> Citation:
    """Return the citation without neighbouring sentences that no answer may say: a quotation is read as well."""
    units = sentences(citation.quote)
    shown = [
        unit for unit in units if limit_of(unit, hosts=hosts) not in ("orders_to_a_model", "foreign_link")
    ]
    return citation if len(shown) == len(units) else replace(citation, quote=" ".join(shown))


def _gate(draft: Draft, kept: Sequence[Verified], *, confidence: Confidence, accept: float) -> Gate:
    """Outside the business is the writer's judgement; a low confidence alone means "not sure", and a person."""
    if kept and confidence.value >= accept:
        return "send"
    return "decline" if draft.kind == "decline" and not kept else "escalate"
