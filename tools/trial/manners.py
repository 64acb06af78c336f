"""The ways a system can fail in a trial, and how a case names them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from tools.orders.port import Part

Manner = Literal["ok", "refused", "busy", "error", "slow", "cut", "strange", "lost"]
"""How one request is met: answered; no connection; 429 with a minute to wait; 503; nothing in time; broken off; no JSON;
done, and answered 503."""
MANNERS: tuple[Manner, ...] = get_args(Manner)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How a system meets requests, one after another, reads and writes by themselves; the last one holds for good."""

    reads: tuple[Manner, ...] = ("ok",)
    writes: tuple[Manner, ...] = ("ok",)


def manners_of(spec: str | Sequence[str] | dict[str, Sequence[str]]) -> Manners:
    """Return the manners a case names: a word, words one after another, or those of reads and of writes.

    Raises `ValueError` for a word that is none.
    """
    if not isinstance(spec, dict):
        words = _words(spec)
        return Manners(reads=words, writes=words)
    if set(spec) - {"reads", "writes"}:
        raise ValueError(f"reads and writes are known, not {', '.join(sorted(spec))}")
    return Manners(**{kind: _words(words) for kind, words in spec.items()})


def _words(spec: str | Sequence[str]) -> tuple[Manner, ...]:
    named = (spec,) if isinstance(spec, str) else tuple(spec)
    known = tuple(manner for word in named for manner in MANNERS if manner == word)
    if not named or len(known) < len(named):
        raise ValueError(f"a system can be {', '.join(MANNERS)}, not {named!r}")
    return known


def parts_of(named: Sequence[str]) -> frozenset[Part]:
    """Return the parts of an order a case names. Raises `ValueError` for a word that is none."""
    known: frozenset[Part] = frozenset(get_args(Part))
    unknown = sorted(set(named) - known)
    if unknown:
        raise ValueError(f"an order can be without {', '.join(sorted(known))}, not {', '.join(unknown)}")
    return frozenset(part for part in known if part in named)
