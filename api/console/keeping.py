"""What the knowledge pages do to documents in the name of who is signed in, each with a line in the audit."""

from collections.abc import Iterable
from typing import Any

from api.console.shelf import Details, Writing, name_for
from api.console.visit import Visit
from knowledge.types import DocumentId, Event, Version


def by_whom(visit: Visit) -> str:
    """Return how the history names this person."""
    return f"staff:{visit.who.login}"


def departments(visit: Visit) -> list[str]:
    """Return the ids of the company's departments."""
    return [one.id for one in visit.house.building.pack.departments]


def named_departments(visit: Visit) -> list[tuple[str, str]]:
    """Return the departments' ids with their names."""
    return [(one.id, one.name[visit.language]) for one in visit.house.building.pack.departments]


async def owners(visit: Visit, *, now: str | None = None) -> list[tuple[str, str]]:
    """Return the logins and names of people who may keep a document, by name; `now` is who does, in office or not."""
    people = [one for one in await visit.staff.people() if not one.disabled or one.login == now]
    known = sorted(((one.login, one.name) for one in people), key=lambda one: one[1].casefold())
    return known if not now or now in dict(known) else [*known, (now, now)]


async def free_name(visit: Visit, title: str, writing: Writing) -> DocumentId:
    """Return an id nobody has yet."""
    known = await visit.house.building.library.catalogue.documents()
    return name_for(title, language=writing.language, taken=[one.id for one in known])


async def save(visit: Visit, document: DocumentId, writing: Writing, **detail: Any) -> Version:
    """Save a draft."""
    saved = await visit.house.building.library.save_draft(
        document, writing.text, title=writing.title, language=writing.language, by=by_whom(visit)
    )
    await visit.note("draft", document, version=saved.version, **detail)
    return saved


async def describe(visit: Visit, document: DocumentId, details: Details) -> None:
    """Change for whom and when a document counts, and who keeps it."""
    library, by = visit.house.building.library, by_whom(visit)
    described = await library.describe(
        document,
        audience=details.audience,
        department=details.department,
        valid_from=details.valid_from,
        valid_until=details.valid_until,
        approved=details.approved,
        by=by,
    )
    if (described.owner or None) != details.owner:
        await library.catalogue.assign(document, owner=details.owner, by=by)
    told: dict[str, Any] = {
        name: str(value) for name in Details.__slots__ if (value := getattr(details, name))
    }
    await visit.note("describe", document, **told)


async def authors_of(visit: Visit, lines: Iterable[Version | Event]) -> dict[str, str]:
    """Return how to call whoever is named in a history: people by their names, the rest by what they are."""
    whom = {one.by for one in lines}
    names = await visit.staff.names(one.removeprefix("staff:") for one in whom)
    return {one: _called(visit, one, names) for one in whom}


def _called(visit: Visit, by: str, names: dict[str, str]) -> str:
    if by in ("import", "schedule"):
        return visit.say(f"document.by_{by}")
    if by.startswith("cli"):
        return visit.say("document.by_command")
    login = by.removeprefix("staff:")
    return names.get(login, login)
