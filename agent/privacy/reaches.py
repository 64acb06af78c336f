"""Ways to reach a person that are no numbers: e-mails as they are written and said, nicknames, tails of links. Pure."""

import re
from collections.abc import Iterator
from functools import cache

from agent.privacy.lore import pattern, table
from agent.privacy.spans import Span

_EMAIL = re.compile(r"\w[\w.+%'-]{0,63}@(?:[\w-]{1,63}[.,])+[^\W\d_]{2,24}\b|\w[\w.+%-]{0,63}@[\w-]{2,63}\b")
_HANDLE = re.compile(r"(?<![\w/@.])@[A-Za-z]\w{3,31}\b")
_LINK = re.compile(r"\b(?:https?://|www\.)[^\s/?#]+(?P<tail>[^\s]*)", re.IGNORECASE)
_NICK = r"[A-Za-z][\w.-]{3,31}"


def reaches(text: str) -> Iterator[Span]:
    """Yield e-mails, nicknames and what follows the host of a link."""
    for found in _EMAIL.finditer(text):
        yield Span(kind="email", start=found.start(), end=found.end())
    for found in _spelled().finditer(text):
        if _said(found):
            yield Span(kind="email", start=found.start(), end=found.end())
    for found in _HANDLE.finditer(text):
        yield Span(kind="nickname", start=found.start(), end=found.end())
    for found in _nicknames().finditer(text):
        yield Span(kind="nickname", start=found.start("nick"), end=found.end("nick"))
    for found in _LINK.finditer(text):
        if len(found["tail"].rstrip(".,;:!?)»\"'")) > 1:
            yield Span(kind="link", start=found.start("tail"), end=found.end("tail"))


@cache
def _spelled() -> re.Pattern[str]:
    """An address with blanks or words where its signs should be: the part before, the host, its end."""
    known = table("letters")
    at, dot = known["at"], known["dot"]
    hosts, ends = "|".join(known["hosts"]), "|".join(known["ends"])
    own = rf"[\w+-]{{1,40}}(?:\s?(?:{dot}|_|тире|дефис|dash|underscore)\s?[\w+-]{{1,40}}){{0,3}}"
    return re.compile(
        rf"(?<![\w@])(?P<own>{own})(?P<at>\s?(?:{at})\s?)(?P<host>(?P<known>{hosts})|[\w-]{{2,40}}(?:\.[\w-]{{2,40}})?)"
        rf"(?P<dot>\s?(?:{dot}|,|\s)\s?)(?P<end>{ends})(?!\w)",
        re.IGNORECASE,
    )


def _said(found: re.Match[str]) -> bool:
    """Whether words that may mean something else stand for signs here: “look at mail dot ru” does not say it twice."""
    at, dot = found["at"].strip().lower(), found["dot"].strip()
    sure = at != "at" or found["known"] is not None
    return sure and (bool(dot) or found["known"] is not None)


@cache
def _nicknames() -> re.Pattern[str]:
    return re.compile(pattern("nickname", "before").pattern + rf"(?P<nick>{_NICK})", re.IGNORECASE)
