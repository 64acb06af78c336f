"""What a passage states, clause by clause, in a form in which two passages can be compared. Pure.

    passage ─ sentences, list items, table cells ─ clauses ─ own words · conditions · what earlier clauses said · headings
                                                          └ values · denials · marks (place, customer, season…) · names

«Курьер по Туле стоит 290 ₽, по Москве — 390 ₽» are two statements, the second with «курьер стоит» from the first.
Past rules, examples and questions state nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from knowledge.compare import conflict_words as words
from knowledge.compare.amounts import Amount, amounts
from knowledge.text.quantities import quantities, words_masked
from knowledge.text.sentences import sentences
from knowledge.text.words import folded
from knowledge.types import Language, Passage, title_of

_TURN = re.compile(
    r";\s|,\s+(?=(?:а|но|однако|зато|but|while|whereas|however|yet)\s)|\s+(?=(?:но|but)\s)|(?<=\w):\s(?=[а-яёa-z])"
)
_JOINT = re.compile(r",\s+(?:и\s+|and\s+)?|\s(?:и|and)\s")
_QUOTED = re.compile(r"[«“„\"]([^»”“\"]{2,40})[»”“\"]")
_CAPITAL = re.compile(r"(?<![\w-])(?:[A-ZА-ЯЁ][^\W\d_]*|[A-Za-z][a-z]*[A-Z]\w*)(?:-[^\W\d_]+)*")
_START = re.compile(r"^[\W_]*$|[.!?…:]\s*[\W_]*$")
_ITEM = re.compile(r"^\s*(?:[-*•–]|\d+[.)])\s+")
# Headings left in the text, and lines for machines: code, shell, heads of HTTP messages.
_MACHINE = re.compile(
    r"^\s*#|^\s*```|^ {4}|\s--\w|&&|[{};\\]\s*$|\$\{|^\s*\$|^\s*\w+\s*=\s*\S|^\s*[\w-]+:\s*[\w\"'./-]*$"
    r"|\bGMT\b|\bHTTP/\d|^\s*(?:GET|POST|PUT|DELETE|HEAD)\s"
)
_LATIN = re.compile(r"[A-Za-z]")
_BEGINNING = 5
_SHORTEST = 2
_LONGEST = 600

Marks = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One thing that a passage says; `quote` is the sentence, table row or list item it stands in.

    `own` are the meanings of the clause, `frame` of what its sentence said before, `conditions` of its conditions,
    `heading` of title and headings. `denied` are words denied in a condition, `around` marks of the whole passage,
    `label` of a table row what the row is about; `refers` to a sentence before.
    """

    passage: Passage
    quote: str
    plain: str
    language: Language
    own: tuple[str, ...]
    frame: frozenset[str]
    conditions: tuple[str, ...]
    heading: frozenset[str]
    denied: frozenset[str]
    names: frozenset[str]
    said: frozenset[str]
    marks: Marks
    frame_marks: Marks
    heading_marks: Marks
    around: Marks
    amounts: tuple[Amount, ...]
    denials: int
    sides: Mapping[int, int]
    excepts: bool
    refers: bool
    label: frozenset[str]

    @property
    def everything(self) -> frozenset[str]:
        """Return all meanings a match may be found in."""
        return self.frame.union(self.own, self.conditions, self.heading)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Around:
    """What all statements of a passage share."""

    passage: Passage
    heading: frozenset[str]
    marks: Marks
    everywhere: Marks
    said: frozenset[str]


@dataclass(slots=True)  # mutable: filled while a passage is read
class _Lines:
    intro: str = ""
    header: list[str] = field(default_factory=list)


@lru_cache(maxsize=4_000)
def statements(passage: Passage) -> tuple[Statement, ...]:
    """Return what a passage states, in order."""
    title = _plain(title_of(passage))
    around = _Around(
        passage=passage,
        heading=frozenset(words.concepts(title)),
        marks=words.marks(title),
        everywhere=words.marks(f"{title} {_plain(passage.text)}"),
        said=_said(f"{title_of(passage)} {passage.text}"),
    )
    return tuple(one for quote, text in _sentences(passage.text) for one in _statements(quote, text, around))


def _sentences(text: str) -> Iterator[tuple[str, str]]:
    """Return each sentence, list item and table cell: (as it stands, as it is read)."""
    lines = _Lines()
    for line in text.splitlines():
        if _MACHINE.search(line):
            continue
        if line.lstrip().startswith("|"):
            yield from _cells(line, lines)
            continue
        lines.header = []
        item = _ITEM.match(line)
        if item and lines.intro:
            yield line[item.end() :].strip(), f"{lines.intro} {line[item.end() :].strip()}"
            continue
        lines.intro = ""
        for sentence in sentences(line):
            if sentence.endswith(":"):
                lines.intro = sentence[:-1]
            elif len(sentence) <= _LONGEST:
                yield sentence, sentence


def _cells(line: str, lines: _Lines) -> Iterator[tuple[str, str]]:
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    if not lines.header:
        # A table whose head was lost begins with values: its columns have no names.
        lines.header = [cells[0], *("" if cell[:1].isdigit() else cell for cell in cells[1:])]
        return
    if all(set(cell) <= set("-: ") for cell in cells):
        return
    for head, cell in list(zip(lines.header, cells, strict=False))[1:]:
        if head and quantities(cell) and len(cell) <= 120 and words.concepts(_plain(cells[0])):
            # «Срок, рабочих дней»: the unit stands in the head of the column.
            name, _, unit = head.rpartition(",")
            yield (
                " | ".join(part for part in cells if part),
                f"{cells[0]} | {name or head} {cell} {unit if name else ''}",
            )


