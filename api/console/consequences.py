"""What publishing a draft would do to answers, and the decision with that in view.

start ─► a job asks every question twice ─► a change is kept ─► publish | do not ─► history, audit
"""

from fastapi import APIRouter, Response

from api.console.jobs import Tell, jobs
from api.console.keeping import by_whom
from api.console.page import PageRoute, redirect
from api.console.visit import Curator, CuratorSent, Visit
from api.curation import Curation
from knowledge.decisions import Change
from knowledge.errors import WrongState
from knowledge.preview import VERDICTS, Verdict
from knowledge.types import DocumentId

router = APIRouter(prefix="/console/knowledge/{document}/consequences", route_class=PageRoute)
LONGEST_WHY = 2_000


@router.get("")
async def consequences(document: str, visit: Curator) -> Response:
    """The newest change of a document, or how far the check is."""
    return await _page(visit, DocumentId(document))


@router.post("")
async def check(document: str, sent: CuratorSent) -> Response:
    """Ask all questions with and without the newest text, beside the page."""
    visit, id = sent.visit, DocumentId(document)
    await visit.house.building.library.catalogue.document(id)
    by = by_whom(visit)

    async def work(tell: Tell) -> Change:
        return await Curation(visit.house.building).preview(id, by=by, progress=tell)

    jobs(visit.request).start(_job(id), work, by=visit.who.login)
    return redirect(f"/console/knowledge/{id}/consequences")


@router.post("/publish")
async def publish(document: str, sent: CuratorSent) -> Response:
    """Publish with these consequences in view; answers that get worse must be accepted in words."""
    visit, id = sent.visit, DocumentId(document)
    curation = Curation(visit.house.building)
    number = await _number(curation, id, sent.text("change", most=12))
    accepting: frozenset[Verdict] = frozenset(("worse",)) if sent.text("accept_worse") else frozenset()
    why = sent.text("why", most=LONGEST_WHY)
    try:
        change = await curation.publish(number, by=by_whom(visit), accepting=accepting, why=why)
    except WrongState:
        return await _page(visit, id, trouble="must_accept", status=422)
    await visit.note("published", id, change=number, version=change.version, accepted=dict(change.accepted))
    return redirect(f"/console/knowledge/{id}", said="published")


@router.post("/drop")
async def drop(document: str, sent: CuratorSent) -> Response:
    """Decide against it; the draft stays."""
    visit, id = sent.visit, DocumentId(document)
    curation = Curation(visit.house.building)
    number = await _number(curation, id, sent.text("change", most=12))
    try:
        await curation.drop(number, by=by_whom(visit), why=sent.text("why", most=LONGEST_WHY))
    except WrongState:
        return await _page(visit, id, trouble="stale", status=422)
    await visit.note("dropped", id, change=number)
    return redirect(f"/console/knowledge/{id}", said="dropped")


async def _page(visit: Visit, id: DocumentId, *, trouble: str = "", status: int = 200) -> Response:
    job = jobs(visit.request).of(_job(id))
    catalogue = visit.house.building.library.catalogue
    found, history = await catalogue.document(id), await catalogue.history(id)
    known = await Curation(visit.house.building).decisions.of(id)
    change = known[0] if known else None
    newest = history[0].version if history else 0
    counts = found.version if found.status == "published" else 0
    if change is not None:
        # Questions of customers stand among those it was tried on, masked.
        await visit.note("consequences", id, change=change.id)
    names = await visit.staff.names([change.decided_by.removeprefix("staff:")] if change else [])
    return visit.page(
        "consequences.html",
        status=status,
        document=found,
        newest=newest,
        change=change,
        # What was decided is shown as it was; what waits must be about what counts and what would be published.
        stale=change is not None
        and change.state == "open"
        and (change.base, change.version) != (counts, newest),
        published=counts == newest,
        job=job,
        verdicts=VERDICTS,
        titles={one.id: one.title for one in await catalogue.documents()},
        decided_by=next(iter(names.values()), change.decided_by if change else ""),
        trouble="stale" if trouble and change is not None and change.state != "open" else trouble,
    )


async def _number(curation: Curation, id: DocumentId, text: str) -> int:
    """Return the number of a change of this very document. Raises `UnknownDocument`."""
    change = await curation.decisions.change(int(text) if text.isdecimal() else 0)
    # A number of another document's change would publish that one.
    return change.id if change.document == id else (await curation.decisions.change(0)).id


def _job(id: DocumentId) -> str:
    return f"consequences {id}"
