"""Passages that contradict each other: other numbers, terms, dates, money, or yes against no about the same thing.

    changed passage ─ statements ─ neighbours by search ─ the same thing? ─ same values, same yes or no? ─ Conflict
                                                          │
          same words and headings; no other place, customer, season, tariff, product, condition, exception

Pure but for the injected search. What a passage says twice, once as the other one does, is no conflict.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from knowledge.compare import conflict_words as words
from knowledge.compare.clash import Clash, ConflictKind, clash_of, clash_told
from knowledge.compare.statements import Statement, statements
from knowledge.split import split
from knowledge.types import DocumentId, Passage, PassageId, Query

if TYPE_CHECKING:
    from knowledge.library import Library

Neighbours = Callable[[str], Awaitable[Sequence[Passage]]]

NEIGHBOURS = 8
"""Passages that are looked at for each statement."""
_CLOSE = 0.05
_LONGEST_SUBJECT = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The words that contradict others, as they stand in a passage."""

    passage: Passage
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two quotes that cannot both hold; `subject` is what both speak of, in words of the left one.

    `confidence` 0..1 is how surely they speak of the same thing.
    """

    kind: ConflictKind
    left: Quote
    right: Quote
    subject: str
    confidence: float


async def find_conflicts(changed: Sequence[Passage], *, among: Neighbours) -> tuple[Conflict, ...]:
    """Return what the changed passages say against their neighbours, surest first.

    `among` is asked with a sentence and returns passages that may speak of the same, in any language. A passage is not
    compared with itself; passages of one document are.
    """
    own = {passage.id: passage for passage in changed}
    documents = {passage.document for passage in changed}
    pairs: dict[tuple[PassageId, PassageId], tuple[Passage, Passage]] = {}
    for passage in changed:
        asked = list(dict.fromkeys(_asked(one) for one in statements(passage) if _tells(one)))
        for found in await asyncio.gather(*(among(text) for text in asked)):
            for other in found:
                # Stored passages of these documents are the version before.
                right = own.get(other.id) if other.document in documents else other
                if right is None:
                    continue
                first, last = sorted((passage.id, right.id))
                if first != last:
                    pairs.setdefault((first, last), (passage, right))
    return _ordered(conflict for left, right in pairs.values() for conflict in conflicts_between(left, right))


async def conflicts_of(
    library: "Library",
    document: DocumentId | None = None,
    *,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> tuple[Conflict, ...]:
    """Return what the newest text of a document, published or not, says against what is live; or all that is published.

    `tell(done, total)` counts documents. Raises `UnknownDocument`.
    """
    if document is None:
        checked = [one.id for one in await library.catalogue.documents(status="published")]
    else:
        checked = [document]

    async def among(text: str) -> Sequence[Passage]:
        return [
            hit.passage for hit in (await library.search(Query(text, k=NEIGHBOURS, audience="staff"))).hits
        ]

    found: list[Conflict] = []
    for n, name in enumerate(checked, start=1):
        found += await find_conflicts(await _newest(library, name), among=among)
        tell(n, len(checked))
    return _ordered(found)


async def _newest(library: "Library", document: DocumentId) -> list[Passage]:
    history = await library.catalogue.history(document)
    if not history:
        return []
    text = await library.catalogue.text(document, version=history[0].version)
    return split(text, document=document, title=history[0].title, language=history[0].language)


def conflicts_between(left: Passage, right: Passage) -> tuple[Conflict, ...]:
    """Return where two passages contradict each other, surest first."""
    met = [
        clash
        for one in statements(left)
        for other in statements(right)
        if (clash := clash_of(one, other)) is not None
    ]
    agreed = [clash for clash in met if clash.kind is None]
    return _ordered(
        _conflict(clash, clash.kind)
        for clash in met
        if clash.kind is not None
        and not clash_told(clash)
        and not any(_settles(one, clash) for one in agreed)
    )


def _settles(agreed: Clash, clash: Clash) -> bool:
    """Whether one of the two statements is said by the other passage as well, about as nearly."""
    same = agreed.left is clash.left or agreed.right is clash.right
    return same and agreed.likeness >= clash.likeness - _CLOSE


def _asked(one: Statement) -> str:
    heading = one.passage.heading.rpartition("›")[2].strip()
    return f"{heading}. {one.quote}" if heading and len(one.quote) < 80 else one.quote


def _tells(one: Statement) -> bool:
    return bool(one.amounts) or bool(one.denials) or bool(one.sides) or len(one.own) > 1


def _ordered(found: Iterable[Conflict]) -> tuple[Conflict, ...]:
    """Surest first; of one pair of quotes the surest."""
    out: dict[frozenset[tuple[str, str]], Conflict] = {}
    for one in sorted(found, key=lambda conflict: -conflict.confidence):
        sides = frozenset({(one.left.passage.id, one.left.text), (one.right.passage.id, one.right.text)})
        out.setdefault(sides, one)
    return tuple(out.values())


def _conflict(clash: Clash, kind: ConflictKind) -> Conflict:
    there = clash.right.everything
    shared = [word for word in clash.left.plain.split() if words.concept(word.strip(".,:;()«»")) in there]
    return Conflict(
        kind=kind,
        left=Quote(passage=clash.left.passage, text=clash.left.quote),
        right=Quote(passage=clash.right.passage, text=clash.right.quote),
        subject=" ".join(shared[:_LONGEST_SUBJECT]),
        confidence=round(min(1.0, clash.likeness), 3),
    )
