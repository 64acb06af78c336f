"""The cheap path: a question whose answer a curator approved is answered with that answer, and no model is asked.

```
search ─► Approving ─┬─ the customer's own data, or a follow-up ────────────────► the usual way
                     ├─ no approved question is nearly the same ────────────────► the usual way
                     └─ one is, and its passage is live now ─► Retrieval.approved
Retrieval.approved ─► its sentences, quoted and bound like any draft ─► sent | the usual way
```
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from agent.answering import Judged, check
from agent.confidence import Calibration, Confidence
from agent.domain import Draft, Sentence
from agent.gist import LONGEST
from agent.intents import Documented, Offer, Reading
from agent.ports import Approvals, Facts, Similarity
from agent.promise import Promise
from agent.reading import read_answer
from agent.sameness import Known
from knowledge.approved import PATH
from knowledge.rank.follow_up import leans
from knowledge.types import Approved, Hit, Language, Passage, Query, Retrieval

SURE = 0.99
"""Confidence of an approved answer: the share of right ones that `mayak eval run approved` holds the comparison to."""
_TABLE = "|"


class Approving(Facts):
    """Facts that know which questions have an approved answer.

    `offers` are what tools are asked for with: a question for one of them is not answered from a document.
    """

    def __init__(
        self,
        facts: Facts,
        approvals: Approvals,
        *,
        offers: Sequence[Offer] = (),
        similarity: Similarity | None = None,
    ) -> None:
        self.facts = facts
        self.approvals = approvals
        self.offers = tuple(offers)
        self.similarity = similarity
        self._known: dict[Language, tuple[Sequence[Approved], Known]] = {}

    async def search(self, query: Query) -> Retrieval:
        """Return what the search finds, with the answer approved for this very question."""
        found = await self.facts.search(query)
        return replace(found, approved=await self._approved(query, found.understood))

    async def expect(self, query: str) -> None:
        """Get ready for a search."""
        await self.facts.expect(query)

    async def live(self, ids: Sequence[str]) -> Mapping[str, Passage]:
        """Return those of the passages that may still be cited."""
        return await self.facts.live(ids)

    async def _approved(self, query: Query, understood: str) -> Approved | None:
        if query.language is None or (query.context and leans(understood)):
            return None
        approved = await self.approvals.approved(query.language)
        if not approved:
            return None
        known = await self._laid_out(approved, query.language)
        found = [
            approved[n] for n in await asyncio.to_thread(known.like, understood, similarity=self.similarity)
        ]
        # Reading what is wanted costs more than comparing, and few questions are like an approved one.
        if not found or self._asks_a_tool(understood, query.language):
            return None
        live = await self.facts.live([one.passage.id for one in found])
        answers = {live[one.passage.id].text: one for one in found if one.passage.id in live}
        # Two answers to one question are none: which of them holds is for people to say.
        return next(iter(answers.values())) if len(answers) == 1 else None

    async def _laid_out(self, approved: Sequence[Approved], language: Language) -> Known:
        kept = self._known.get(language)
        if kept is None or kept[0] is not approved:
            known = await asyncio.to_thread(Known, [one.question for one in approved])
            self._known[language] = kept = (approved, known)
        return kept[1]

    def _asks_a_tool(self, question: str, language: Language) -> bool:
        reading = Reading(
            language=language,
            offers=self.offers,
            # The documents do answer it: only what asks for the customer's own things is left to the tools.
            documented=lambda _: Documented(fit=1.0, topic=1.0),
            similarity=self.similarity,
        )
        return reading.intent(question) is not None


def as_approved(
    retrieval: Retrieval,
    *,
    question: str,
    language: Language,
    calibration: Calibration,
    promise: Promise,
    hosts: Collection[str] | None = None,
) -> tuple[Draft, Judged] | None:
    """Return the approved answer as a checked draft, or None where there is none or it cannot be given whole.

    Its sentences are bound to their passage as a model's would be, and a promise stricter than the comparison of
    questions can keep leaves the question to the usual way.
    """
    if retrieval.approved is None or len(question) > LONGEST:
        return None
    passage = _under(retrieval.approved)
    draft = Draft(kind="answer", sentences=_sentences(passage))
    own = [hit for hit in retrieval.hits if hit.passage.id != passage.id]
    first = Hit(passage=passage, score=max((hit.score for hit in own), default=0.0))
    judged = check(
        draft,
        question=question,
        language=language,
        retrieval=replace(retrieval, hits=(first, *own)),
        calibration=calibration,
        promise=promise,
        similarity=None,
        hosts=hosts,
    )
    if not judged.sentences or judged.dropped or calibration.accept(promise, from_tools=True) > SURE:
        return None
    return draft, replace(judged, confidence=Confidence(value=SURE, reasons=()), gate="send")


def _under(approved: Approved) -> Passage:
    """Return the passage under the wording that was asked: a citation need not list all the others."""
    before, path, wordings = approved.passage.heading.rpartition(PATH)
    heading = f"{before}{path}{approved.question}" if wordings else ""
    return replace(approved.passage, heading=heading)


def _sentences(passage: Passage) -> tuple[Sentence, ...]:
    """Return the passage as sentences that name it; none for a table, which is not read aloud."""
    if any(line.lstrip().startswith(_TABLE) for line in passage.text.splitlines()):
        return ()
    return tuple(Sentence(text=one.text, refs=(passage.id,)) for one in read_answer(passage.text))
