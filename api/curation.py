"""What curators decide with: what a draft would change, and what customers ask in vain. Wires the rooms together.

preview: records, pack ─ questions ─┬─ live library ──┐
                                    └─ with the draft ┴─ Preview + contradictions ─ Change ─ publish | drop
gaps:    records ─ questions that ended badly ─ groups ─ draft of staff's own words ─ closed by a document
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.records.questions import Question, Questions
from api.pack_questions import pack_questions
from api.rehearsal import answers, findings
from knowledge.conflicts import Conflict, find_conflicts
from knowledge.decisions import Change, Contradiction, Decisions
from knowledge.errors import UnknownDocument, WrongState
from knowledge.gaps import Ended, Gap, Kept, Near, draft_text, find_gaps, placed
from knowledge.keeping.gap_book import GapBook
from knowledge.overlay import Overlay
from knowledge.preview import Ask, Asked, Depth, Preview, Progress, Verdict, preview
from knowledge.types import Document, DocumentId, Language, Passage, Query, Version

if TYPE_CHECKING:
    from api.container import Building
    from knowledge.library import Library

LAST = 100
"""Real questions a preview asks again, beside the pack's."""
MOST = 3_000
"""Questions a search for gaps looks at, newest first: their likeness is a matrix."""
DAYS = 90
TITLE = 120
NEIGHBOURS = 6
"""Passages a draft's sentence is compared with."""
DEEP = 20
"""Passages among which a closed gap's own document is looked for."""
LOCAL = "extractive"

Conflicts = Callable[[Overlay], Awaitable[tuple[Contradiction, ...]]]


async def contradictions(overlay: Overlay) -> tuple[Contradiction, ...]:
    """Return what the draft says against published passages for the same readers, surest first."""

    async def among(text: str) -> Sequence[Passage]:
        found = await overlay.search(Query(text, k=NEIGHBOURS, audience=overlay.document.audience))
        return [hit.passage for hit in found.hits]

    return tuple(_contradiction(one) for one in await find_conflicts(overlay.passages, among=among))


