"""What a document's own words suggest to a curator: days it counts, and why a reviewer sent it back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.text.dates import Hint, hints
from knowledge.types import Document, Event

MOST = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Days the text speaks of: `valid_from` and `valid_until` as they would be after taking them over.

    `taken` says the document has them already; `asks` that the words name no days, so a person must.
    """

    quote: str
    begins: date | None
    ends: date | None
    valid_from: date | None
    valid_until: date | None
    taken: bool
    asks: bool
    guessed: bool


def suggestions(text: str, document: Document, *, today: date) -> list[Suggestion]:
    """Return what the text says of its time, each quote once, in order."""
    found: dict[str, Suggestion] = {}
    for hint in hints(text, today=today):
        found.setdefault(" ".join(hint.quote.split()).casefold(), _suggestion(hint, document))
    return list(found.values())[:MOST]


def rejection(events: Sequence[Event]) -> Event | None:
    """Return why the newest text was sent back, if nothing was saved, submitted or published since (newest first)."""
    for one in events:
        if one.action == "rejected":
            return one
        if one.action in ("saved", "imported", "submitted", "published", "rolled_back", "retired"):
            return None
    return None


def _suggestion(hint: Hint, document: Document) -> Suggestion:
    begins = hint.begins if hint.begins is not None else document.valid_from
    ends = hint.ends if hint.ends is not None else document.valid_until
    return Suggestion(
        quote=" ".join(hint.quote.split()),
        begins=hint.begins,
        ends=hint.ends,
        valid_from=begins,
        valid_until=ends,
        taken=(begins, ends) == (document.valid_from, document.valid_until),
        asks=hint.begins is None and hint.ends is None,
        guessed=hint.guessed,
    )
