"""What is found in a text: kinds, places, and which of two that overlap stays. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal[
    "name",
    "phone",
    "email",
    "card",
    "passport",
    "snils",
    "inn",
    "address",
    "birth_date",
    "account",
    "document",
    "nickname",
    "link",
    "order",
    "contract",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
ASKED_FOR: frozenset[Kind] = frozenset({"order", "contract"})
"""Kinds that are personal data only where a company says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One find: characters `start` to `end` (exclusive) of the text as it was given."""

    kind: Kind
    start: int
    end: int


_SUREST_FIRST: tuple[Kind, ...] = (
    "email",
    "link",
    "card",
    "snils",
    "inn",
    "passport",
    "account",
    "birth_date",
    "phone",
    "document",
    "nickname",
    "address",
    "contract",
    "order",
    "name",
)
"""Of two kinds that claim the same characters the earlier one stays."""


def settled(found: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans that do not overlap, in order: the surer kind stays, of equals the longer one."""
    spans = list(found)
    kept: list[Span] = []
    taken = bytearray(max((span.end for span in spans), default=0))
    for span in sorted(
        spans, key=lambda span: (_SUREST_FIRST.index(span.kind), span.start - span.end, span.start)
    ):
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            kept.append(span)
    return tuple(sorted(kept, key=lambda span: span.start))
