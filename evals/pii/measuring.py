"""Figures of finds held against what is known of the texts. Pure.

A piece of personal data counts as found when every letter and digit of it would be masked, whatever it was taken for:
what is left over still tells. What must stay counts as kept when none of it would be masked.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.privacy.spans import Kind, Span
from evals.measured import Figure, Miss
from evals.pii.made import Place, Sentence

TYPES: dict[Kind, str] = {
    "name": "PERSON",
    "phone": "PHONE_NUMBER",
    "email": "EMAIL_ADDRESS",
    "card": "CREDIT_CARD",
    "passport": "PASSPORT",
    "snils": "SNILS",
    "inn": "INN",
    "address": "STREET_ADDRESS",
    "birth_date": "DATE_OF_BIRTH",
    "account": "BANK_ACCOUNT",
    "document": "ID_NUMBER",
    "nickname": "USERNAME",
    "link": "LINK",
    "order": "ORDER_NUMBER",
    "contract": "CONTRACT_NUMBER",
}
"""What a kind is called outside; the names Presidio has for what it knows."""
SAME: dict[str, str] = {
    "US_SSN": "ID_NUMBER",
    "US_DRIVER_LICENSE": "ID_NUMBER",
    "IBAN_CODE": "BANK_ACCOUNT",
    "RU_PASSPORT": "PASSPORT",
    "RU_SNILS": "SNILS",
    "RU_INN": "INN",
    "PHONE": "PHONE_NUMBER",
    "EMAIL": "EMAIL_ADDRESS",
    "CARD": "CREDIT_CARD",
    "NAME": "PERSON",
    "ADDRESS": "STREET_ADDRESS",
}
"""Names other sets give to the same things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One text, what was found in it, and in how many milliseconds."""

    sentence: Sentence
    spans: tuple[Span, ...]
    ms: float


def figures(rows: Sequence[Read]) -> list[Figure]:
    """Return recall by kind and language, the precision of names, what was kept of what must stay, and the time."""
    found: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        for place in row.sentence.gold:
            for name in (f"recall_{place.kind}", f"recall_{place.kind}_{row.sentence.language}"):
                found[name].append(covered(row, place))
        for place in row.sentence.stays:
            found[f"kept_{place.kind}"].append(untouched(row, place))
            found["kept"].append(untouched(row, place))
        found["precision"] += [overlaps(span, row.sentence.gold) for span in row.spans]
    out = [
        Figure(name=name, value=sum(all_) / len(all_), of=len(all_)) for name, all_ in sorted(found.items())
    ]
    return [*out, *_times(rows)]


def misses(rows: Sequence[Read]) -> Iterator[Miss]:
    """Yield what was overlooked, and what was masked and must not be."""
    for row in rows:
        text = row.sentence.text
        for place in row.sentence.gold:
            if not covered(row, place):
                yield Miss(
                    id=row.sentence.id, wanted=place.kind, got=text[place.start : place.end], about=text
                )
        for place in row.sentence.stays:
            if not untouched(row, place):
                yield Miss(
                    id=row.sentence.id, wanted="nothing", got=text[place.start : place.end], about=text
                )


def covered(row: Read, place: Place) -> bool:
    """Whether each letter and digit of a place is inside some find."""
    text = row.sentence.text
    inside = {n for span in row.spans for n in range(span.start, span.end)}
    return all(n in inside for n in range(place.start, place.end) if text[n].isalnum())


def untouched(row: Read, place: Place) -> bool:
    """Whether no find reaches into a place."""
    return not any(span.start < place.end and place.start < span.end for span in row.spans)


def overlaps(span: Span, places: Sequence[Place]) -> bool:
    """Whether a find has anything of one of the places."""
    return any(place.start < span.end and span.start < place.end for place in places)


def _times(rows: Sequence[Read]) -> Iterator[Figure]:
    times = sorted(row.ms for row in rows)
    for name, share in (("ms_p50", 0.5), ("ms_p95", 0.95)):
        if times:
            yield Figure(name=name, value=times[int(share * (len(times) - 1))], of=len(times))
