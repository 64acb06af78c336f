"""The same act on many documents: asked once in words, done one by one, and taken back with one press.

list ─ documents, act ─► what would happen, to whom ─ yes ─► a line in the audit, done ─► undo reads that line
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Response

from api.console.keeping import by_whom
from api.console.page import PageRoute, redirect
from api.console.visit import CuratorMany, CuratorSent, Visit
from knowledge.errors import KnowledgeFault
from knowledge.library import Library
from knowledge.types import Document, DocumentId

router = APIRouter(prefix="/console/bulk", route_class=PageRoute)
ACTS = ("publish", "retire", "customer", "staff", "department")
AUDIT, UNDONE = "bulk", "bulk_undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What is to be done; `to` names the department where one is given."""

    name: str
    to: str = ""

    def touches(self, one: Document, *, newest: int) -> bool:
        """Say whether it would change a document whose newest text is version `newest`."""
        match self.name:
            case "publish":
                return newest > 0 and (one.status != "published" or newest > one.version)
            case "retire":
                return one.status == "published"
            case "department":
                return (one.department or "") != self.to
            case _:
                return one.audience != self.name


@router.post("")
async def bulk(sent: CuratorMany) -> Response:
    """Ask in words what is about to happen; with `sure` do it."""
    visit = sent.visit
    act = act_of(sent.text("act"), departments=[one.id for one in visit.house.building.pack.departments])
    wanted = set(sent.texts("document", most=200))
    back = sent.text("back")
    query = back if back.startswith("?") else ""
    if act is None or not wanted:
        return redirect(f"/console/knowledge{query}", said="nothing_chosen")
    chosen, newest = await _chosen(visit, wanted)
    touched = [one for one in chosen if act.touches(one, newest=newest[one.id])]
    if not sent.text("sure"):
        rest = [one for one in chosen if one not in touched]
        return visit.page(
            "bulk.html", act=act, touched=touched, rest=rest, back=query, to=_named(visit, act.to)
        )
    number = secrets.token_hex(8)
    # Written first: what a crash cuts short can be taken back as well.
    before = {one.id: _state(one, newest=newest[one.id]) for one in touched}
    await visit.note(AUDIT, number, done=act.name, to=act.to, before=before)
    failed = 0
    for one in touched:
        try:
            await _do(visit.house.building.library, act, one, by=by_whom(visit))
        except KnowledgeFault:
            failed += 1
    done = len(touched) - failed
    told = {"done": str(done), "failed": str(failed or ""), "undo": number if done else ""}
    return redirect(f"/console/knowledge{query}", said=f"bulk_{act.name}", **told)


@router.post("/undo")
async def undo(sent: CuratorSent) -> Response:
    """Put back what a bulk act of this person changed, where nobody has changed it again since."""
    visit, number = sent.visit, sent.text("undo", most=32)
    records = visit.house.building.records
    line = await records.audited(AUDIT, actor=visit.who.login, target=number)
    if line is None or await records.audited(UNDONE, actor=visit.who.login, target=number) is not None:
        return redirect("/console/knowledge", said="nothing_to_undo")
    await visit.note(UNDONE, number)
    library, act = visit.house.building.library, Act(name=line["done"], to=line["to"])
    back = 0
    for name, before in line["before"].items():
        try:
            back += await _undo(library, act, DocumentId(name), before, by=by_whom(visit))
        except KnowledgeFault:
            continue
    return redirect("/console/knowledge", said="undone", done=str(back))


def act_of(text: str, *, departments: Sequence[str]) -> Act | None:
    """Read an act from a form: `publish`, `department:returns`, `department:` for none. None for what is unknown."""
    name, _, to = text.partition(":")
    if name not in ACTS or (to and (name != "department" or to not in departments)):
        return None
    return Act(name=name, to=to)


async def _chosen(visit: Visit, wanted: set[str]) -> tuple[list[Document], dict[DocumentId, int]]:
    catalogue = visit.house.building.library.catalogue
    chosen = [one for one in await catalogue.documents() if one.id in wanted]
    newest: dict[DocumentId, int] = {}
    for one in chosen:
        history = await catalogue.history(one.id)
        newest[one.id] = history[0].version if history else 0
    return chosen, newest


async def _do(library: Library, act: Act, one: Document, *, by: str) -> None:
    if act.name == "publish":
        await library.publish(one.id, by=by)
    elif act.name == "retire":
        await library.retire(one.id, by=by)
    else:
        department = (act.to or None) if act.name == "department" else one.department
        audience = act.name if act.name in ("customer", "staff") else one.audience
        await _described(library, one, audience=audience, department=department, by=by)


async def _undo(library: Library, act: Act, name: DocumentId, before: Mapping[str, Any], *, by: str) -> bool:
    now = await library.catalogue.document(name)
    if act.name == "publish":
        if (now.status, now.version) != ("published", before["newest"]):
            return False
        if before["status"] == "published":
            await library.rollback(name, before["version"], by=by)
        else:
            await library.retire(name, by=by)
    elif act.name == "retire":
        if now.status != "retired":
            return False
        await library.publish(name, by=by, version=before["version"])
    else:
        await _described(library, now, audience=before["audience"], department=before["department"], by=by)
    return True


async def _described(
    library: Library, one: Document, *, audience: str, department: str | None, by: str
) -> None:
    await library.describe(
        one.id,
        audience=audience,
        department=department,
        valid_from=one.valid_from,
        valid_until=one.valid_until,
        by=by,
    )


def _state(one: Document, *, newest: int) -> dict[str, Any]:
    return {
        "status": one.status,
        "version": one.version,
        "newest": newest,
        "audience": one.audience,
        "department": one.department,
    }


def _named(visit: Visit, department: str) -> str:
    known = visit.house.building.pack.departments
    return next((one.name[visit.language] for one in known if one.id == department), "")
