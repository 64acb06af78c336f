"""What became of a document: who did what, when and why, and any two versions side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.console.keeping import authors_of
from api.console.page import PageRoute
from api.console.visit import Curator
from api.curation import contradictions
from knowledge.keeping.diff import Row
from knowledge.types import DocumentId

router = APIRouter(prefix="/console/knowledge/{document}", route_class=PageRoute)
AROUND = 2
"""Unchanged lines shown beside changed ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Rows of a comparison that are shown, or how many unchanged ones are left out here."""

    rows: tuple[Row, ...] = ()
    hidden: int = 0


@router.get("/history")
async def history(
    document: str,
    visit: Curator,
    old: Annotated[int, Query(ge=0)] = 0,
    new: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The versions, two of them compared, and every line of the history."""
    catalogue = visit.house.building.library.catalogue
    found = await catalogue.document(DocumentId(document))
    versions = await catalogue.history(found.id)
    events = await catalogue.events(found.id)
    diff = await catalogue.diff(found.id, old or None, new or None) if len(versions) > 1 else None
    return visit.page(
        "history.html",
        document=found,
        versions=versions,
        events=events,
        authors=await authors_of(visit, [*versions, *events]),
        diff=diff,
        stretches=stretches(diff.rows) if diff is not None else [],
    )


@router.get("/conflicts")
async def conflicts(document: str, visit: Curator) -> Response:
    """What the newest text says against other documents, both quotes side by side."""
    library = visit.house.building.library
    found = await library.catalogue.document(DocumentId(document))
    overlay = await library.overlay(found.id)
    titles = {one.id: one.title for one in await library.catalogue.documents()}
    return visit.page(
        "document_conflicts.html", document=found, found=await contradictions(overlay), titles=titles
    )


def stretches(rows: Sequence[Row], *, around: int = AROUND) -> list[Stretch]:
    """Return the changed rows with `around` unchanged ones on each side; the rest is counted."""
    near = {
        at + step for at, row in enumerate(rows) if row.kind != "same" for step in range(-around, around + 1)
    }
    out: list[Stretch] = []
    shown: list[Row] = []
    hidden = 0
    for at, row in enumerate(rows):
        if at in near:
            if hidden:
                out.append(Stretch(hidden=hidden))
            hidden = 0
            shown.append(row)
        else:
            if shown:
                out.append(Stretch(rows=tuple(shown)))
            shown, hidden = [], hidden + 1
    if shown or hidden:
        out.append(Stretch(rows=tuple(shown), hidden=hidden))
    return out
