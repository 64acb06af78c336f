"""What one answer was made of, as its customer may read it: frozen values without I/O, and no value of a person in them.

```
Receipt ─┬─ DocumentUse*   which passages of which version of which documents
         ├─ FieldUse*      which fields of which systems, for which purpose; names of fields alone
         ├─ Basis*         what each purpose rested on, with the row of the ledger where it was a consent
         ├─ ModelRead*     which model read what, masked or plain, inside the company or outside
         └─ Remembered*    what is kept beyond the answer
```
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from agent import basis as live_basis
from tools.context import Language

IDENTITY = "identity"
"""The purpose of finding out who the customer is: they asked for it themselves, with a code or by name."""

EXTRACTIVE = "extractive"
"""The model of the house that answers in quotes and is no language model."""
UNDER_WAY = "under_way"
"""Why the model of the house is passed over: it would begin an answer anew that another model has begun."""

Part = Literal["question", "history", "results"]
"""What of a turn a model reads: the customer's message, what was said before, what tools found."""
PARTS: tuple[Part, ...] = ("question", "history", "results")
BasisKind = Literal["consent", "contract", "legal", "request", "none"]
"""`request`: the customer's own request in this turn; `none`: the company lists no such purpose and asks nothing."""
Kept = Literal["number", "name", "choice", "question", "fact"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A row of the consent ledger that stood when something was done under it; `sha256` is of the text agreed to."""

    id: int
    purpose: str
    version: str
    sha256: str
    language: Language
    channel: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a purpose rested on in this turn; `granted` is given where it was a consent."""

    purpose: str
    kind: BasisKind
    granted: Granted | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentUse:
    """A passage the answer rests on (`cited`), or that was only read for it."""

    document: str
    version: int
    passage: str
    title: str
    cited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldUse:
    """Fields of one system that a tool read, or changed by the customer's own yes; `fields` are names, never values."""

    what: str
    fields: tuple[str, ...]
    purpose: str
    tool: str = ""
    changed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRead:
    """What one model was given in a turn, whatever came of it.

    `external`: it runs outside the company; `kinds` counts the different values behind placeholders, by kind, where it
    read them `masked`; `answered`: an answer of it was taken; `encoder`: it only compares texts, and answers nothing.
    """

    model: str
    external: bool
    masked: bool = False
    parts: tuple[Part, ...] = ()
    kinds: Mapping[str, int] = field(default_factory=dict)
    answered: bool = False
    encoder: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """Something kept after the answer: until the conversation ends, or in the customer's own notes."""

    what: Kept
    where: Literal["conversation", "notes"] = "conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """All of it. `withheld` says why better models were not asked; `whole` is False where the turn broke off; `at` is when
    its message came.
    """

    documents: tuple[DocumentUse, ...] = ()
    data: tuple[FieldUse, ...] = ()
    bases: tuple[Basis, ...] = ()
    models: tuple[ModelRead, ...] = ()
    withheld: tuple[str, ...] = ()
    remembered: tuple[Remembered, ...] = ()
    whole: bool = True
    at: datetime | None = None

    @property
    def empty(self) -> bool:
        """Whether the answer rests on nothing: no document, no data, no model."""
        return not (self.documents or self.data or self.models)

    def basis(self, purpose: str) -> Basis:
        """Return what the purpose rested on."""
        found = (basis for basis in self.bases if basis.purpose == purpose)
        return next(found, Basis(purpose=purpose, kind="none"))


def granted_of(live: Mapping[str, live_basis.Basis]) -> tuple[Granted, ...]:
    """Return the rows of the ledger among live bases, as a receipt names them."""
    return tuple(granted(basis.row) for basis in live.values() if basis.row is not None)


def granted(row: live_basis.ConsentRow) -> Granted:
    """Return a row of the ledger without whose it is and the words it holds."""
    return Granted(
        id=row.number,
        purpose=row.purpose,
        version=row.version,
        sha256=row.text_sha256,
        language=row.language,
        channel=row.channel,
        at=row.at,
    )


def left(reads: Iterable[ModelRead]) -> tuple[ModelRead, ...]:
    """Return what models outside the company read."""
    return tuple(read for read in reads if read.external)


def merged(before: ModelRead | None, now: ModelRead) -> ModelRead:
    """Return two calls of one model in one turn as one line: everything it read, and whether it ever answered."""
    if before is None:
        return now
    read = {*before.parts, *now.parts}
    return replace(
        now,
        # Text that was once read plain was read plain.
        masked=before.masked and now.masked,
        parts=tuple(part for part in PARTS if part in read),
        kinds={**before.kinds, **{k: max(n, before.kinds.get(k, 0)) for k, n in now.kinds.items()}},
        answered=before.answered or now.answered,
    )


def together(reads: Sequence[ModelRead]) -> tuple[ModelRead, ...]:
    """Return one line a model, in the order in which they were first asked."""
    found: dict[str, ModelRead] = {}
    for read in reads:
        found[read.model] = merged(found.get(read.model), read)
    return tuple(found.values())
