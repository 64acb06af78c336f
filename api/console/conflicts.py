"""Documents that contradict each other: a check over all that is published, and what it found last."""

from collections.abc import Sequence

from fastapi import APIRouter, Response

from api.console.jobs import Tell, jobs
from api.console.page import PageRoute, redirect
from api.console.visit import Curator, CuratorSent, Visit
from knowledge.conflicts import Conflict, conflicts_of

router = APIRouter(prefix="/console/conflicts", route_class=PageRoute)
JOB = "conflicts"


@router.get("")
async def conflicts(visit: Curator) -> Response:
    """What contradicts what, both quotes side by side; how far the check is while it runs."""
    job = jobs(visit.request).of(JOB)
    found = known_conflicts(visit)
    titles = {one.id: one.title for one in await visit.house.building.library.catalogue.documents()}
    return visit.page("conflicts.html", job=job, found=found or (), checked=found is not None, titles=titles)


@router.post("")
async def check(sent: CuratorSent) -> Response:
    """Compare all that is published, beside the page."""
    library = sent.visit.house.building.library

    async def work(tell: Tell) -> Sequence[Conflict]:
        return await conflicts_of(library, tell=tell)

    jobs(sent.visit.request).start(JOB, work, by=sent.visit.who.login)
    return redirect("/console/conflicts")


def known_conflicts(visit: Visit) -> Sequence[Conflict] | None:
    """Return what the last check in this process found, None where none has ended."""
    job = jobs(visit.request).of(JOB)
    if job is None or job.result is None:
        return None
    found: Sequence[Conflict] = job.result
    return found


def contradicting(visit: Visit) -> frozenset[str]:
    """Return the documents of the last check's findings."""
    sides = ((one.left, one.right) for one in known_conflicts(visit) or ())
    return frozenset(str(side.passage.document) for pair in sides for side in pair)
