"""The import wizard: choose files and addresses, watch them being read, see what became of each; and the sources that
are imported again by themselves.

form ─► a job, beside the page ─► report ─► publish what waits
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from api.console.importing import Order, begin, job_name, new_number, set_aside
from api.console.jobs import jobs
from api.console.keeping import by_whom
from api.console.page import PageRoute, redirect
from api.console.visit import Curator, CuratorSent, Sent, Visit
from api.console.visit import sent as sent_by
from api.errors import Problem
from api.gate import IMPORT_BYTES
from knowledge.errors import Unreadable
from knowledge.imports.journal import Import, Journal
from knowledge.imports.report import Row
from knowledge.load import BUNDLES, FORMATS, Limits
from knowledge.sources.port import Schedule
from knowledge.sources.schedule import every_of
from knowledge.types import Document, DocumentId

router = APIRouter(prefix="/console/imports", route_class=PageRoute)

LIMITS = Limits()
MOST_FILES, MOST_ADDRESSES = 100, 20
MOST_BYTES = IMPORT_BYTES - 5 * 1024 * 1024
"""All files of one import: a little less than a body may have."""
LONGEST_ADDRESS = 500
SHOWN = 200
"""Documents of a report that are listed one by one."""
PERIODS = ("6h", "1d", "7d")
SAID = ("paused", "resumed", "removed", "restored")
CuratorFiles = Annotated[Sent, Depends(sent_by("curator", files=MOST_FILES))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A source in the list: `next` is when its time comes, None when it never does by itself; `report` the newest."""

    schedule: Schedule
    every: tuple[str, int]
    next: datetime | None
    report: str


