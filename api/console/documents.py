"""Knowledge: the documents answers come from. Draft, look at the passages, publish, retire, go back."""

import asyncio
import csv
import io
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from agent.records.usage import Usage
from api.console.bulk import ACTS
from api.console.conflicts import contradicting
from api.console.health import AILS, USED_DAYS, Known, health_of
from api.console.imports import upload_limits
from api.console.keeping import departments, describe, free_name, named_departments, owners, save
from api.console.page import HEADERS, PageRoute, redirect
from api.console.sheet import passages_of
from api.console.shelf import (
    AUDIENCES,
    FRESH,
    LONGEST_TEXT,
    STATUSES,
    Filter,
    WrongField,
    details_of,
    filter_of,
    typed_of,
    writing_of,
)
from api.console.visit import Curator, CuratorSent, Visit
from knowledge.types import LANGUAGES

router = APIRouter(route_class=PageRoute)

SAID = ("nothing_chosen", "nothing_to_undo", "undone", *(f"bulk_{name}" for name in ACTS))
COLUMNS = (
    *("id", "title", "language", "status", "version", "audience", "department", "valid_from", "valid_until"),
    *("updated", "used", "wrong", "health"),
)


def chosen_filter(
    status: Annotated[str, Query(max_length=16)] = "",
    lang: Annotated[str, Query(max_length=8)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    health: Annotated[str, Query(max_length=16)] = "",
    department: Annotated[str, Query(max_length=64)] = "",
    sort: Annotated[str, Query(max_length=16)] = "title",
) -> Filter:
    """Read the filter of an address."""
    return filter_of(status=status, language=lang, words=q, order=sort, health=health, department=department)


Chosen = Annotated[Filter, Depends(chosen_filter)]


@router.get("/console/knowledge")
async def documents(
    visit: Curator,
    chosen: Chosen,
    said: Annotated[str, Query(max_length=24)] = "",
    done: Annotated[int, Query(ge=0)] = 0,
    failed: Annotated[int, Query(ge=0)] = 0,
    undo: Annotated[str, Query(max_length=32)] = "",
) -> Response:
    """The list with its filters, which live in the address, and with what ails each document."""
    catalogue = visit.house.building.library.catalogue
    known = await catalogue.documents()
    health = health_of(known, known=await _known(visit))
    return visit.page(
        "documents.html",
        documents=chosen.apply(known, first=visit.language, health=health),
        total=len(known),
        counts={name: sum(one.status == name for one in known) for name in STATUSES},
        ails={ail: sum(ail in one.ails for one in health.values()) for ail in AILS},
        health=health,
        edited=await catalogue.edited(),
        chosen=chosen,
        statuses=STATUSES,
        languages=LANGUAGES,
        departments=named_departments(visit),
        today=visit.house.building.clock.now().date(),
        said=said if said in SAID else "",
        done=done,
        failed=failed,
        undo=undo,
    )


@router.get("/console/knowledge.csv")
async def table(visit: Curator, chosen: Chosen) -> Response:
    """The same list as a table for other programs."""
    known = await visit.house.building.library.catalogue.documents()
    health = health_of(known, known=await _known(visit))
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for one in chosen.apply(known, first=visit.language, health=health):
        own = health[one.id]
        told = {"used": own.used, "wrong": own.wrong, "health": " ".join(own.ails)}
        rows.writerow(_cell(told[name] if name in told else getattr(one, name)) for name in COLUMNS)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="knowledge.csv"'}
    # The mark lets office programs read Cyrillic.
    return Response("\ufeff" + out.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/console/draft")
async def new(visit: Curator) -> Response:
    """An empty sheet, and a place for files."""
    return await new_sheet(visit)


@router.post("/console/draft")
async def create(sent: CuratorSent) -> Response:
    """Save a new document as a draft."""
    visit = sent.visit
    try:
        people = [login for login, _ in await owners(visit)]
        writing = writing_of(sent)
        details = details_of(sent, departments=departments(visit), people=people)
    except WrongField as wrong:
        return await new_sheet(visit, trouble=wrong.code, typed=typed_of(sent), status=422)
    document = await free_name(visit, writing.title, writing)
    await save(visit, document, writing)
    await describe(visit, document, details)
    return redirect(f"/console/knowledge/{document}", said="drafted")


@router.post("/console/draft/passages")
async def cut(sent: CuratorSent) -> Response:
    """Show how the text in the form would be cut; nothing is saved."""
    return await new_sheet(sent.visit, typed=typed_of(sent))


async def new_sheet(
    visit: Visit, *, trouble: str = "", typed: dict[str, str] | None = None, status: int = 200
) -> Response:
    """Return the page of a new document, with what was typed, or is there to begin with."""
    fresh = {"title": "", "text": "", "language": visit.house.building.pack.languages[0], **FRESH}
    words = fresh | (typed or {})
    return visit.page(
        "new.html",
        status=status,
        typed=words,
        trouble=trouble,
        passages=await asyncio.to_thread(passages_of, words),
        departments=named_departments(visit),
        people=await owners(visit),
        audiences=AUDIENCES,
        languages=LANGUAGES,
        longest=LONGEST_TEXT,
        **upload_limits(),
    )


async def _known(visit: Visit) -> Known:
    building = visit.house.building
    now = building.clock.now()
    return Known(
        now=now,
        languages=building.pack.languages,
        used=await Usage(building.engine).since(now - timedelta(days=USED_DAYS)),
        contradicting=contradicting(visit),
        flagged=await building.library.notes.flagged(),
    )


def _cell(value: object) -> str:
    """Return a value as a table shows it; what an office program would take for a formula is text."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
