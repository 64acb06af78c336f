"""The audit's chain: how its lines are bound to each other, and what a walk along it finds. Pure.

```
line 1 ───link──► line 2 ───link──► line 3 ───link──► head     its number and link, kept in a second place
  │ mac             │ mac             │ mac
fields            (erased)          fields                      who did what, when, about whom

mac  = HMAC-SHA256(key of the subject, fields and number)       link = SHA-256(link before, number, mac)
```
The chain itself holds macs alone. Erasing a subject takes the fields and the key: the mac stays, nobody can tell any
more what it stood for, and every link still holds. What an erasure took is a line of the chain as well, so that fields
nobody erased cannot simply be missing.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NewType

from tools.context import ConversationId, CustomerId

Subject = NewType("Subject", str)
"""Whom a line is about, which is whose key it is kept under: a customer, a conversation of nobody known, or nobody."""

NOBODY = Subject("")
"""Lines about the installation itself; their key is never erased."""
ERASED = "erased"
"""The act of a line that tells which lines an erasure took the fields of: `{"lines": [[first, last], …]}`."""
MOST = 20
"""Faults a walk tells of; behind so many nobody reads on."""
MARK_CHARS = 32

Kind = Literal["missing", "changed", "moved", "bare", "keyless", "cut"]
"""What is wrong: see `Fault.told`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written down. `detail` is JSON.

    `shown` are subjects that were only among others, as in a list: the line keeps a mark of each under its own key.
    """

    act: str
    actor: str
    target: str = ""
    about: Subject = NOBODY
    detail: Mapping[str, Any]
    shown: Sequence[Subject] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """The readable part of a line."""

    about: Subject
    at: datetime
    actor: str
    act: str
    target: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line, numbered from 1 without gaps; `fields` are None once they were erased."""

    n: int
    mac: str
    link: str
    fields: Fields | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Where the chain does not hold, and how."""

    n: int
    kind: Kind

    @property
    def told(self) -> str:
        """The fault in words."""
        return f"line {self.n} {_TOLD[self.kind]}"


_TOLD: Mapping[Kind, str] = {
    "missing": "is missing",
    "changed": "is not as it was written",
    "moved": "does not follow the line before it",
    "bare": "has lost its fields, and no erasure took them",
    "keyless": "has lost its key, and no erasure took it",
    "cut": "is not where the chain ended when it was last written",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a walk along the whole chain found."""

    lines: int
    erased: int
    link: str
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """Whether nothing was changed, taken out, moved or cut off."""
        return not self.faults


def customer(id: CustomerId | str) -> Subject:
    """Return the subject of lines about a customer."""
    return Subject(f"customer:{id}")


def conversation(id: ConversationId | str) -> Subject:
    """Return the subject of lines about a conversation of which no customer was known."""
    return Subject(f"conversation:{id}")


def subject_of(id: ConversationId | str, customer_id: CustomerId | str | None) -> Subject:
    """Return whom lines about a conversation are about."""
    return customer(customer_id) if customer_id else conversation(id)


def mac_of(n: int, fields: Fields, *, key: str) -> str:
    """Return the mac of line `n`."""
    kept = [
        n,
        fields.about,
        fields.at.isoformat(),
        fields.actor,
        fields.act,
        fields.target,
        dict(fields.detail),
    ]
    return _hmac(key, json.dumps(kept, ensure_ascii=True, sort_keys=True))


def linked(before: str, n: int, mac: str) -> str:
    """Return the link of line `n` to the line before it, whose link is "" for the first."""
    return hashlib.sha256(f"{before}\n{n}\n{mac}".encode()).hexdigest()


def mark_of(n: int, *, key: str) -> str:
    """Return what line `n` keeps of a subject it only shows among others: whoever has its key finds it again."""
    return _hmac(key, f"shown {n}")[:MARK_CHARS]


def _hmac(key: str, text: str) -> str:
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()


def spans(numbers: Iterable[int]) -> list[list[int]]:
    """Return ascending numbers as [first, last] of each unbroken run."""
    found: list[list[int]] = []
    for n in numbers:
        if found and n == found[-1][1] + 1:
            found[-1][1] = n
        else:
            found.append([n, n])
    return found


class Walk:
    """Goes along the chain line by line, from the first; needs nothing of it twice."""

    def __init__(self) -> None:
        self.n = 0
        self.link = ""
        self._bare: set[int] = set()
        self._erased = 0
        self._faults: list[Fault] = []

    def take(self, line: Line, *, key: str | None) -> None:
        """Look at the next line; `key` is its subject's, None where there is none."""
        if line.n != self.n + 1:
            self._fault(self.n + 1, "missing")
        elif line.link != linked(self.link, line.n, line.mac):
            self._fault(line.n, "moved")
        self.n, self.link = line.n, line.link
        if line.fields is None:
            self._bare.add(line.n)
        elif key is None:
            self._fault(line.n, "keyless")
        elif not hmac.compare_digest(line.mac, mac_of(line.n, line.fields, key=key)):
            self._fault(line.n, "changed")
        elif line.fields.act == ERASED and line.fields.about == NOBODY:
            self._accept(line.fields.detail)

    def end(self, *, n: int, link: str) -> Verdict:
        """Return what was found; `n` and `link` are the head as it was kept apart."""
        for number in sorted(self._bare):
            self._fault(number, "bare")
        if (self.n, self.link) != (n, link):
            self._fault(max(n, self.n), "cut")
        return Verdict(lines=self.n, erased=self._erased, link=self.link, faults=tuple(self._faults))

    def _accept(self, detail: Mapping[str, Any]) -> None:
        before = len(self._bare)
        for first, last in detail["lines"]:
            self._bare.difference_update(range(first, last + 1))
        self._erased += before - len(self._bare)

    def _fault(self, n: int, kind: Kind) -> None:
        if len(self._faults) < MOST:
            self._faults.append(Fault(n=n, kind=kind))