def _statements(quote: str, text: str, around: _Around) -> Iterator[Statement]:
    said = words.plain(text)
    if quote.rstrip().endswith("?") or words.says("past", said) or words.says("example", said):
        return
    before: list[str] = []
    for clause in _clauses(text):
        one = _statement(quote, clause, " ".join(before), around)
        if one is not None:
            yield one
        before.append(clause)


def _clauses(text: str) -> Iterator[str]:
    """Cut a sentence where it turns, and between values of one kind."""
    if " | " in text:
        yield text
        return
    for part in _TURN.split(text):
        if part and part.strip():
            yield from _numbered(part.strip())


def _numbered(part: str) -> Iterator[str]:
    start = 0
    for joint in _JOINT.finditer(part):
        before, after = amounts(part[start : joint.start()]), amounts(part[joint.end() :])
        kinds = {(one.of, one.needed) for one in before}
        here = (after[0].of, after[0].needed) if after else None
        if here in kinds and here is not None and len(words.concepts(_plain(part[joint.end() :]))) >= 1:
            yield part[start : joint.start()]
            start = joint.end()
    yield part[start:]


def _statement(quote: str, clause: str, before: str, around: _Around) -> Statement | None:
    read = words.without("aside", words.plain(clause)) if words.says("aside", words.plain(clause)) else clause
    read, tail = _tail(read)
    main, conditions = _conditions(read)
    conditions += tail
    plain, frame = _plain(main), _plain(before)
    own = words.concepts(words.without_sides(plain))
    found = amounts(read)
    if len(own) < (1 if found else _SHORTEST):
        return None
    everything = _plain(f"{read}{tail}")
    return Statement(
        passage=around.passage,
        quote=quote,
        plain=plain,
        language=around.passage.language,
        own=own,
        frame=frozenset(words.concepts(frame)),
        conditions=words.concepts(_plain(conditions)),
        heading=around.heading,
        denied=frozenset(words.concepts(_plain(conditions)))
        if words.denials(_plain(conditions))
        else frozenset(),
        names=_names(read),
        said=around.said,
        marks=_marks(everything, clause),
        frame_marks=words.marks(frame),
        heading_marks=around.marks,
        around=around.everywhere,
        amounts=found,
        denials=words.denials(words.plain(main)),
        sides=words.sides(words.plain(main)),
        excepts=words.says("exception", words.plain(quote)),
        refers=words.starts_with("anaphora", words.plain(quote)),
        label=frozenset(words.concepts(_plain(clause.partition(" | ")[0])))
        if " | " in clause
        else frozenset(),
    )


def _conditions(clause: str) -> tuple[str, str]:
    """Part a clause into what it says and when that holds."""
    main, out, place = "", "", 0
    for match in words.found("condition", clause.lower().replace("ё", "е")):
        if match.start() < place:
            continue
        end = clause.find(",", match.end())
        end = len(clause) if end < 0 else end
        main += clause[place : match.start()]
        out += " " + clause[match.start() : end]
        place = end
    main += clause[place:]
    return (main, out) if words.concepts(_plain(main)) else (clause, "")


def _tail(clause: str) -> tuple[str, str]:
    """Part from a clause what is added after its last value and a comma."""
    found = amounts(clause)
    comma = clause.find(", ", found[-1].end) if found and " | " not in clause else -1
    return (clause[:comma], f" {clause[comma + 2 :]}") if comma > 0 else (clause, "")


def _marks(plain: str, clause: str) -> Marks:
    out = dict(words.marks(plain))
    since = next(iter(words.found("since", plain)), None)
    if since is not None and since.start():
        matter = words.marks(plain[: since.start()]).get("matter")
        if matter:
            out["matter"] = matter
    months = frozenset(one.value for one in quantities(clause) if one.kind == "month")
    return {**out, "month": months} if months else out


def _names(clause: str) -> frozenset[str]:
    """Return names and codes of a clause in Latin letters: quoted, with a capital inside a sentence, with digits."""
    masked = words_masked(clause)
    out = {one.value for one in quantities(clause) if one.kind == "code"}
    for match in _QUOTED.finditer(clause):
        if not words.says("own", words.plain(clause[: match.start()])[-14:]):
            out.update(_roman(folded(match[1])))
    for match in _CAPITAL.finditer(masked):
        foreign = bool(_LATIN.match(match.group())) and not _LATIN.match(masked.strip()[:1] or " ")
        if not _START.search(masked[: match.start()]) or foreign:
            inside = any(q.start() <= match.start() < q.end() for q in _QUOTED.finditer(clause))
            if not inside and words.concepts(words.plain(match.group())):
                out.update(_roman(folded(match.group())))
    return frozenset(out)


def _said(text: str) -> frozenset[str]:
    codes = frozenset(one.value for one in quantities(text) if one.kind == "code")
    return codes.union(_roman(folded(text)))


def _roman(text: str) -> Sequence[str]:
    """Return the beginnings of the words in Latin letters: names take endings."""
    return [words.romanised(word)[:_BEGINNING] for word in re.findall(r"[^\W_]{2,}", text)]


def _plain(text: str) -> str:
    return words.plain(words_masked(text))