class Curation:
    """Previews, decisions and gaps of one installation; `conflicts` compares a draft with what is published."""

    def __init__(self, building: "Building", *, conflicts: Conflicts = contradictions) -> None:
        self._building = building
        self._conflicts = conflicts
        self.decisions = Decisions(building.engine)
        self.book = GapBook(building.engine)
        self.questions = Questions(building.engine)

    @property
    def depth(self) -> Depth:
        """Say whether previews compare answers, or only what is found: a remote model is not asked by the hundred."""
        return "answer" if self._building.settings.model == LOCAL else "retrieval"

    async def preview(
        self,
        document: DocumentId,
        *,
        by: str,
        version: int | None = None,
        last: int = LAST,
        progress: Progress = lambda done, total: None,
    ) -> Change:
        """Ask the last real questions and the pack's with and without a version (the newest), and keep what changes.

        Nothing live changes. Raises `UnknownDocument` and `Empty`.
        """
        overlay = await self._library.overlay(document, version=version)
        found = await self.consequences(overlay, await self.asked(last=last), progress=progress)
        return await self.decisions.propose(
            found,
            base=_counts(overlay.document),
            conflicts=await self._conflicts(overlay),
            by=by,
            at=self._building.clock.now(),
        )

    async def consequences(
        self, overlay: Overlay, questions: Sequence[Asked], *, progress: Progress = lambda done, total: None
    ) -> Preview:
        """Ask questions with and without the draft."""
        before, after = self.asks(overlay)
        return await preview(
            questions,
            document=overlay.document.id,
            version=overlay.version,
            before=before,
            after=after,
            depth=self.depth,
            progress=progress,
        )

    async def asked(self, *, last: int = LAST) -> tuple[Asked, ...]:
        """Return the pack's questions and the last real ones, masked."""
        real = await self.questions.latest(last)
        return (*pack_questions(self._building.settings.company), *map(_asked, real))

    async def publish(
        self, number: int, *, by: str, accepting: frozenset[Verdict] = frozenset(), why: str = ""
    ) -> Change:
        """Publish a change, and record who decided with what in view. Taken up again where a crash left it.

        `accepting` names the verdicts whose differences were read and accepted; answers that get worse must be.
        Raises `WrongState` when the change is stale or decided.
        """
        change = await self.decisions.change(number)
        counts = _counts(await self._library.catalogue.document(change.document))
        if change.state == "accepted" and counts == change.version:
            return await self.decisions.published(number)
        now = self._building.clock.now()
        await self.decisions.accept(number, base=counts, accepting=accepting, by=by, at=now, why=why)
        told = f"{why} [change {number}]".strip()
        await self._library.publish(change.document, by=by, why=told, version=change.version)
        return await self.decisions.published(number)

    async def drop(self, number: int, *, by: str, why: str = "") -> Change:
        """Decide against a change; the draft stays."""
        return await self.decisions.drop(number, by=by, at=self._building.clock.now(), why=why)

    async def gaps(
        self, *, days: int = DAYS, most: int = MOST, tell: Callable[[int], None] = lambda _: None
    ) -> tuple[Gap, ...]:
        """Return what customers of the last days asked in vain, the most harmful first."""
        since = self._building.clock.now() - timedelta(days=days)
        real = await self.questions.latest(most, since=since)
        known = [(one.text, str(one.language)) for one in pack_questions(self._building.settings.company)]
        # Titles tell what this company is asked at all where its pack brings few questions.
        published = await self._library.catalogue.documents(status="published")
        known += [(one.title, one.language) for one in published]
        found = await asyncio.to_thread(
            find_gaps,
            [_ended(one) for one in real],
            kept=await self.book.kept(),
            encode=self._library.encoded,
            background=known,
            tell=tell,
        )
        return await placed(found, nearest=self._nearest)

    async def gap(self, name: str, *, days: int = DAYS) -> Gap:
        """Return one gap. Raises `UnknownDocument`."""
        for one in await self.gaps(days=days):
            if one.id == name:
                return one
        raise UnknownDocument(f"There is no gap {name!r}.", remedy="See `mayak knowledge gaps`.")

    async def draft(self, gap: Gap, *, by: str) -> Version:
        """Save a draft made of what staff replied, as a new document. Raises `WrongState` for a closed gap."""
        name = DocumentId(f"gap-{gap.id}")
        await self.book.drafted(gap, name, by=by, at=self._building.clock.now())
        return await self._library.save_draft(
            name, draft_text(gap), title=gap.question[:TITLE], language=gap.language, by=by
        )

    async def said(self, gap: Gap) -> str:
        """Return what the document that closed a gap says to its question, "" where none did or none answers."""
        if not gap.document:
            return ""
        found = await self._library.search(
            Query(gap.question, language=gap.language, k=DEEP, audience="staff")
        )
        own = (hit.passage.text for hit in found.hits if hit.passage.document == gap.document)
        return next(own, "")

    async def close(self, gap: Gap, document: DocumentId, *, by: str) -> Kept:
        """Say which published document answers a gap. Raises `UnknownDocument`, and `WrongState` for another one."""
        if not _counts(await self._library.catalogue.document(document)):
            raise WrongState(f"{document!r} is not published.", remedy="Publish it, then close the gap.")
        return await self.book.closed(gap, document, by=by, at=self._building.clock.now())

    def asks(self, overlay: Overlay) -> tuple[Ask, Ask]:
        """Return how a question is asked today, and with the draft in place."""
        if self.depth == "retrieval":
            return findings(self._library), findings(overlay)
        turn, now = self._building.turn, self._building.clock.now
        return answers(turn, self._library, now=now), answers(turn, overlay, now=now)

    @property
    def _library(self) -> "Library":
        return self._building.library

    async def _nearest(self, question: str, language: Language) -> Near | None:
        found = await self._library.search(Query(question, language=language, k=1, audience="staff"))
        if not found.hits:
            return None
        passage = found.hits[0].passage
        return Near(document=passage.document, title=passage.title, confidence=round(found.confidence, 3))


def _counts(document: Document) -> int:
    """Return the version that counts, 0 for none."""
    return document.version if document.status == "published" else 0


def _asked(question: Question) -> Asked:
    return Asked(text=question.text, language=question.language, origin="customer", context=question.context)


def _ended(question: Question) -> Ended:
    return Ended(
        id=question.turn,
        text=question.text,
        language=question.language,
        at=question.at,
        outcome=question.outcome,
        conversation=question.conversation,
        reason=question.reason,
        confidence=question.confidence,
        disliked=question.disliked,
        person_after=question.person_after,
        replies=question.replies,
    )


def _contradiction(one: Conflict) -> Contradiction:
    return Contradiction(
        kind=one.kind,
        subject=one.subject,
        quote=one.left.text,
        passage=one.left.passage.id,
        other_quote=one.right.text,
        other_passage=one.right.passage.id,
        other_document=one.right.passage.document,
        confidence=one.confidence,
    )