@router.get("")
async def wizard(
    visit: Curator,
    said: Annotated[str, Query(max_length=16)] = "",
    source: Annotated[str, Query(max_length=LONGEST_ADDRESS)] = "",
    every: Annotated[str, Query(max_length=8)] = "",
    drafts: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Choose what to import; below, the sources and the latest imports."""
    undo = {"source": source, "every": every, "drafts": drafts} if said == "removed" and source else None
    return await _wizard(visit, said=said if said in SAID else "", undo=undo)


@router.post("")
async def start(sent: CuratorFiles) -> Response:
    """Set the files aside and begin; the page of the import tells the rest."""
    visit, number = sent.visit, new_number()
    lines = (line.strip() for line in sent.text("addresses", most=20_000).splitlines())
    addresses = tuple(dict.fromkeys(_address(line) for line in lines if line))
    files = [(one.filename or "", one.file) for one in sent.files("files")]
    trouble = _trouble(files, addresses)
    if trouble:
        return await _wizard(visit, trouble=trouble, typed=sent.text("addresses", most=20_000), status=422)
    order = Order(
        number=number,
        by=by_whom(visit),
        drafts=sent.text("put") != "answers",
        files=await set_aside(visit.house.building, number, files) if files else {},
        addresses=addresses,
        every=every_of(sent.text("every")) if sent.text("every") in PERIODS else None,
    )
    await begin(visit.request, visit.house.building, order)
    await visit.note("import", number, wanted=len(order.wanted), drafts=order.drafts)
    return redirect(f"/console/imports/{number}")


@router.post("/sources")
async def sources(sent: CuratorSent) -> Response:
    """Import a source now, let it rest, take it up again, forget it, or take that back."""
    visit, source, act = sent.visit, sent.text("source", most=LONGEST_ADDRESS), sent.text("act")
    notes = visit.house.building.library.notes
    known = {one.source: one for one in await notes.schedules()}.get(source)
    if act == "restore" and known is None:
        return await _restored(sent, source)
    if known is None:
        raise Problem(404, "404", "No such source")
    await visit.note(f"source_{act}"[:40], source[:200])
    match act:
        case "now":
            order = Order(
                number=new_number(), by=by_whom(visit), drafts=known.drafts, addresses=(known.source,)
            )
            await begin(visit.request, visit.house.building, order)
            return redirect(f"/console/imports/{order.number}")
        case "pause" | "resume":
            await notes.pause_schedule(source, paused=act == "pause")
            return redirect("/console/imports", said=f"{act}d")
        case "remove":
            await notes.drop_schedule(source)
            minutes = f"{int(known.every.total_seconds() // 60)}m"
            told = {"source": source, "every": minutes, "drafts": "1" if known.drafts else ""}
            return redirect("/console/imports", said="removed", **told)
        case _:
            raise Problem(422, "invalid", "No such act")


@router.get("/{number}")
async def report(number: str, visit: Curator) -> Response:
    """How far an import is; when it has ended, what became of each document."""
    job = jobs(visit.request).of(job_name(number))
    one = await Journal(visit.house.building.engine).one(number)
    if one is None:
        raise Problem(404, "404", "No such import")
    catalogue = visit.house.building.library.catalogue
    known = {row.id: row for row in await catalogue.documents()}
    edited = await catalogue.edited()
    names = await _names(visit, [one])
    return visit.page(
        "import_report.html",
        one=one,
        who=names[one.by],
        job=job if job is not None and not job.ended else None,
        fault=job.fault if job is not None else "",
        shown=_ordered(one.rows)[:SHOWN],
        documents=known,
        edited=edited,
        waiting=_waiting(one.rows, known, edited),
    )


@router.post("/{number}/stop")
async def stop(number: str, sent: CuratorSent) -> Response:
    """End an import early; what is in the library stays."""
    job = jobs(sent.visit.request).of(job_name(number))
    if job is not None and job.stop is not None and not job.ended:
        job.stop.ask()
        await sent.visit.note("import_stopped", number)
    return redirect(f"/console/imports/{number}")


async def _wizard(
    visit: Visit,
    *,
    said: str = "",
    trouble: str = "",
    typed: str = "",
    undo: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    building = visit.house.building
    last = await Journal(building.engine).last()
    planned = await building.library.notes.schedules()
    return visit.page(
        "import.html",
        status=status,
        said=said,
        trouble=trouble,
        typed=typed,
        undo=undo,
        lines=[_line(one, last, recrawls=building.settings.recrawl_minutes > 0) for one in planned],
        recrawls=building.settings.recrawl_minutes > 0,
        now=building.clock.now(),
        last=last,
        names=await _names(visit, last),
        periods=[(one, period_of(every_of(one))) for one in PERIODS],
        **upload_limits(),
    )


def upload_limits() -> dict[str, Any]:
    """Return what a form with files says of them."""
    return {
        "formats": sorted({*FORMATS, *BUNDLES}),
        "megabytes": LIMITS.size // 1_000_000,
        "most_bytes": LIMITS.size,
        "all_megabytes": MOST_BYTES // (1024 * 1024),
        "all_bytes": MOST_BYTES,
        "most_files": MOST_FILES,
        "most_addresses": MOST_ADDRESSES,
    }


def period_of(every: timedelta) -> tuple[str, int]:
    """Return a period as the largest unit it is a whole number of: `("days", 2)`."""
    minutes = int(every.total_seconds() // 60)
    for unit, size in (("days", 24 * 60), ("hours", 60)):
        if minutes % size == 0:
            return unit, minutes // size
    return "minutes", minutes


def _address(line: str) -> str:
    return line if "://" in line else f"https://{line}"


def _trouble(files: Sequence[tuple[str, object]], addresses: Sequence[str]) -> str:
    if not files and not addresses:
        return "nothing"
    if len(addresses) > MOST_ADDRESSES or any(len(one) > LONGEST_ADDRESS for one in addresses):
        return "addresses"
    return ""


def _line(one: Schedule, last: Sequence[Import], *, recrawls: bool) -> Line:
    again = one.last + one.every if one.last is not None else None
    report = next((each.number for each in last if each.wanted == (one.source,)), "")
    return Line(
        schedule=one,
        every=period_of(one.every),
        next=again if recrawls and not one.paused else None,
        report=report,
    )


def _ordered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows with what somebody must look at first: skipped, flagged, alike, read otherwise, the rest."""

    def weight(row: Row) -> int:
        signs = (row.result == "skipped", row.flags, row.alike, row.notes, row.result == "imported")
        return next((n for n, sign in enumerate(signs) if sign), len(signs))

    return sorted(rows, key=weight)


def _waiting(
    rows: Sequence[Row], known: Mapping[DocumentId, Document], edited: frozenset[DocumentId]
) -> list[DocumentId]:
    """Return the imported documents whose newest text is not in the answers yet."""
    own = [row.document for row in rows if row.document in known and row.result != "skipped"]
    return [id for id in own if id is not None and (known[id].status in ("draft", "review") or id in edited)]


async def _restored(sent: Sent, source: str) -> Response:
    try:
        every = every_of(sent.text("every", most=8))
    except Unreadable as wrong:
        raise Problem(422, "invalid", "No such period") from wrong
    notes = sent.visit.house.building.library.notes
    planned = Schedule(
        source=source,
        every=every,
        last=sent.visit.house.building.clock.now(),
        drafts=bool(sent.text("drafts")),
    )
    await notes.keep_schedule(planned)
    await sent.visit.note("source_restore", source[:200])
    return redirect("/console/imports", said="restored")


async def _names(visit: Visit, imports: Sequence[Import]) -> dict[str, str]:
    """Return how to call who imported."""
    known = await visit.staff.names(one.by.removeprefix("staff:") for one in imports)
    return {
        one.by: visit.say("imports.by_schedule")
        if one.by == "schedule"
        else known.get(one.by.removeprefix("staff:"), one.by.removeprefix("staff:"))
        for one in imports
    }
