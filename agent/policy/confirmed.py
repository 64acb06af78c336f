"""Whether the customer's words confirm exactly one change: what was proposed last, and what was said to it. Pure.

```
said so far ─► the last proposal ─► the answer to it (`assent`) ─► a yes?
                    │                                               │
                    └─ every detail of the change told? ◄───────────┘   the nearest word on it counts, and no other
```
A detail is told when the nearest message that speaks of it gives the value the change has, and no other one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from agent.cues import Cues, cues
from agent.language import script, words
from agent.policy.assent import Reply, read

Who = Literal["customer", "company"]
Sort = Literal["value", "thing"]

NEAR = 2
"""Earlier proposals whose words an answer may take up; its values are held against the change in any case."""

_MARKS = re.compile(r"[*_`#]+")
_THOUSANDS = re.compile(r"(?<=\d)[,\u00a0\u202f](?=\d{3}\b)")
_OPTION = re.compile(r"^[ \t]*(?:[-•]\s*)?(?:option|variant|вариант)?\s*№?(\d)\s*[.):]\s", re.MULTILINE)
_UNMARKED = re.compile(r"^[^\s\-•\d]", re.MULTILINE)
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?](?=\d)[^.!?\n]*)*[.!?\n]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One message of a conversation."""

    author: Who
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One argument of a change as a customer may hear of it: any of `ways` tells it, any of `rivals` another value.

    A `thing` may stand among its like (orders in a list that is agreed to as a whole); a `value` may not.
    What is `settled` stays as it is, or follows by itself: it need not be told, but nothing else may be. `meant` are
    words that may stand for it («this booking») where nobody named it or its like. `beside` is what belongs to it (the
    day of this flight) and `apart` what belongs to others: a line that tells it may not tell `apart` alone.
    """

    name: str
    ways: tuple[str, ...]
    rivals: tuple[str, ...] = ()
    sort: Sort = "value"
    settled: bool = False
    meant: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is about to be done: its `name`, beginnings of the words that name it, and everything it decides."""

    name: str
    action: tuple[str, ...]
    details: tuple[Detail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether the change is confirmed; `why` not, for logs and reports. `beside`: something else was asked, too."""

    confirmed: bool
    why: str = ""
    beside: bool = False


def confirmed(said: Sequence[Said], change: Change) -> Verdict:
    """Tell whether what was said, oldest first, confirms exactly this change."""
    turns = _turns(said, change)
    if not turns:
        return Verdict(confirmed=False, why="nothing was asked and answered")
    last = turns[-1]
    if last.reply.kind != "yes":
        return Verdict(confirmed=False, why=f"no yes: {last.reply.why or last.reply.kind}")
    if not _named(turns, change):
        return Verdict(confirmed=False, why="nobody spoke of doing it")
    things = [one for one in change.details if one.sort == "thing"]
    own = bool(things) and all(_found(last.customer, one) & set(one.ways) for one in things)
    if not own and not _proposes(last.company, change):
        return Verdict(confirmed=False, why="the yes answers something else")
    for detail in change.details:
        why = _missing(detail, turns)
        if why:
            return Verdict(confirmed=False, why=f"{detail.name}: {why}")
    return Verdict(confirmed=True, beside=last.reply.beside)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What the company said and what the customer said to it, folded; `open`: a choice that was not made by number."""

    company: str
    customer: str
    reply: Reply
    open: bool


def _turns(said: Sequence[Said], change: Change) -> list[_Turn]:
    """Pair what the company said with the answer to it; what it said after the last answer was not agreed to."""
    found: list[_Turn] = []
    company: list[str] = []
    customer: list[str] = []
    known = [way for detail in change.details for way in detail.ways]
    for one in [*said, Said(author="company", text="")]:
        if one.author == "customer":
            customer.append(one.text)
            continue
        if customer:
            before = [turn.company for turn in found[-NEAR:]]
            found.append(_turn("\n".join(company), "\n".join(customer), known=[*known, *before]))
            known += [code for text in company for code in _codes(text)]
            company, customer = [], []
        company.append(one.text)
    return found


def _turn(company: str, customer: str, *, known: Sequence[str]) -> _Turn:
    folded = _fold(company)
    options = _options(folded)
    reply = read(customer, to=company, options=len(options), known=known)
    chosen = options[reply.pick - 1] if reply.pick else ""
    asked = any(_is("which", sentence) for sentence in _asking(folded))
    whole = _is("all", _fold(customer)) and reply.kind == "yes"
    return _Turn(
        company=chosen or folded,
        customer=_fold(customer),
        reply=reply,
        open=asked and not chosen and not whole,
    )


def _named(turns: Sequence[_Turn], change: Change) -> bool:
    """Tell whether the proposal, the answer, or the request before them speaks of doing this."""
    return _speaks(" ".join((turns[-1].company, *(turn.customer for turn in turns[-2:]))), change)


def _proposes(company: str, change: Change) -> bool:
    """Tell whether the company asked for a yes to something done, and not only whether there is anything else."""
    return any(not _is("elsewhere", one) or _speaks(one, change) for one in _asking(company))


def _speaks(text: str, change: Change) -> bool:
    return any(word.startswith(change.action) for word in words(text))


def _missing(detail: Detail, turns: Sequence[_Turn]) -> str:
    """Return why the detail is not agreed to; empty when it is."""
    last = turns[-1]
    for turn in reversed(turns):
        for author, text in (("customer", turn.customer), ("company", turn.company)):
            if author == "company" and turn.open:
                continue
            found = _found(text, detail)
            if not found:
                continue
            ours = found & set(detail.ways)
            if author == "customer":
                return _by_customer(detail, found) or _refused(detail, last.company)
            if detail.sort == "value":
                return _as_value(detail, text, found)
            return _as_thing(detail, text, found, last) if ours else "another one was spoken of"
    if detail.settled or any(one in last.company for one in detail.meant):
        return ""
    return "never spoken of"


def _by_customer(detail: Detail, found: set[str]) -> str:
    others = found - set(detail.ways)
    if not found - others:
        return "the customer spoke of another one"
    return "the customer spoke of more than one" if others and detail.sort == "value" else ""


def _as_value(detail: Detail, text: str, found: set[str]) -> str:
    """Judge a value among others: what stands behind «to» or «new» is meant, what stands behind «from» is not."""
    ways = set(detail.ways)
    if found <= ways:
        return _apart(detail, text)
    strong: set[str] = set()
    weak: set[str] = set()
    for sentence in _sentences(text):
        for way, before in _mentions(sentence, detail):
            if _ends_with("new", before):
                strong.add(way)
            if not _is("old", before):
                weak.add(way)
    meant = strong or weak
    if not meant & ways:
        return "another value was spoken of"
    return "more than one value was spoken of" if meant - ways else ""


def _apart(detail: Detail, text: str) -> str:
    """Tell whether a line names the detail together with what belongs to another one."""
    both = Detail(name=detail.name, ways=detail.beside, rivals=detail.apart)
    for line in text.splitlines() if detail.apart else ():
        told = _found(line, both) if _found(line, detail) else set()
        if told and not told & set(detail.beside):
            return "told with what belongs to another one"
    return ""


def _as_thing(detail: Detail, text: str, found: set[str], last: _Turn) -> str:
    """Judge a thing among its like: it is meant when it is asked about by name, or when all of them are."""
    ways = set(detail.ways)
    if found <= ways or _refused(detail, text):
        return _refused(detail, text)
    asking = [*_asking(text), *(_asking(last.company) if last.company != text else ())]
    named = {way for one in asking for way in _found(one, detail)}
    if named:
        return "" if named & ways else "another one was asked about"
    together = any(_is("all", one) for one in (*asking, last.customer))
    return "" if together else "not told from its like"


def _refused(detail: Detail, text: str) -> str:
    """Tell whether the company said that this one thing cannot be done: in the line about it, or in its sentence."""
    for line in text.splitlines() if detail.sort == "thing" else ():
        parts = [line] if len(_found(line, detail)) == 1 else _sentences(line)
        if any(_found(one, detail) & set(detail.ways) and _is("refused", one) for one in parts):
            return "it was said that this cannot be done"
    return ""


def _mentions(text: str, detail: Detail) -> Iterator[tuple[str, str]]:
    """Yield what is mentioned of a detail, each with the text before it."""
    for match in _pattern((*detail.ways, *detail.rivals)).finditer(text):
        yield match[1], text[: match.start()]


def _found(text: str, detail: Detail) -> set[str]:
    return {way for way, _ in _mentions(text, detail)}


@lru_cache(maxsize=4096)
def _pattern(ways: tuple[str, ...]) -> re.Pattern[str]:
    """Compile what a detail may be called, the longest first: "basic economy" is no "economy"."""
    longest = sorted(dict.fromkeys(ways), key=len, reverse=True)
    return re.compile(
        r"(?<![\w$.])(" + "|".join(map(re.escape, longest)) + r")(?:st|nd|rd|th)?(?!\w)(?![.,]\d)"
    )


def _options(folded: str) -> list[str]:
    """Return what the company offers to choose from, each with what stands before and after the list."""
    starts = list(_OPTION.finditer(folded))
    if len(starts) < 2 or [int(one[1]) for one in starts] != list(range(1, len(starts) + 1)):
        return []
    tail = _UNMARKED.search(folded, starts[-1].end())
    end = tail.start() if tail else len(folded)
    edges = [*(one.start() for one in starts), end]
    return [folded[: edges[0]] + folded[begin:until] + folded[end:] for begin, until in pairwise(edges)]


def _asking(folded: str) -> list[str]:
    """Return the sentences of a proposal that ask for an answer."""
    return [one for one in _sentences(folded) if _is("asks", one)]


def _sentences(folded: str) -> list[str]:
    return [one for one in _SENTENCE.findall(folded) if one.strip()]


def _codes(text: str) -> tuple[str, ...]:
    return tuple(one for one in words(_THOUSANDS.sub("", text)) if any(mark.isdigit() for mark in one))


def _fold(text: str) -> str:
    """Return the text lower-case, «ё» as «е», without marks of emphasis and inside numbers; lines stay lines."""
    return _THOUSANDS.sub("", _MARKS.sub("", text.lower().replace("ё", "е")).replace("’", "'"))


def _is(kind: str, text: str) -> bool:
    found: Cues = cues(script(text), name="confirmed")
    return found.find(kind, text)


def _ends_with(kind: str, text: str) -> bool:
    """Tell whether the last words of the text are of a kind."""
    found: Cues = cues(script(text), name="confirmed")
    tail = " ".join(words(text)[-3:]) + " "
    return any(match.end() == len(tail) for match in found.sections[kind].phrases.finditer(tail))
