"""What people answered becomes knowledge: cases that ended are looked at, curators decide on what they teach.

a person answers, the case ends ─► gather ─► proposals ─► draft ─► consequences ─► published: the AI answers it
                                                 └─► refused with a reason ─► does not come back
"""

import asyncio
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from agent.records.resolved import Cases, Resolved
from api.curation import TITLE
from api.pack_questions import pack_questions
from knowledge.errors import WrongState
from knowledge.gaps import Near
from knowledge.keeping.lesson_book import LessonBook
from knowledge.lessons import Evidence, Lesson, Refusal, Taught, article, begun, same
from knowledge.teachable import teachable
from knowledge.types import DocumentId, Query, Version
from tools.context import ConversationId

if TYPE_CHECKING:
    from api.container import Building
    from knowledge.library import Library

DAYS = 90
"""How far back cases are looked for that ended unnoticed: a crash between the two loses none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A lesson as a curator sees it; `published` says that its document answers customers now."""

    lesson: Lesson
    evidence: tuple[Evidence, ...]
    published: bool
    near: Near | None = None


class Learning:
    """Proposals of one installation."""

    def __init__(self, building: "Building") -> None:
        self._building = building
        self.book = LessonBook(building.engine)
        self.cases = Cases(building.engine)

    async def of(self, conversation: ConversationId) -> Taught | None:
        """Return what the latest case of a conversation teaches as it stands; what its person wished comes first."""
        found = await self.cases.of(conversation)
        if found is None:
            return None
        return _wished(_taught(found), await self.book.wish(found.turn))

    async def wish(
        self, conversation: ConversationId, *, propose: bool, question: str, answer: str, by: str
    ) -> Taught | None:
        """Note what the person who answered wants to propose; None where there is no case to learn from.

        Their words are masked like all that is proposed. Raises `WrongState` once the case was looked at.
        """
        found = await self.cases.of(conversation)
        if found is None:
            return None
        own = replace(
            _taught(found),
            question=self.cases.masked(question) or found.question,
            answer=self.cases.masked(answer),
            by=by,
            wish="yes" if propose and answer.strip() else "no",
        )
        await self.book.wished(own)
        return own

    async def gather(self) -> int:
        """Look at the cases that ended and were not looked at; return how many made or joined a proposal.

        Each is counted once, whoever else gathers at the same time.
        """
        since = self._building.clock.now() - timedelta(days=DAYS)
        # Every case that ends asks for this: what was looked at before is not read again.
        ended = await self.cases.ended(since=since)
        unseen = await self.book.unseen(ended)
        new = await self.cases.resolved([turn for turn in ended if turn in unseen])
        return sum([await self._learn(case) for case in new])

    async def proposals(self) -> tuple[Proposal, ...]:
        """Return every proposal: the most asked first."""
        lessons = await self.book.lessons()
        said = await self.book.evidence([one.id for one in lessons])
        live = {one.id for one in await self._library.catalogue.documents(status="published")}
        found = [
            Proposal(
                lesson=one,
                evidence=tuple(each for each in said if each.lesson == one.id),
                published=one.document in live,
                near=await self._near(one) if one.state == "open" else None,
            )
            for one in lessons
        ]
        return tuple(sorted(found, key=lambda one: (-one.lesson.count, one.lesson.at, one.lesson.id)))

    async def draft(self, id: str, *, question: str, answer: str, by: str) -> Version:
        """Save a draft of the curator's words as a document. Raises `WrongState` for a refused one or without words."""
        if not question.strip() or not answer.strip():
            raise WrongState("A question or an answer is missing.", remedy="Write both.")
        name = DocumentId(f"lesson-{id}")
        now = self._building.clock.now()
        lesson = await self.book.drafted(id, name, question=question, answer=answer, by=by, at=now)
        title = " ".join(lesson.question.split())[:TITLE]
        return await self._library.save_draft(
            name, article(lesson), title=title, language=lesson.language, by=by
        )

    async def refuse(self, id: str, refusal: Refusal, *, why: str, by: str) -> Lesson:
        """Decide against a proposal; who asks the same again makes no new one."""
        return await self.book.refused(id, refusal, why=why, by=by, at=self._building.clock.now())

    async def reopen(self, id: str) -> Lesson:
        """Take a decision back. Raises `WrongState` while its document answers customers."""
        lesson = await self.book.lesson(id)
        if lesson.document and await self._answers(lesson.document):
            raise WrongState("Its document is published.", remedy="Retire the document first.")
        return await self.book.reopened(id)

    async def _learn(self, case: Resolved) -> bool:
        taught = _wished(_taught(case), await self.book.wish(case.turn))
        now = self._building.clock.now()
        if taught.wish == "no" or not taught.answer:
            await self.book.learn(taught, None, at=now)
            return False
        known = await self.book.lessons()
        found = await asyncio.to_thread(
            same, taught, known, encode=self._library.encoded, background=await self._background()
        )
        lesson = found or begun(taught, id=secrets.token_hex(6))
        return await self.book.learn(taught, lesson, at=now)

    async def _background(self) -> Sequence[tuple[str, str]]:
        asked = [(one.text, str(one.language)) for one in pack_questions(self._building.settings.company)]
        published = await self._library.catalogue.documents(status="published")
        return [*asked, *((one.title, str(one.language)) for one in published)]

    async def _near(self, lesson: Lesson) -> Near | None:
        query = Query(lesson.question, language=lesson.language, k=1, audience="staff")
        found = await self._library.search(query)
        if not found.hits:
            return None
        passage = found.hits[0].passage
        return Near(document=passage.document, title=passage.title, confidence=round(found.confidence, 3))

    async def _answers(self, document: DocumentId) -> bool:
        live: Mapping[DocumentId, object] = {
            one.id: one for one in await self._library.catalogue.documents(status="published")
        }
        return document in live

    @property
    def _library(self) -> "Library":
        return self._building.library


def _taught(case: Resolved) -> Taught:
    return Taught(
        turn=case.turn,
        conversation=case.conversation,
        question=case.question,
        language=case.language,
        said=case.replies,
        answer=teachable(case.replies, language=case.language),
        by=case.operator,
        at=case.at,
    )


def _wished(taught: Taught, noted: Taught | None) -> Taught:
    """Return the case with what its person wished; their replies are those of the case all the same."""
    if noted is None or not noted.wish:
        return taught
    return replace(taught, wish=noted.wish, question=noted.question, answer=noted.answer, by=noted.by)
