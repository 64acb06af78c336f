"""Knowledge: the documents answers come from. Draft, look at the passages, publish, retire, go back."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.console.page import PageRoute, redirect
from api.console.shelf import (
    AUDIENCES,
    LONGEST_TEXT,
    STATUSES,
    Details,
    Writing,
    WrongField,
    details_of,
    filter_of,
    name_for,
    writing_of,
)
from api.console.visit import Curator, CuratorSent, Sent, Visit
from knowledge.errors import KnowledgeFault, UnknownDocument
from knowledge.load import FORMATS, Limits, parse
from knowledge.split import split
from knowledge.types import LANGUAGES, Document, DocumentId, Version

router = APIRouter(prefix="/console/knowledge", route_class=PageRoute)

LIMITS = Limits()
SAID = ("drafted", "uploaded", "published", "retired", "rolled_back", "described", "unchanged", "overtaken")
FRESH: dict[str, Any] = {"audience": "customer", "department": "", "valid_from": "", "valid_until": ""}


@router.get("")
async def documents(
    visit: Curator,
    status: Annotated[str, Query(max_length=16)] = "",
    lang: Annotated[str, Query(max_length=8)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    sort: Annotated[str, Query(max_length=16)] = "title",
) -> Response:
    """The list with its filters, which live in the address."""
    catalogue = visit.house.building.library.catalogue
    known = await catalogue.documents()
    chosen = filter_of(status=status, language=lang, words=q, order=sort)
    return visit.page(
        "documents.html",
        documents=chosen.apply(known, first=visit.language),
        total=len(known),
        counts={name: sum(one.status == name for one in known) for name in STATUSES},
        edited=await catalogue.edited(),
        chosen=chosen,
        statuses=STATUSES,
        languages=LANGUAGES,
        today=visit.house.building.clock.now().date(),
    )


@router.get("/new")
async def new(visit: Curator) -> Response:
    """An empty sheet, and a place for a file."""
    return _new(visit)


@router.post("/new")
async def create(sent: CuratorSent) -> Response:
    """Save a new document as a draft."""
    visit = sent.visit
    try:
        writing, details = writing_of(sent), details_of(sent, departments=_departments(visit))
    except WrongField as wrong:
        return _new(visit, trouble=wrong.code, typed=_typed(sent), status=422)
    document = await _free_name(visit, writing.title, writing)
    await _save(visit, document, writing)
    await _describe(visit, document, details)
    return redirect(f"/console/knowledge/{document}", said="drafted")


@router.post("/upload")
async def upload(sent: CuratorSent) -> Response:
    """Read a file into a draft: Markdown, HTML, DOCX, PDF or plain text."""
    visit, file = sent.visit, sent.file("file")
    if file is None or not file.filename:
        return _new(visit, trouble="no_file", status=422)
    name = PurePath(file.filename.replace("\\", "/")).name[-120:]
    form = FORMATS.get(PurePath(name).suffix.lower())
    if form is None:
        return _new(visit, trouble="format", file=name, status=422)
    if (file.size or 0) > LIMITS.size:
        return _new(visit, trouble="too_large", file=name, status=413)
    data = await file.read()
    try:
        loaded = await asyncio.to_thread(parse, data, name=name, form=form, limits=LIMITS)
        writing = Writing(title=loaded.title, text=loaded.text, language=loaded.language)
        document = await _free_name(visit, PurePath(name).stem, writing)
        await _save(visit, document, writing, file=name)
    except KnowledgeFault as fault:
        status = 413 if fault.code == "too_large" else 422
        return _new(visit, trouble=f"file_{fault.code}", file=name, status=status)
    return redirect(f"/console/knowledge/{document}", said="uploaded")


@router.get("/{document}")
async def document(
    document: str,
    visit: Curator,
    version: Annotated[int, Query(ge=0)] = 0,
    said: Annotated[str, Query(max_length=16)] = "",
) -> Response:
    """One document: its text, how it is cut, where it stands."""
    return await _page(visit, document, version=version, said=said if said in SAID else "")


@router.post("/{document}")
async def save(document: str, sent: CuratorSent) -> Response:
    """Save the text as a new draft; what customers read does not change yet."""
    visit, id = sent.visit, DocumentId(document)
    history = await visit.house.building.library.catalogue.history(id)
    try:
        writing = writing_of(sent)
    except WrongField as wrong:
        return await _page(visit, document, trouble=wrong.code, typed=_typed(sent), status=422)
    catalogue = visit.house.building.library.catalogue
    newest = history[0] if history else None
    if newest and (newest.title, newest.language) == (writing.title, writing.language):
        known = await catalogue.text(id, version=newest.version)
        # A form brings line ends of its own.
        if known.strip() == writing.text.strip():
            return redirect(f"/console/knowledge/{id}", said="unchanged")
    await _save(visit, id, writing)
    overtaken = newest is not None and sent.text("base") != str(newest.version)
    return redirect(f"/console/knowledge/{id}", said="overtaken" if overtaken else "drafted")


@router.post("/{document}/publish")
async def publish(document: str, sent: CuratorSent) -> Response:
    """Make the newest version live."""
    library = sent.visit.house.building.library
    return await _change(sent, document, "published", lambda id, by: library.publish(id, by=by))


@router.post("/{document}/retire")
async def retire(document: str, sent: CuratorSent) -> Response:
    """Take it out of every answer; publishing brings it back."""
    library = sent.visit.house.building.library
    return await _change(sent, document, "retired", lambda id, by: library.retire(id, by=by))


@router.post("/{document}/rollback")
async def rollback(document: str, sent: CuratorSent) -> Response:
    """Make an earlier version live again."""
    library = sent.visit.house.building.library
    wanted = sent.text("version", most=9)
    version = int(wanted) if wanted.isdecimal() else 0
    return await _change(
        sent, document, "rolled_back", lambda id, by: library.rollback(id, version, by=by), version=version
    )


@router.post("/{document}/details")
async def describe(document: str, sent: CuratorSent) -> Response:
    """Change for whom and when it counts; at once, as these are not part of a version."""
    try:
        details = details_of(sent, departments=_departments(sent.visit))
    except WrongField as wrong:
        return await _page(sent.visit, document, trouble=wrong.code, status=422)
    await _describe(sent.visit, DocumentId(document), details)
    return redirect(f"/console/knowledge/{document}", said="described")


async def _change(
    sent: Sent,
    document: str,
    said: str,
    work: Callable[[DocumentId, str], Awaitable[Document]],
    **detail: Any,
) -> Response:
    visit = sent.visit
    try:
        await work(DocumentId(document), _by(visit))
    except UnknownDocument:
        raise
    except KnowledgeFault as fault:
        return await _page(visit, document, trouble=fault.code, status=422)
    await visit.note(said, document, **detail)
    return redirect(f"/console/knowledge/{document}", said=said)


async def _page(
    visit: Visit,
    document: str,
    *,
    version: int = 0,
    said: str = "",
    trouble: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    catalogue = visit.house.building.library.catalogue
    found = await catalogue.document(DocumentId(document))
    history = await catalogue.history(found.id)
    shown = _shown(history, version)
    text = await catalogue.text(found.id, version=shown.version) if shown else ""
    title, language = (shown.title, shown.language) if shown else (found.title, found.language)
    return visit.page(
        "document.html",
        status=status,
        document=found,
        history=history,
        shown=shown,
        newest=history[0] if history else None,
        authors=await visit.staff.names(one.by.removeprefix("staff:") for one in history),
        typed=typed or {"title": title, "text": text, "language": language},
        passages=split(text, document=found.id, title=title, language=language),
        departments=_named_departments(visit),
        audiences=AUDIENCES,
        languages=LANGUAGES,
        longest=LONGEST_TEXT,
        today=visit.house.building.clock.now().date(),
        said=said,
        trouble=trouble,
    )


def _shown(history: list[Version], version: int) -> Version | None:
    """Return the wanted version, the newest where none is wanted. Raises `UnknownDocument`."""
    if not version:
        return history[0] if history else None
    for one in history:
        if one.version == version:
            return one
    raise UnknownDocument(f"There is no version {version}.", remedy="The history lists the versions.")


def _new(
    visit: Visit,
    *,
    trouble: str = "",
    file: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    fresh = {"title": "", "text": "", "language": visit.house.building.pack.languages[0], **FRESH}
    return visit.page(
        "new.html",
        status=status,
        typed=fresh | (typed or {}),
        trouble=trouble,
        file=file,
        departments=_named_departments(visit),
        audiences=AUDIENCES,
        languages=LANGUAGES,
        longest=LONGEST_TEXT,
        formats=sorted(FORMATS),
        megabytes=LIMITS.size // 1_000_000,
        most_bytes=LIMITS.size,
    )


def _typed(sent: Sent) -> dict[str, str]:
    """Return what was typed, to be shown again."""
    typed = {name: sent.text(name) for name in ("title", "language", *FRESH)}
    return {**typed, "text": sent.text("text", most=LONGEST_TEXT).replace("\r\n", "\n")}


def _departments(visit: Visit) -> list[str]:
    return [one.id for one in visit.house.building.pack.departments]


def _named_departments(visit: Visit) -> list[tuple[str, str]]:
    return [(one.id, one.name[visit.language]) for one in visit.house.building.pack.departments]


async def _free_name(visit: Visit, title: str, writing: Writing) -> DocumentId:
    known = await visit.house.building.library.catalogue.documents()
    return name_for(title, language=writing.language, taken=[one.id for one in known])


async def _save(visit: Visit, document: DocumentId, writing: Writing, **detail: Any) -> None:
    saved = await visit.house.building.library.save_draft(
        document, writing.text, title=writing.title, language=writing.language, by=_by(visit)
    )
    await visit.note("draft", document, version=saved.version, **detail)


async def _describe(visit: Visit, document: DocumentId, details: Details) -> None:
    await visit.house.building.library.describe(
        document,
        audience=details.audience,
        department=details.department,
        valid_from=details.valid_from,
        valid_until=details.valid_until,
        by=_by(visit),
    )
    told = {name: str(value) for name in Details.__slots__ if (value := getattr(details, name))}
    await visit.note("describe", document, **told)


def _by(visit: Visit) -> str:
    return f"staff:{visit.who.login}"
