"""Labelled questions put to the real house with its gate open: what each answer shows of itself, and whether it is right."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from agent.ports import House
from knowledge.errors import BadRecords
from tools.context import Language

LABELLED = "labelled.yaml"
Half = Literal["fit", "judge"]
Ended = Literal["answered", "asked", "kept_back"]
"""Whether the house would answer at all: it may ask back, or have nothing to say whatever its threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A customer's question with the words a right answer holds; `contains` is empty where none can be given."""

    id: str
    text: str
    language: Language
    documents: tuple[str, ...]
    contains: str
    kind: str
    half: Half

    @property
    def answerable(self) -> bool:
        """Whether the documents answer it."""
        return bool(self.documents)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What came of a question while everything grounded was sent."""

    asked: Labelled
    ended: Ended
    right: bool
    signals: Mapping[str, float]
    text: str

    @property
    def judged(self) -> bool:
        """Whether there was an answer that a confidence was computed for."""
        return self.ended == "answered" and bool(self.signals)


def read_labelled(pack: Path) -> tuple[Labelled, ...]:
    """Return the pack's labelled questions in order. Raises `BadRecords`."""
    file = pack / LABELLED
    try:
        rows = yaml.safe_load(file.read_text("utf-8"))
        return tuple(_labelled(n, row) for n, row in enumerate(rows, start=1))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, ValueError) as fault:
        raise BadRecords(
            f"{file} holds no labelled questions: {fault!r}.",
            remedy="Write rows of {q, language, document, contains, kind, half}; see the demo company's.",
        ) from fault


def digest(pack: Path) -> str:
    """Return the SHA-256 of the labelled questions, hex."""
    return hashlib.sha256((pack / LABELLED).read_bytes()).hexdigest()


async def observe(
    house: House, questions: Sequence[Labelled], *, tell: Callable[[int, int], None]
) -> list[Observed]:
    """Ask every question in a conversation of its own; `house` has its gate open."""
    out: list[Observed] = []
    for n, question in enumerate(questions, start=1):
        answer = await house.ask(question.text, language=question.language)
        out.append(_observed(question, answer))
        tell(n, len(questions))
    return out


def _observed(question: Labelled, answer: Mapping[str, Any]) -> Observed:
    ended: Ended = "kept_back"
    if answer["outcome"] in ("answered", "clarify"):
        ended = "answered" if answer["outcome"] == "answered" else "asked"
    told = _flat(" ".join((str(answer["text"]), *(str(one["quote"]) for one in answer["citations"]))))
    cited = {str(one["document"]) for one in answer["citations"]}
    right = bool(cited & set(question.documents)) and _flat(question.contains) in told
    return Observed(
        asked=question,
        ended=ended,
        right=ended == "answered" and right,
        signals=dict(answer["signals"]),
        text=str(answer["text"]),
    )


def _labelled(n: int, row: Mapping[str, Any]) -> Labelled:
    language, half = str(row["language"]), str(row.get("half", "fit"))
    if language not in ("ru", "en") or half not in ("fit", "judge"):
        raise ValueError(f"row {n}: language is ru or en, half is fit or judge")
    document = row["document"]
    return Labelled(
        id=f"q{n}",
        text=str(row["q"]),
        language="en" if language == "en" else "ru",
        documents=(str(document), *map(str, row.get("also", ()))) if document else (),
        contains=str(row["contains"]) if document else "",
        kind=str(row.get("kind", "answerable")),
        half="judge" if half == "judge" else "fit",
    )


def _flat(text: str) -> str:
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").casefold().split())
