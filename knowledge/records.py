"""Passages and questions from outside, one JSON object a line, checked on reading."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import BadRecords
from knowledge.language import language_of
from knowledge.types import DocumentId, Language, Passage, PassageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question; `gold` names passages that answer it (None: not given), `answerable` None when not given.

    A `story` is a scenario with several needs, so it is searched for more than once.
    """

    qid: str
    text: str
    context: tuple[str, ...] = ()
    gold: frozenset[str] | None = None
    answerable: bool | None = None
    language: Language | None = None
    story: bool = False


def read_passages(path: Path, *, only: frozenset[str] | None = None) -> list[Passage]:
    """Read `{id, title, text}` lines, each a document of its own; `only` keeps some ids. Raises `BadRecords`."""
    out: list[Passage] = []
    for n, row in rows_of(path):
        name, text = str(_need(row, "id", path, n)), str(_need(row, "text", path, n))
        if only is not None and name not in only:
            continue
        title = str(row.get("title") or "").strip()
        out.append(
            Passage(
                id=PassageId(name),
                document=DocumentId(name),
                title=title,
                heading="",
                text=text,
                language=language_of(f"{title} {text}"),
                n=1,
                tokens=0,
            )
        )
    if len({passage.id for passage in out}) < len(out):
        raise BadRecords(f"{path.name} has the same id twice.", remedy="Give every passage its own id.")
    if not out:
        raise BadRecords(f"{path.name} gives no passages.", remedy="Check the file and the ids to index.")
    return out


def beside(passages: Sequence[Passage], others: Sequence[Passage]) -> list[Passage]:
    """Return both as one collection. Raises `BadRecords` when a name stands in both: gold would be ambiguous."""
    twice = sorted({one.id for one in passages} & {one.id for one in others})
    if twice:
        raise BadRecords(
            f"{len(twice)} passages have an id of a distractor, such as {twice[0]!r}.",
            remedy="Give every passage its own id.",
        )
    return [*passages, *others]


def read_questions(path: Path) -> list[Question]:
    """Read `{qid, question | scenario, context?, gold_ids?, answerable?}` lines. Raises `BadRecords`."""
    out: list[Question] = []
    for n, row in rows_of(path):
        text = row.get("scenario") or row.get("question")
        if not text:
            raise BadRecords(f"{path.name}:{n} has no question.", remedy="Give `question` or `scenario`.")
        gold, answerable = row.get("gold_ids"), row.get("answerable")
        out.append(
            Question(
                qid=str(_need(row, "qid", path, n)),
                text=str(text),
                context=tuple(str(line) for line in row.get("context") or ()),
                gold=None if gold is None else frozenset(map(str, gold)),
                answerable=None if answerable is None else bool(answerable),
                story=bool(row.get("scenario")),
            )
        )
    if not out:
        raise BadRecords(f"{path.name} holds no questions.", remedy="Write one JSON object a line.")
    return out


def read_ids(path: Path) -> frozenset[str]:
    """Read `{id}` lines, or a bare id a line."""
    text = _text(path).strip()
    if not text.startswith(("{", '"')):
        return frozenset(line.strip() for line in text.splitlines() if line.strip())
    return frozenset(str(row["id"] if isinstance(row, dict) else row) for _, row in _values(path))


def _need(row: Mapping[str, Any], name: str, path: Path, n: int) -> Any:
    if row.get(name) is None:
        raise BadRecords(
            f"{path.name}:{n} has no {name!r}.", remedy="See the format in `mayak eval retrieval --help`."
        )
    return row[name]


def rows_of(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield each object with its line number from 1. Raises `BadRecords` for anything that is not a JSON object."""
    for n, row in _values(path):
        if not isinstance(row, dict):
            raise BadRecords(f"{path.name}:{n} is not an object.", remedy="Write one JSON object a line.")
        yield n, row


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    # Not splitlines(): it also breaks at U+2028, which JSON allows inside a string.
    for n, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                yield n, json.loads(line)
            except ValueError as fault:
                raise BadRecords(
                    f"{path.name}:{n} is not JSON: {fault}.", remedy="Write one JSON object a line."
                ) from fault


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as fault:
        raise BadRecords(
            f"{path} cannot be read: {fault}.", remedy="Check the path; files are UTF-8."
        ) from fault
