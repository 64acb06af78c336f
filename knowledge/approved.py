"""Approved answers: the sections under a question of documents a curator marked so.

    ## За сколько дней можно вернуть товар? Сколько дней на возврат?      the question and another wording of it
    В течение 14 дней после получения. …                                  the answer, one passage

An approved answer is a document and lives as one: drafts, versions, dates, history. Here is only the view of it by
question; whether it may be given at a moment is asked of the catalogue at that moment.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from knowledge.keeping import tables as t
from knowledge.keeping.shown import passage_of, passages_query
from knowledge.types import Approved, Language, Passage

PATH = " › "
"""What joins the headings a passage stands under."""
_QUESTION = re.compile(r"[^?]*[^\W_][^?]*\?+")


class ApprovedAnswers:
    """Reads what is approved. What was read is kept until any document changes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._revision = -1
        self._known: Mapping[Language, tuple[Approved, ...]] = {}

    async def approved(self, language: Language) -> Sequence[Approved]:
        """Return all approved questions in a language, of versions that count now or later; the same object until
        something changes."""
        async with self._engine.connect() as connection:
            revision = (await connection.execute(sa.select(t.revision.c.revision))).scalar() or 0
            if revision != self._revision:
                query = passages_query().where(t.documents.c.approved, t.documents.c.status == "published")
                query = query.order_by(t.passages.c.document, t.passages.c.version, t.passages.c.n)
                rows = (await connection.execute(query)).mappings()
                self._known = _by_language([passage_of(row) for row in rows])
                self._revision = revision
        return self._known.get(language, ())


def questions_of(passage: Passage) -> tuple[str, ...]:
    """Return the questions a passage stands under: those of its last heading, or of the title where it has none."""
    under = passage.heading.rpartition(PATH)[2] or passage.title
    return tuple(" ".join(found.split()) for found in _QUESTION.findall(under))


def _by_language(passages: Sequence[Passage]) -> Mapping[Language, tuple[Approved, ...]]:
    sections: dict[tuple[str, str], list[Passage]] = defaultdict(list)
    for passage in passages:
        # The id names document and version, and the number behind it the place.
        sections[passage.id.rpartition("#")[0], passage.heading].append(passage)
    out: dict[Language, list[Approved]] = defaultdict(list)
    for own in sections.values():
        # A section of several passages is a text to be read, not an answer to be given whole.
        if len(own) == 1:
            out[own[0].language] += [
                Approved(question=question, passage=own[0]) for question in questions_of(own[0])
            ]
    return {language: tuple(known) for language, known in out.items()}
