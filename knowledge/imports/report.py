"""What an import tells: how far it is, what became of each document, and what a curator should look at."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from knowledge.reading.findings import Flag, Note
from knowledge.types import DocumentId

Result = Literal["imported", "unchanged", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far an import is: `done` of `total` files, `passages` embedded so far, what is read now, `found` documents."""

    done: int
    total: int
    passages: int
    document: str
    found: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Another document that is almost the same: `share` of the text in common, 0..1."""

    document: DocumentId
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of one document; `reason` and `remedy` say why it was skipped, `why` says it to programs.

    `path` is the file inside the folder, its member (`pack.zip/ru/a.md`) or line (`faq.jsonl#7`), or an address.
    `notes`, `flags` and `alike` are given for what was read in this import; the unchanged was told of before.
    """

    path: str
    document: DocumentId | None
    result: Result
    passages: int = 0
    reason: str = ""
    remedy: str = ""
    why: str = ""
    notes: tuple[Note, ...] = ()
    flags: tuple[Flag, ...] = ()
    alike: tuple[Alike, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """One row a document, in order; `embedded` counts texts that had to be embedded anew."""

    rows: tuple[Row, ...]
    embedded: int
    seconds: float

    @property
    def counts(self) -> dict[str, int]:
        """Return how many documents had each result."""
        found = Counter(row.result for row in self.rows)
        return {"imported": found["imported"], "unchanged": found["unchanged"], "skipped": found["skipped"]}


def skipped(path: str, *, reason: str, remedy: str, why: str) -> Row:
    """Return the row of what could not be taken in."""
    return Row(path=path, document=None, result="skipped", reason=reason, remedy=remedy, why=why)
