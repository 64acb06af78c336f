"""The steps of a document's life, each a form: submit, approve, reject, publish, retire, go back, comment."""

from collections.abc import Awaitable, Callable
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Response

from api.console.keeping import by_whom
from api.console.page import PageRoute, redirect
from api.console.sheet import sheet
from api.console.shelf import WrongField, day_in
from api.console.visit import CuratorSent, Sent, Visit
from knowledge.errors import KnowledgeFault, UnknownDocument
from knowledge.types import DocumentId

router = APIRouter(prefix="/console/knowledge/{document}", route_class=PageRoute)

LONGEST_WHY = 2_000
Work = Callable[[DocumentId, str, str], Awaitable[Any]]
"""What is done to a document by whom, and why."""


@router.post("/publish")
async def publish(document: str, sent: CuratorSent) -> Response:
    """Make the newest version live, at once or from the beginning of a day."""
    library = sent.visit.house.building.library
    try:
        begins = _morning(sent.visit, sent.text("from", most=10))
    except WrongField as wrong:
        return await sheet(sent.visit, document, trouble=wrong.code, status=422)
    said = "published" if begins is None else "scheduled"
    return await _step(
        sent, document, said, lambda id, by, why: library.publish(id, by=by, why=why, effective_from=begins)
    )


@router.post("/submit")
async def submit(document: str, sent: CuratorSent) -> Response:
    """Hand the newest version to somebody else's eyes."""
    catalogue = sent.visit.house.building.library.catalogue
    return await _step(sent, document, "submitted", lambda id, by, why: catalogue.submit(id, by=by, why=why))


@router.post("/reject")
async def reject(document: str, sent: CuratorSent) -> Response:
    """Send it back with a reason."""
    catalogue = sent.visit.house.building.library.catalogue
    return await _step(
        sent,
        document,
        "rejected",
        lambda id, by, why: catalogue.reject(id, by=by, why=why),
        reason="no_reason",
    )


@router.post("/retire")
async def retire(document: str, sent: CuratorSent) -> Response:
    """Take it out of every answer; publishing brings it back."""
    library = sent.visit.house.building.library
    return await _step(sent, document, "retired", lambda id, by, why: library.retire(id, by=by, why=why))


@router.post("/rollback")
async def rollback(document: str, sent: CuratorSent) -> Response:
    """Make an earlier version live again."""
    library, version = sent.visit.house.building.library, _version(sent)
    return await _step(
        sent,
        document,
        "rolled_back",
        lambda id, by, why: library.rollback(id, version, by=by, why=why),
        version=version,
    )


@router.post("/withdraw")
async def withdraw(document: str, sent: CuratorSent) -> Response:
    """Take back a version that was to count later."""
    library, version = sent.visit.house.building.library, _version(sent)
    return await _step(
        sent,
        document,
        "withdrawn",
        lambda id, by, why: library.withdraw(id, version, by=by, why=why),
        version=version,
    )


@router.post("/comment")
async def comment(document: str, sent: CuratorSent) -> Response:
    """Say something about the document; it stays in its history."""
    catalogue = sent.visit.house.building.library.catalogue
    return await _step(
        sent,
        document,
        "commented",
        lambda id, by, why: catalogue.comment(id, why, by=by),
        reason="no_comment",
    )


@router.post("/right")
async def still_right(document: str, sent: CuratorSent) -> Response:
    """Say that it holds although the text in the other language changed."""
    catalogue = sent.visit.house.building.library.catalogue
    return await _step(
        sent, document, "still_right", lambda id, by, why: catalogue.still_right(id, by=by, why=why)
    )


async def _step(
    sent: Sent, document: str, said: str, work: Work, *, reason: str = "", **detail: Any
) -> Response:
    """Take a step; `reason` names what is said where it needs one and none was given."""
    visit = sent.visit
    why = sent.text("why", most=LONGEST_WHY).strip()
    if reason and not any(letter.isalnum() for letter in why):
        return await sheet(visit, document, trouble=reason, status=422)
    try:
        await work(DocumentId(document), by_whom(visit), why)
    except UnknownDocument:
        raise
    except KnowledgeFault as fault:
        return await sheet(visit, document, trouble=fault.code, status=422)
    await visit.note(said, document, **detail)
    return redirect(f"/console/knowledge/{document}", said=said)


def _version(sent: Sent) -> int:
    wanted = sent.text("version", most=9)
    return int(wanted) if wanted.isdecimal() else 0


def _morning(visit: Visit, text: str) -> datetime | None:
    """Return when a day begins for the company, None for no day. Raises `WrongField`."""
    day = day_in(text)
    return None if day is None else datetime.combine(day, time(), tzinfo=ZoneInfo(visit.timezone))
