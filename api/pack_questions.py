"""The questions a company pack brings with it, as data for previews: what people ask, and where the answer is."""

from pathlib import Path
from typing import Any

import yaml

from api.settings import BadSetting
from knowledge.preview import Asked, Gold
from knowledge.types import DocumentId, Language

FILE = "questions.yaml"


def pack_questions(company: Path) -> tuple[Asked, ...]:
    """Return the pack's questions in order; none when it has no `questions.yaml`. Raises `BadSetting`."""
    file = company / FILE
    if not file.is_file():
        return ()
    try:
        rows = yaml.safe_load(file.read_text("utf-8")) or []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise BadSetting(f"{file} cannot be read: {fault}.", remedy="Correct the line named.") from fault
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("q") for row in rows):
        raise BadSetting(
            f"{file} is not a list of questions.", remedy="Write - {q: …, document: …, contains: …}."
        )
    return tuple(map(_asked, rows))


def _asked(row: dict[str, Any]) -> Asked:
    language: Language = "en" if row.get("language") == "en" else "ru"
    named = [row["document"], *row.get("also", ())] if row.get("document") else []
    gold = Gold(
        documents=tuple(DocumentId(str(name)) for name in named),
        contains=str(row.get("contains") or ""),
        outside=row.get("kind") == "outside",
    )
    return Asked(text=str(row["q"]), language=language, origin="pack", gold=gold)
