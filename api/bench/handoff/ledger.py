"""What was asked, said and seen, by both ends; what is lost, doubled or late follows from it. Pure."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from api.bench.figures import quantile, spread

TOLD_MS = 300
"""A customer who calls for a person is told within so long (p95)."""
VISIBLE_MS = 1000
"""The call is in an open list within so long (p95)."""
TOKEN = re.compile(r"\b[cr]-[0-9a-f]{8}-\d+\b")


@dataclass(slots=True)  # mutable: filled by the call's two ends
class Call:
    """One call for a person; moments on one clock, seconds."""

    conversation: str
    way: str
    asked: float = 0.0
    told: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    """When each open list first showed it, by login."""


@dataclass(slots=True)  # mutable: grows while the bench runs
class Ledger:
    """`sent` are tokens of messages the server took, by conversation; the rest is what came out at each end."""

    calls: dict[str, Call] = field(default_factory=dict)
    sent: dict[str, set[str]] = field(default_factory=dict)
    heard: dict[str, Counter[int]] = field(default_factory=dict)
    """How often each numbered message came through the customer's stream."""
    outages: list[tuple[float, float]] = field(default_factory=list)
    claims: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)

    def crossed(self, begin: float, end: float) -> bool:
        """Return whether the server was away at some moment between."""
        return any(begin < back and end > gone for gone, back in self.outages)


def tokens(text: str) -> Counter[str]:
    """Return how often each token stands in a text."""
    return Counter(TOKEN.findall(text))


def compared(sent: Iterable[str], found: Mapping[str, int]) -> tuple[int, int]:
    """Return how many of `sent` are not found, and how many too many there are: twice, or never sent."""
    known = set(sent)
    lost = sum(not found.get(token) for token in known)
    doubled = sum(n - 1 if token in known else n for token, n in found.items() if n)
    return lost, doubled


def latencies(ledger: Ledger) -> dict[str, Any]:
    """Return ms from a call to the customer's word and to each open list; calls across an outage apart."""
    told: dict[str, list[float]] = {}
    visible: list[float] = []
    first: list[float] = []
    across: list[float] = []
    for call in ledger.calls.values():
        if call.told and not ledger.crossed(call.asked, call.told):
            told.setdefault(call.way, []).append(1000 * (call.told - call.asked))
        elif call.told:
            across.append(1000 * (call.told - call.asked))
        seen = [at for at in call.seen.values() if not ledger.crossed(call.asked, at)]
        visible += [1000 * (at - call.asked) for at in seen]
        first += [1000 * (min(seen) - call.asked)] if seen else []
    every = [ms for those in told.values() for ms in those]
    return {
        "told_ms": spread(every),
        "told_by_way_ms": {way: spread(those) for way, those in sorted(told.items())},
        "told_across_a_kill_ms": spread(across),
        "visible_ms": spread(visible),
        "first_list_ms": spread(first),
        "seen_in_lists": len(visible),
        "late": {
            "told": bool(every) and quantile(every, 0.95) > TOLD_MS,
            "visible": bool(visible) and quantile(visible, 0.95) > VISIBLE_MS,
        },
    }


def faults(figures: Mapping[str, Any]) -> list[str]:
    """Return which promises failed, in words; empty when all were kept."""
    out = miscounts(figures)
    if figures["late"]["told"]:
        out.append(f"customers were told in {figures['told_ms']['p95']} ms (p95), promised {TOLD_MS}")
    if figures["late"]["visible"]:
        out.append(f"calls were visible in {figures['visible_ms']['p95']} ms (p95), promised {VISIBLE_MS}")
    return out


def miscounts(figures: Mapping[str, Any]) -> list[str]:
    """Return what was lost, doubled or left undone, whatever the machine's speed."""
    out = [
        f"{n} {what} at the {end}'s end"
        for end in ("customer", "staff")
        for what, n in figures["messages"][end].items()
        if n
    ]
    if figures["streamed_twice"]:
        out.append(f"{figures['streamed_twice']} messages came twice through a stream")
    for name in ("untold", "unseen", "unanswered"):
        if figures[name]:
            out.append(f"{figures[name]} {name}")
    if not figures["calls"]:
        out.append("nobody called")
    return out + [f"{n} × {name}" for name, n in figures["errors"].items()]
