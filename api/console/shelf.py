"""What the knowledge pages show and accept, before anything is written: filters, forms, names of documents."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath
from typing import Any, Literal, get_args
from urllib.parse import urlencode

from api.console.health import AILS, Health
from api.console.visit import Sent
from knowledge.types import LANGUAGES, Document, DocumentId, Language, Status

Audience = Literal["customer", "staff"]
AUDIENCES: tuple[Audience, ...] = get_args(Audience)
STATUSES: tuple[Status, ...] = get_args(Status)
Order = Literal["title", "updated", "used", "wrong"]
ORDERS: tuple[Order, ...] = get_args(Order)
LONGEST_TEXT = 1_000_000
FRESH: dict[str, Any] = {
    "audience": "customer",
    "department": "",
    "owner": "",
    "valid_from": "",
    "valid_until": "",
    "approved": "",
}
"""What a new document has before anybody wrote anything."""
LONGEST_TITLE = 200
LONGEST_NAME = 100
_LATIN = str.maketrans("абвгдеёзийклмнопрстуфыэ", "abvgdeeziyklmnoprstufye", "ъь") | {
    ord(letter): latin
    for letter, latin in zip("жхцчшщюя", ("zh", "kh", "ts", "ch", "sh", "shch", "yu", "ya"), strict=True)
}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What the list is narrowed to; empty means everything."""

    status: str = ""
    language: str = ""
    words: str = ""
    health: str = ""
    department: str = ""
    order: Order = "title"

    def apply(
        self, documents: Iterable[Document], *, first: Language, health: Mapping[DocumentId, Health]
    ) -> list[Document]:
        """Return the documents that fit, in order; by title, those in the language `first` come before others."""
        wanted = self.words.casefold().split()
        found = [
            document
            for document in documents
            if self.status in ("", document.status)
            and self.language in ("", document.language)
            and self.department in ("", document.department)
            and (not self.health or self.health in health[document.id].ails)
            and all(word in f"{document.title} {document.id}".casefold() for word in wanted)
        ]
        found.sort(key=lambda one: (one.language != first, one.title.casefold(), one.id))
        if self.order == "updated":
            found.sort(key=lambda one: one.updated, reverse=True)
        elif self.order == "used":
            found.sort(key=lambda one: health[one.id].used, reverse=True)
        elif self.order == "wrong":
            found.sort(key=lambda one: health[one.id].wrong, reverse=True)
        return found

    def query(self, **other: str) -> str:
        """Return the filter as a query of an address, with some of it replaced; what is empty is left out."""
        own = {"status": self.status, "lang": self.language, "q": self.words, "health": self.health}
        own |= {"department": self.department, "sort": "" if self.order == "title" else self.order}
        asked = urlencode({name: value for name, value in (own | other).items() if value})
        return f"?{asked}" if asked else ""


def filter_of(
    *, status: str, language: str, words: str, order: str, health: str = "", department: str = ""
) -> Filter:
    """Read a filter from the address; what is unknown is left out."""
    return Filter(
        status=status if status in STATUSES else "",
        language=language if language in LANGUAGES else "",
        words=words.strip(),
        health=health if health in AILS else "",
        department=department,
        order=order if order in ORDERS else "title",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """For whom and when a document counts, and who keeps it true (a login)."""

    audience: Audience
    department: str | None
    owner: str | None
    valid_from: date | None
    valid_until: date | None
    approved: bool = False
    """Whether its answers may be given without a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A document's text as it was typed."""

    title: str
    text: str
    language: Language


class WrongField(Exception):
    """A field of a form cannot be used; `code` names the text that says so."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def writing_of(sent: Sent) -> Writing:
    """Read title, text and language. Raises `WrongField`."""
    title = " ".join(_plain(sent.text("title", most=LONGEST_TITLE)).split())
    text = _plain(sent.text("text", most=LONGEST_TEXT + 1)).replace("\r\n", "\n").replace("\r", "\n")
    language = sent.text("language")
    if not title:
        raise WrongField("no_title")
    if len(text) > LONGEST_TEXT:
        raise WrongField("long_text")
    if not any(letter.isalnum() for letter in text):
        raise WrongField("empty")
    if language not in LANGUAGES:
        raise WrongField("no_language")
    return Writing(title=title, text=text, language=language)


def details_of(sent: Sent, *, departments: Sequence[str], people: Sequence[str]) -> Details:
    """Read audience, department, owner and dates. Raises `WrongField`."""
    audience = sent.text("audience")
    department, owner = sent.text("department"), sent.text("owner")
    begins, ends = (day_in(sent.text(name)) for name in ("valid_from", "valid_until"))
    if begins and ends and begins > ends:
        raise WrongField("dates_order")
    return Details(
        audience=audience if audience in AUDIENCES else "customer",
        department=department if department in departments else None,
        owner=owner if owner in people else None,
        valid_from=begins,
        valid_until=ends,
        approved=sent.text("approved") == "yes",
    )


def typed_of(sent: Sent) -> dict[str, str]:
    """Return what was typed, to be shown again."""
    typed = {name: sent.text(name) for name in ("title", "language", *FRESH)}
    return {**typed, "text": sent.text("text", most=LONGEST_TEXT).replace("\r\n", "\n")}


def name_for(title: str, *, language: Language, taken: Iterable[str]) -> DocumentId:
    """Return a free id made of a title or a file's name: `vozvrat-tovara`, `returns.en`."""
    stem = PurePath(title).name.casefold()
    latin = stem.translate(_LATIN).replace("_", "-")
    name = "-".join(re.findall(r"[a-z0-9]+", latin))[:LONGEST_NAME].strip("-") or "document"
    ending = ".en" if language == "en" else ""
    known, number = set(taken), 1
    while (found := f"{name}{'' if number == 1 else f'-{number}'}{ending}") in known:
        number += 1
    return DocumentId(found)


def _plain(text: str) -> str:
    return _CONTROL.sub("", text.encode("utf-8", "ignore").decode("utf-8"))


def day_in(text: str) -> date | None:
    """Return the day a field names, None for an empty one. Raises `WrongField`."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as wrong:
        raise WrongField("date") from wrong
