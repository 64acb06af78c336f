"""A document cut into passages: small enough to quote, whole enough to understand. Pure.

    document ── sections (one path of headings each) ── units (paragraph · list item · table rows under their
    header) ── passages of at most 220 tokens, evenly filled

The title and the path of headings travel with every passage. A sentence is never cut, unless it alone is longer than
`HARD` tokens; a table row never is, and every piece of a table begins with the header row.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from knowledge.reading.markup import Block, blocks
from knowledge.text.sentences import sentences
from knowledge.text.tokens import count
from knowledge.types import DocumentId, Language, Passage, PassageId

MOST = 220
HARD = 440
_PATH = " › "


@dataclass(frozen=True, slots=True)
class _Unit:
    """The smallest thing that stays together; `glue` joins it to the unit before."""

    text: str
    tokens: int
    page: int
    glue: str = "\n\n"
    header: str = ""


@dataclass(slots=True)  # mutable: grows while it is read
class _Section:
    heading: str
    page: int
    blocks: list[Block] = field(default_factory=list)
    parent: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    page: int


def split(
    text: str,
    *,
    document: DocumentId,
    title: str,
    language: Language,
    audience: str = "customer",
    department: str | None = None,
) -> list[Passage]:
    """Return the passages of a Markdown text in order, numbered from 1; no words, no passages."""
    paged = "\f" in text
    return [
        Passage(
            id=PassageId(f"{document}#{n}"),
            document=document,
            title=title,
            heading=heading,
            text=piece.text,
            language=language,
            n=n,
            tokens=tokens,
            audience=audience,
            department=department,
            page=piece.page if paged else None,
        )
        for n, (heading, piece, tokens) in enumerate(_pieces(text, title), start=1)
    ]


# An import cuts a text to embed it ahead, to count it and to publish it: three times within a moment.
@lru_cache(maxsize=256)
def _pieces(text: str, title: str) -> tuple[tuple[str, _Piece, int], ...]:
    """Return heading, piece and tokens of each passage."""
    return tuple(
        (section.heading, piece, count(piece.text))
        for section in _sections(text, title=title)
        for piece in _cut(section)
    )


def _sections(text: str, *, title: str) -> list[_Section]:
    path: list[tuple[int, str]] = []
    out = [_Section(heading="", page=1)]
    for block in blocks(text):
        if block.kind != "heading":
            out[-1].blocks.append(block)
            continue
        path = [(level, words) for level, words in path if level < block.level]
        out[-1].parent = bool(path) and out[-1].heading == _joined(path, title=title)
        path.append((block.level, block.text))
        out.append(_Section(heading=_joined(path, title=title), page=block.page))
    return out


def _joined(path: Iterable[tuple[int, str]], *, title: str) -> str:
    words = [words for _, words in path]
    if words and _same(words[0], title):
        words = words[1:]
    return _PATH.join(words)


def _same(left: str, right: str) -> bool:
    return " ".join(left.casefold().split()) == " ".join(right.casefold().split())


def _cut(section: _Section) -> Iterator[_Piece]:
    units = list(_units(section.blocks))
    if not units:
        # A heading that nothing follows may still be the only place where something is said.
        if section.heading and not section.parent:
            yield _Piece(section.heading.rsplit(_PATH, 1)[-1], section.page)
        return
    total = sum(unit.tokens for unit in units)
    target = total / -(-total // MOST)
    held: list[_Unit] = []
    size = 0
    for unit in units:
        if held and (size + unit.tokens > MOST or size >= target):
            yield _joined_units(held)
            held, size = [], 0
        held.append(unit)
        size += unit.tokens
    yield _joined_units(held)


def _joined_units(units: list[_Unit]) -> _Piece:
    out = ""
    header = ""
    for unit in units:
        text = unit.text
        if unit.header and unit.header != header:
            text = f"{unit.header}\n{text}"
        out += (unit.glue if out else "") + text
        header = unit.header
    return _Piece(out, units[0].page)


def _units(found: list[Block]) -> Iterator[_Unit]:
    header, table = "", 0
    for block in found:
        if block.kind == "head":
            header, table = block.text, block.table
            if not any(other.kind == "row" and other.table == table for other in found):
                yield _Unit(header, count(header), block.page)
            continue
        if block.kind == "row":
            under = header if block.table == table else ""
            yield _Unit(block.text, count(block.text) + 1, block.page, glue="\n", header=under)
            continue
        yield from _text_units(block)


def _text_units(block: Block) -> Iterator[_Unit]:
    glue = "\n" if block.kind == "item" else "\n\n"
    tokens = count(block.text)
    if tokens <= MOST:
        yield _Unit(block.text, tokens, block.page, glue=glue)
        return
    for i, (sentence, joint) in enumerate(_sentences(block)):
        for j, part in enumerate(_bounded(sentence)):
            yield _Unit(part, count(part), block.page, glue=" " if j else joint if i else glue)


def _sentences(block: Block) -> list[tuple[str, str]]:
    lines = block.text.split("\n") if block.kind == "code" or "\n" in block.text else [block.text]
    return [
        (sentence, " " if n else "\n")
        for line in lines
        for n, sentence in enumerate(sentences(line) if block.kind != "code" else [line])
        if sentence.strip()
    ]


def _bounded(sentence: str) -> Iterator[str]:
    """Give the sentence whole, or in pieces of about `MOST` tokens when it alone passes `HARD`."""
    if count(sentence) <= HARD:
        yield sentence
        return
    held: list[str] = []
    size = 0
    for word in _words(sentence):
        tokens = count(word) + 1
        if held and size + tokens > MOST:
            yield " ".join(held)
            held, size = [], 0
        held.append(word)
        size += tokens
    yield " ".join(held)


def _words(sentence: str) -> Iterator[str]:
    for word in sentence.split():
        if len(word) <= 200:
            yield word
            continue
        # No word of a language is this long: it is data, and may be cut anywhere.
        yield from (word[i : i + 200] for i in range(0, len(word), 200))
