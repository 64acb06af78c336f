"""One document: its text and how it is cut, where it stands, for whom and when it counts."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.console.keeping import authors_of, departments, named_departments, owners
from api.console.keeping import describe as keep_details
from api.console.keeping import save as keep
from api.console.page import PageRoute, redirect
from api.console.shelf import AUDIENCES, LONGEST_TEXT, WrongField, details_of, typed_of, writing_of
from api.console.suggested import rejection, suggestions
from api.console.visit import Curator, CuratorSent, Visit
from knowledge.errors import UnknownDocument
from knowledge.split import split
from knowledge.types import LANGUAGES, DocumentId, Language, Passage, Version

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute)
preview = APIRouter(route_class=PageRoute)

COMMENTS = 5
UNSAVED = DocumentId("draft")
SAID = (
    *("drafted", "published", "retired", "rolled_back", "described", "unchanged", "overtaken"),
    *("submitted", "rejected", "commented", "still_right", "scheduled", "withdrawn", "dropped"),
)


@router.get("/{document}")
async def document(
    document: str,
    visit: Curator,
    version: Annotated[int, Query(ge=0)] = 0,
    said: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """One document: its text, how it is cut, where it stands."""
    return await sheet(visit, document, version=version, said=said if said in SAID else "")


@router.post("/{document}")
async def save(document: str, sent: CuratorSent) -> Response:
    """Save the text as a new draft; what customers read does not change yet."""
    visit, id = sent.visit, DocumentId(document)
    history = await visit.house.building.library.catalogue.history(id)
    try:
        writing = writing_of(sent)
    except WrongField as wrong:
        return await sheet(visit, document, trouble=wrong.code, typed=typed_of(sent), status=422)
    catalogue = visit.house.building.library.catalogue
    newest = history[0] if history else None
    if newest and (newest.title, newest.language) == (writing.title, writing.language):
        known = await catalogue.text(id, version=newest.version)
        # A form brings line ends of its own.
        if known.strip() == writing.text.strip():
            return redirect(f"/console/knowledge/{id}", said="unchanged")
    await keep(visit, id, writing)
    overtaken = newest is not None and sent.text("base") != str(newest.version)
    return redirect(f"/console/knowledge/{id}", said="overtaken" if overtaken else "drafted")


@router.post("/{document}/passages")
async def passages(document: str, sent: CuratorSent) -> Response:
    """Show how the text in the form would be cut; nothing is saved."""
    return await sheet(sent.visit, document, typed=typed_of(sent))


@preview.post("/console/passages")
async def cut(sent: CuratorSent) -> Response:
    """The same for a page that is open: only the passages."""
    words = typed_of(sent)
    pieces = await asyncio.to_thread(passages_of, words)
    return sent.visit.page("_passages_part.html", passages=pieces)


@router.post("/{document}/details")
async def describe(document: str, sent: CuratorSent) -> Response:
    """Change for whom and when it counts, and who keeps it; at once, as these are not part of a version."""
    try:
        found = await sent.visit.house.building.library.catalogue.document(DocumentId(document))
        people = [login for login, _ in await owners(sent.visit, now=found.owner)]
        details = details_of(sent, departments=departments(sent.visit), people=people)
    except WrongField as wrong:
        return await sheet(sent.visit, document, trouble=wrong.code, status=422)
    await keep_details(sent.visit, DocumentId(document), details)
    return redirect(f"/console/knowledge/{document}", said="described")


async def sheet(
    visit: Visit,
    document: str,
    *,
    version: int = 0,
    said: str = "",
    trouble: str = "",
    typed: dict[str, str] | None = None,
    asked: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """Return the page of a document. Raises `UnknownDocument`."""
    building = visit.house.building
    catalogue, notes = building.library.catalogue, building.library.notes
    found = await catalogue.document(DocumentId(document))
    history = await catalogue.history(found.id)
    events = await catalogue.events(found.id)
    shown = _shown(history, version)
    text = await catalogue.text(found.id, version=shown.version) if shown else ""
    title, language = (shown.title, shown.language) if shown else (found.title, found.language)
    words = typed or {"title": title, "text": text, "language": language}
    today = building.clock.now().date()
    return visit.page(
        "document.html",
        status=status,
        document=found,
        history=history,
        shown=shown,
        newest=history[0] if history else None,
        comments=[one for one in events if one.action == "commented"][:COMMENTS],
        rejected=rejection(events),
        authors=await authors_of(visit, [*history, *events]),
        typed=words,
        passages=await asyncio.to_thread(passages_of, words, found.id),
        suggested=suggestions(words["text"], found, today=today),
        flags=await notes.flags(found.id),
        read_notes=await notes.notes(found.id),
        departments=named_departments(visit),
        people=await owners(visit, now=found.owner),
        audiences=AUDIENCES,
        languages=LANGUAGES,
        longest=LONGEST_TEXT,
        today=today,
        said=said,
        trouble=trouble,
        **(asked or {}),
    )


def passages_of(words: Mapping[str, str], document: DocumentId = UNSAVED) -> list[Passage]:
    """Return how a text would be cut; none for an empty one."""
    language: Language = "en" if words["language"] == "en" else "ru"
    return split(words["text"], document=document, title=words["title"], language=language)


def _shown(history: list[Version], version: int) -> Version | None:
    """Return the wanted version, the newest where none is wanted. Raises `UnknownDocument`."""
    if not version:
        return history[0] if history else None
    for one in history:
        if one.version == version:
            return one
    raise UnknownDocument(f"There is no version {version}.", remedy="The history lists the versions.")
