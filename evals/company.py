"""A company pack's own documents and questions, as passages and questions for retrieval."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from knowledge.errors import BadRecords
from knowledge.ingest import files_of, manifest_of, source_of
from knowledge.load import load
from knowledge.records import Question
from knowledge.split import split
from knowledge.types import DocumentId, Language, Passage, PassageId, Source


def read_company(folder: Path, *, day: date) -> tuple[list[Passage], list[Question]]:
    """Return the passages that customers may see on `day`, and `questions.yaml`.

    Gold is every passage of the named documents that holds the piece of text the question names; a question without a
    document cannot be answered. Raises `BadRecords` when a named piece is not in the document.
    """
    root, files = files_of(folder / "knowledge")
    rows = manifest_of(root)
    passages: list[Passage] = []
    for file in files:
        name = file.relative_to(root).as_posix()
        source = source_of(name, load(file), rows.get(name, {}))
        if _shown(source, day):
            passages += split(source.text, document=source.id, title=source.title, language=source.language)
    return passages, [_question(n, row, passages) for n, row in enumerate(_rows(folder), start=1)]


def _shown(source: Source, day: date) -> bool:
    begun = source.valid_from is None or source.valid_from <= day
    over = source.valid_until is not None and source.valid_until < day
    return source.status == "published" and source.audience == "customer" and begun and not over


def _rows(folder: Path) -> list[dict[str, Any]]:
    file = folder / "questions.yaml"
    try:
        rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise BadRecords(
            f"{file} cannot be read: {fault}.", remedy="Check the path and the line named."
        ) from fault
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("q") for row in rows):
        raise BadRecords(
            f"{file} is not a list of questions.", remedy="Write - {q: …, document: …, contains: …}."
        )
    return rows


def _question(n: int, row: dict[str, Any], passages: Sequence[Passage]) -> Question:
    language: Language = "en" if row.get("language") == "en" else "ru"
    if row.get("document") is None:
        return Question(qid=f"q{n}", text=str(row["q"]), language=language, answerable=False)
    wanted = {DocumentId(str(name)) for name in (row["document"], *row.get("also", ()))}
    piece = _flat(str(row.get("contains") or ""))
    gold = frozenset(one.id for one in passages if one.document in wanted and piece in _flat(one.text))
    if not gold:
        raise BadRecords(
            f"questions.yaml, question {n}: {row['document']} does not say {row.get('contains')!r}.",
            remedy="Correct the question, or see whether the document is valid today.",
        )
    return Question(
        qid=f"q{n}",
        text=str(row["q"]),
        language=language,
        gold=frozenset(map(PassageId, gold)),
        answerable=True,
    )


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").casefold().split())
