"""Gaps: what customers ask and the documents do not answer, from the question to the document that answers it.

open ─ make a draft of staff's own words ─► drafted ─ publish, close ─► closed: how the question has ended since
"""

from datetime import datetime, timedelta

from fastapi import APIRouter, Response

from agent.records.savings import savings
from api.console.documents import new_sheet
from api.console.jobs import Tell, jobs
from api.console.keeping import by_whom
from api.console.page import PageRoute, redirect
from api.console.shelf import LONGEST_TITLE
from api.console.visit import Curator, CuratorSent, Visit
from api.curation import DAYS, Curation
from knowledge.errors import KnowledgeFault, UnknownDocument
from knowledge.gaps import Gap, answer_text
from knowledge.types import DocumentId

router = APIRouter(prefix="/console/gaps", route_class=PageRoute)
JOB = "gaps"
SPARED_DAYS = 30


@router.get("")
async def gaps(visit: Curator, trouble: str = "") -> Response:
    """The gaps, most harmful first; they are looked for beside the page."""
    known = jobs(visit.request)
    if known.of(JOB) is None:
        _look(visit)
    job = known.of(JOB)
    published = await visit.house.building.library.catalogue.documents(status="published")
    found: tuple[Gap, ...] = (job.result if job is not None else None) or ()
    await _read(visit, "gaps", *found)
    return visit.page(
        "gaps.html",
        job=job,
        waiting=[one for one in found if one.status != "closed"],
        closed=[one for one in found if one.status == "closed"],
        published=sorted(published, key=lambda one: (one.language != visit.language, one.title.casefold())),
        titles={one.id: one.title for one in await visit.house.building.library.catalogue.documents()},
        live={one.id for one in published},
        days=DAYS,
        spared=await savings(visit.house.building.engine, since=_since(visit)),
        spared_days=SPARED_DAYS,
        trouble=trouble if trouble in ("wrong_state", "unknown_document") else "",
    )


@router.post("")
async def again(sent: CuratorSent) -> Response:
    """Look again."""
    _look(sent.visit)
    return redirect("/console/gaps")


@router.post("/{gap}/draft")
async def draft(gap: str, sent: CuratorSent) -> Response:
    """Make a draft of what staff replied, and go to it."""
    visit, curation = sent.visit, Curation(sent.visit.house.building)
    try:
        saved = await curation.draft(await _gap(visit, gap), by=by_whom(visit))
    except KnowledgeFault as fault:
        return redirect("/console/gaps", trouble=fault.code)
    await visit.note("draft", saved.document, gap=gap)
    _look(visit)
    return redirect(f"/console/knowledge/{saved.document}", said="drafted")


@router.post("/{gap}/close")
async def close(gap: str, sent: CuratorSent) -> Response:
    """Say which published document answers it."""
    visit, document = sent.visit, DocumentId(sent.text("document", most=200))
    try:
        await Curation(visit.house.building).close(await _gap(visit, gap), document, by=by_whom(visit))
    except KnowledgeFault as fault:
        return redirect("/console/gaps", trouble=fault.code)
    await visit.note("gap_closed", gap, document=document)
    _look(visit)
    return redirect("/console/gaps")


@router.get("/{gap}/answer")
async def answer(gap: str, visit: Curator) -> Response:
    """A new document with the gap's questions as its heading, marked to be answered from without a model."""
    try:
        found = await _gap(visit, gap)
    except KnowledgeFault as fault:
        return redirect("/console/gaps", trouble=fault.code)
    await _read(visit, gap, found)
    text = answer_text(found, await Curation(visit.house.building).said(found))
    title = found.question[:LONGEST_TITLE]
    return await new_sheet(
        visit, typed={"title": title, "text": text, "language": found.language, "approved": "yes"}
    )


@router.post("/{gap}/reopen")
async def reopen(gap: str, sent: CuratorSent) -> Response:
    """Forget that somebody took it up."""
    visit = sent.visit
    try:
        await Curation(visit.house.building).book.reopened(gap)
    except KnowledgeFault as fault:
        return redirect("/console/gaps", trouble=fault.code)
    await visit.note("gap_reopened", gap)
    _look(visit)
    return redirect("/console/gaps")


async def _read(visit: Visit, target: str, *found: Gap) -> None:
    """Write down whose questions are about to be shown; they are masked, and theirs all the same."""
    members = [turn for gap in found for turn in gap.members]
    if shown := await Curation(visit.house.building).questions.asked_by(members):
        await visit.note("questions", target, shown=shown)


def _since(visit: Visit) -> datetime:
    return visit.house.building.clock.now() - timedelta(days=SPARED_DAYS)


def _look(visit: Visit) -> None:
    curation = Curation(visit.house.building)

    async def work(tell: Tell) -> tuple[Gap, ...]:
        return await curation.gaps()

    jobs(visit.request).start(JOB, work, by=visit.who.login, anew=True)


async def _gap(visit: Visit, name: str) -> Gap:
    """Return a gap as it was shown; a page of another process has it looked for again. Raises `UnknownDocument`."""
    job = jobs(visit.request).of(JOB)
    if job is None or job.result is None:
        return await Curation(visit.house.building).gap(name)
    found: tuple[Gap, ...] = job.result
    for one in found:
        if one.id == name:
            return one
    raise UnknownDocument(f"There is no gap {name!r}.", remedy="See `mayak knowledge gaps`.")
