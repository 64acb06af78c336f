"""What ails a document, by what is known of it and of the answers that cited it. Pure.

stale          its days are over, or nobody has touched it for `STALE_DAYS`
unused         no answer has cited it for `USED_DAYS`, though it had `NEW_DAYS` to be cited
wrong          answers that cited it were disliked, or a person was called right after
contradicting  the last check found another document saying otherwise
untranslated   the company speaks a language this document has no published twin in
twin           the text in the other language is another one by now
flagged        words in it are hidden from readers, or speak to a model
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from agent.records.usage import Used
from knowledge.types import Document, DocumentId

Ail = Literal["stale", "unused", "wrong", "contradicting", "untranslated", "twin", "flagged"]
AILS: tuple[Ail, ...] = get_args(Ail)
STALE_DAYS, USED_DAYS, NEW_DAYS = 180, 90, 14
LEAST_WRONG, WRONG_SHARE = 2, 0.2
_NEVER = Used()


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What ails a document, and how often answers of the last `USED_DAYS` cited it."""

    ails: tuple[Ail, ...] = ()
    used: int = 0
    wrong: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What health is judged by; `contradicting` and `flagged` name documents."""

    now: datetime
    languages: Collection[str]
    used: Mapping[str, Used]
    contradicting: Collection[str] = ()
    flagged: Collection[str] = ()


def health_of(documents: Sequence[Document], *, known: Known) -> dict[DocumentId, Health]:
    """Return the health of every document; what is not published has nothing that could hurt customers."""
    published = {one.id for one in documents if one.status == "published"}
    return {one.id: _health(one, known=known, published=published) for one in documents}


def _health(one: Document, *, known: Known, published: Collection[DocumentId]) -> Health:
    used = known.used.get(one.id, _NEVER)
    found: dict[Ail, bool] = {"flagged": one.id in known.flagged and one.status != "retired"}
    if one.id in published:
        found |= {
            "stale": _stale(one, known.now),
            "unused": not used.answers and one.updated < known.now - timedelta(days=NEW_DAYS),
            "wrong": used.wrong >= LEAST_WRONG and used.wrong >= WRONG_SHARE * used.answers,
            "contradicting": one.id in known.contradicting,
            "untranslated": len(known.languages) > 1 and one.twin not in published,
            "twin": one.twin_changed is not None,
        }
    return Health(ails=tuple(ail for ail in AILS if found.get(ail)), used=used.answers, wrong=used.wrong)


def _stale(one: Document, now: datetime) -> bool:
    over = one.valid_until is not None and one.valid_until < now.date()
    return over or one.updated < now - timedelta(days=STALE_DAYS)
