"""What can go wrong in the knowledge room.

KnowledgeFault
├── Unreadable        the bytes are not what the file name promises
├── TooLarge          a limit on size, pages or unpacked size was passed
├── Empty             a file or text without words
├── UnknownDocument   no such document or version
├── NothingToPublish  a document without any saved text
├── WrongState        a version is not where this step begins
├── WrongDates        dates that end before they begin, or are over
├── BadManifest       documents.toml cannot be understood
├── EmbedderUnavailable   an embedding model cannot be loaded or reached
├── IndexUnavailable      the vector store cannot be opened or reached
└── BadRecords        evaluation or weight data that cannot be understood
"""

from typing import ClassVar, Literal, get_args

Why = Literal[
    "damaged",
    "locked",
    "wrong_kind",
    "format",
    "outside",
    "link",
    "nested",
    "bad_line",
    "scan",
    "too_slow",
    "broke_reader",
    "same_id",
    "private",
    "robots",
    "port",
    "not_address",
]
"""Finer than the code: what exactly is wrong with a file or an address, for those who tell it in other languages."""
_WHYS: tuple[Why, ...] = get_args(Why)


class KnowledgeFault(Exception):
    """Base of the room: `message` says what happened, `remedy` what a person can do about it.

    `why` tells the same to programs: a `Why` where one fits, else the code of the fault.
    """

    code: ClassVar[str] = "knowledge_fault"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, remedy: str, why: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.why = next((one for one in _WHYS if one == why), self.code)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


class Unreadable(KnowledgeFault):
    """The bytes are not what the file name promises, or are damaged or locked."""

    code = "unreadable"


class TooLarge(KnowledgeFault):
    """A limit on size, pages or unpacked size was passed."""

    code = "too_large"


class Empty(KnowledgeFault):
    """There are no words to learn."""

    code = "empty"


class UnknownDocument(KnowledgeFault):
    """No such document or version."""

    code = "unknown_document"


class NothingToPublish(KnowledgeFault):
    """The document has no saved text."""

    code = "nothing_to_publish"


class WrongState(KnowledgeFault):
    """The version is not in a state from which this step leads."""

    code = "wrong_state"


class WrongDates(KnowledgeFault):
    """Effective dates that end before they begin, or are over already."""

    code = "wrong_dates"


class BadManifest(KnowledgeFault):
    """`documents.toml` cannot be understood."""

    code = "bad_manifest"


class EmbedderUnavailable(KnowledgeFault):
    """An embedding model cannot be loaded or reached."""

    code = "embedder_unavailable"
    retryable = True


class IndexUnavailable(KnowledgeFault):
    """The vector store cannot be opened or reached."""

    code = "index_unavailable"
    retryable = True


class BadRecords(KnowledgeFault):
    """Weights or evaluation data cannot be understood."""

    code = "bad_records"
