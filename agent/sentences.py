"""Text into sentences that stand alone when quoted: prose, lists and tables, in Russian and English.

```
prose       split at sentence ends; «г.», «руб.», «т. е.», initials and decimals do not end a sentence
list        a line ending in “:” keeps its points: one sentence when short, else the line before each point
table       each row is a sentence: “first cell — header: value, header: value.”
headings    are left out: they travel with the passage
```
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Literal, NamedTuple

from agent.cues import cues

LONGEST_LIST = 420
"""Characters up to which a list stays one sentence together with the line that opens it."""

Kind = Literal["prose", "item", "row", "gap"]


class Line(NamedTuple):
    """One line of the text and what it is part of."""

    kind: Kind
    text: str


_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_ITEM = re.compile(r"^\s*(?:[-*+•–—▪◦]|\d{1,2}[.)])\s+(?=\S)")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^\s*(?:```|~~~)")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()]|\([^()]*\))*\)")
_MARKS = re.compile(r"(\*\*|__|`|~~)(?=\S)(.+?)(?<=\S)\1|(?<![\w*])[*](?=\S)([^*\n]+?)(?<=\S)[*](?![\w*])")
_QUOTED = re.compile(r"^\s*>+\s?")
_END = re.compile(r"[.!?…]+[\"»”’')\]]*(?=\s)")
_BEFORE = re.compile(r"([^\W\d_]+(?:\.\s?[^\W\d_]+)*|[^\W_]+)$")
_OPENS = re.compile(r"[\s\"«“„'(\[–—-]*([^\W_])")


def sentences(text: str) -> list[str]:
    """Return the quotable sentences of `text` in order, markup removed. Deterministic: the unit of citation."""
    found: list[str] = []
    for kind, block in _blocks(text):
        if kind == "row":
            found.extend(_rows(block))
        elif kind == "item":
            found.extend(_points(block, opening=_opening(found)))
        else:
            found.extend(_split(" ".join(block)))
    return [sentence for sentence in found if any(mark.isalnum() for mark in sentence)]


def _blocks(text: str) -> Iterator[tuple[Kind, list[str]]]:
    """Yield neighbouring lines of one kind together; points stay one list across empty lines between them."""
    kind: Kind = "gap"
    block: list[str] = []
    broken = False
    for line in map(_line, text.splitlines()):
        if line.kind == "gap" and kind == "item":
            broken = True
            continue
        if line.kind == "prose" and kind == "item" and not broken and line.text[:1].islower():
            block[-1] = f"{block[-1]} {line.text}"
            continue
        if line.kind == "item" and kind == "prose" and _wrapped(line.text, after=block[-1]):
            block[-1] = f"{block[-1]} — {line.text}"
            continue
        if line.kind != kind:
            if block:
                yield kind, block
            kind, block = line.kind, []
        broken = False
        if line.kind != "gap":
            block.append(line.text)
    if block:
        yield kind, block


def _wrapped(text: str, *, after: str) -> bool:
    """Tell whether a line that looks like a point goes on with a sentence: a dash in mid-sentence was wrapped."""
    return text[:1].islower() and after[-1:] not in ".!?…:;"


def _line(raw: str) -> Line:
    if not raw.strip() or _HEADING.match(raw) or _FENCE.match(raw) or raw.strip("-*_= ") == "":
        return Line("gap", "")
    bare = _QUOTED.sub("", raw)
    if bare.count("|") >= 2 or _RULE.match(bare):
        return Line("row", bare.strip())
    item = _ITEM.match(bare)
    if item:
        return Line("item", _clean(bare[item.end() :]))
    return Line("prose", _clean(bare))


def _clean(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    text = _MARKS.sub(lambda match: match.group(2) or match.group(3), text)
    return " ".join(text.replace("\u00ad", "").split())


def _opening(found: list[str]) -> str:
    """Take back the last sentence when it only opens the list that follows."""
    return found.pop().rstrip(": ") if found and found[-1].endswith(":") else ""


def _points(items: Sequence[str], *, opening: str) -> list[str]:
    if not opening:
        return [sentence for item in items for sentence in _split(item)]
    bare = [item.rstrip(" ;,.") for item in items]
    together = f"{opening}: {'; '.join(bare)}."
    if len(together) <= LONGEST_LIST:
        return [together]
    return [f"{opening}: {item}." for item in bare]


def _rows(lines: Sequence[str]) -> list[str]:
    rule = next((n for n, line in enumerate(lines) if _RULE.match(line)), None)
    rows = [_cells(line) for line in lines if not _RULE.match(line)]
    if rule == 0 or len(rows) < 2:
        return [f"{', '.join(filter(None, row))}." for row in rows if any(row)]
    header, *body = rows
    return [said for row in body if (said := _row(header, row))]


def _cells(line: str) -> list[str]:
    inner = re.sub(r"^\||(?<!\\)\|$", "", line.strip())
    return [_clean(cell.replace("\\|", "|")) for cell in re.split(r"(?<!\\)\|", inner)]


def _row(header: Sequence[str], row: Sequence[str]) -> str:
    """Say one row: the first cell names it, every other cell is told with its header."""
    told = [
        f"{_lower(head)}: {cell.rstrip('.')}" if head else cell.rstrip(".")
        for head, cell in zip(header[1:], row[1:], strict=False)
        if cell and cell not in "-–—"
    ]
    if not row or not row[0]:
        return f"{', '.join(told)}." if told else ""
    return f"{row[0]} — {', '.join(told)}." if told else f"{row[0]}."


def _lower(head: str) -> str:
    return head if head[1:2].isupper() else head[:1].lower() + head[1:]


def _split(prose: str) -> list[str]:
    found: list[str] = []
    start = 0
    for end in _END.finditer(prose):
        if _ends_here(prose, end):
            found.append(prose[start : end.end()].strip())
            start = end.end()
    found.append(prose[start:].strip())
    return [sentence for sentence in found if sentence]


def _ends_here(prose: str, end: re.Match[str]) -> bool:
    opens = _OPENS.match(prose, end.end())
    if opens is None:
        return True
    first = opens.group(1)
    if end.group()[0] != "." or len(end.group().rstrip("\"»”’')]")) > 1:
        return not first.islower()
    word = _BEFORE.search(prose, max(0, end.start() - 24), end.start())
    return not first.islower() and _may_end(word.group() if word else "", prose, end.start(), first)


def _may_end(word: str, prose: str, stop: int, first: str) -> bool:
    """Tell whether the full stop after `word` may end a sentence whose next letter or digit is `first`."""
    short = word.replace(" ", "").lower()
    if short not in _never_last() and short not in _last_before_capital():
        word = re.split(r"\.\s?", word)[-1]
        short = word.lower()
    if short in ("г", "с", "д", "п", "м", "в") and not re.search(r"\d\s?$", prose[: stop - len(word)]):
        return False
    if short in _last_before_capital():
        return first.isupper()
    if len(word) == 1 and word.isalpha() and word.isupper():
        return False
    return short not in (_never_last() if short not in ("no", "nos") or first.isdigit() else ())


@cache
def _never_last() -> frozenset[str]:
    """Return the abbreviations after which a sentence goes on even before a capital letter or a number."""
    return cues("ru").words["never_last"] | cues("en").words["never_last"]


@cache
def _last_before_capital() -> frozenset[str]:
    """Return the abbreviations that end a sentence only when a capital letter follows."""
    return cues("ru").words["last_before_capital"] | cues("en").words["last_before_capital"]
