"""The nouns of the knowledge room: documents, passages, hits. Frozen, no I/O."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import date, datetime
from typing import Literal, NewType

DocumentId = NewType("DocumentId", str)
PassageId = NewType("PassageId", str)
Language = Literal["ru", "en"]
Format = Literal["md", "html", "docx", "pdf", "txt", "xlsx", "csv", "jsonl"]
Status = Literal["draft", "review", "published", "retired"]
State = Literal["draft", "review", "published", "superseded", "retired"]
Action = Literal[
    "saved",
    "imported",
    "submitted",
    "rejected",
    "published",
    "scheduled",
    "withdrawn",
    "rolled_back",
    "took_over",
    "retired",
    "described",
    "assigned",
    "commented",
    "twin_changed",
    "still_right",
]

LANGUAGES: tuple[Language, ...] = ("ru", "en")
_NUMBERED = re.compile(r"@\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One piece of a published document, small enough to quote; `n` counts from 1.

    `id` is `document#n` in version 1 and `document@version#n` in later ones: it never names another text.
    `heading` is the path of headings inside the document ("Сроки › Курьер"), `tokens` counts cl100k tokens,
    `page` is given for paged sources, from 1.
    """

    id: PassageId
    document: DocumentId
    title: str
    heading: str
    text: str
    language: Language
    n: int
    tokens: int
    audience: str = "customer"
    department: str | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What is known about a document beside its words; `version` is 0 until something was published.

    `next_from` is when a scheduled version takes over; `twin_changed` since when the text in the other language
    is another one and nobody has looked at this one.
    """

    id: DocumentId
    title: str
    language: Language
    source: str
    format: Format
    audience: str
    department: str | None
    status: Status
    valid_from: date | None
    valid_until: date | None
    version: int
    content_hash: str
    updated: datetime
    twin: DocumentId | None
    owner: str | None = None
    twin_changed: datetime | None = None
    next_from: datetime | None = None
    approved: bool = False
    """Whether its sections under a question are answers that may be given without a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One saved text of a document: who wrote it, when, where it stands, and whether it was ever published.

    It counts from `effective_from` (none: from its publishing) until just before `effective_until`.
    """

    document: DocumentId
    version: int
    title: str
    language: Language
    content_hash: str
    by: str
    at: datetime
    published: bool
    state: State = "draft"
    effective_from: datetime | None = None
    effective_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a document's history: who did what to which version, when and why. Never changed afterwards."""

    n: int
    document: DocumentId
    version: int | None
    action: Action
    by: str
    at: datetime
    why: str
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a search, for whom and when.

    Passages in `language` are preferred, others still found. `context` holds the messages before, oldest first.
    With a `department` only its passages and those of no department are found. `now` is the searcher's own clock
    where it is not given. `may_leave`: whether an encoder outside the company may read it; without, those are left out.
    """

    text: str
    _: KW_ONLY
    language: Language | None = None
    context: Sequence[str] = ()
    k: int = 8
    audience: str = "customer"
    department: str | None = None
    now: datetime | None = None
    may_leave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A live passage and why it was found: `score` is the fused score, `parts` each signal's share of it."""

    passage: Passage
    score: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """A question a curator approved the answer to, and the passage that is this answer."""

    question: str
    passage: Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieval:
    """The answer to one search: best hit first, `confidence` 0..1 that the first hit answers, `ms` wall time.

    `understood` is the query as it was read: repaired when it came in the wrong keyboard layout or in
    Latin transliteration, otherwise as typed. `approved` is the answer approved for this very question, if there is one.
    """

    query: str
    hits: tuple[Hit, ...]
    confidence: float
    ms: float
    understood: str
    approved: Approved | None = None
    outside: tuple[str, ...] = ()
    """Encoders outside the company that read the query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A document as it came from outside: words with `#` headings, pages parted by form feeds."""

    id: DocumentId
    title: str
    text: str
    language: Language
    source: str
    format: Format
    audience: str = "customer"
    department: str | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    status: Status = "published"
    twin: DocumentId | None = None
    approved: bool = False


def passage_id(document: DocumentId, *, version: int, n: int) -> PassageId:
    """Return the id of the `n`th passage of a version; no two texts ever share one."""
    plain = version == 1 and not _NUMBERED.search(document)
    return PassageId(f"{document}#{n}" if plain else f"{document}@{version}#{n}")


def document_in(passage: str) -> DocumentId:
    """Return the document a passage's id names."""
    return DocumentId(_NUMBERED.sub("", passage.rpartition("#")[0]))


def version_of(passage: str) -> int:
    """Return the version of its document that a passage's id names."""
    numbered = _NUMBERED.search(passage.rpartition("#")[0])
    return int(numbered.group().lstrip("@")) if numbered else 1


def title_of(passage: Passage) -> str:
    """Return the words a passage travels under: the document's title and the path of headings."""
    parts = [part for part in (passage.title, passage.heading) if part]
    return " › ".join(parts)
