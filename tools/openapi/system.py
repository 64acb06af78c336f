"""A system of the pack: its mapping joined with its document, and refused where the two do not fit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.openapi import mapping
from tools.openapi.changing import Changing, changing
from tools.openapi.document import Document, Operation
from tools.openapi.mapped import Mapped, check_reading, mapped, placed
from tools.openapi.mapping import Finding, Sought
from tools.outside.assignment import Unusable
from tools.outside.plugged import Plugged

MUST_TAKE: Mapping[str, frozenset[Sought]] = {
    "by_id": frozenset({"id"}),
    "by_login": frozenset({"login"}),
    "by_email": frozenset({"email"}),
    "by_phone": frozenset({"phone"}),
    "by_name": frozenset({"name"}),
}
"""What each way to find a customer sends at least; what else was sought is held against what comes back."""
CUSTOMER_FIELDS = frozenset(
    {
        *("id", "login", "name", "email", "phone", "language", "level_ru", "level_en", "points"),
        *("city", "postcode", "street"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finder:
    """One way to find a customer."""

    reading: Finding
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One system behind HTTP, as the pack describes it; `customers` are the ways to find one, by name."""

    name: str
    url: str
    mapping: mapping.Mapping
    tools: tuple[Mapped, ...]
    changes: tuple[Changing, ...]
    customers: Mapping[str, Finder]

    @property
    def plugged(self) -> tuple[Plugged, ...]:
        """All its tools."""
        return (*self.tools, *self.changes)


def system(
    name: str, described: mapping.Mapping, document: Document, *, currency: str, timezone: str
) -> System:
    """Return the system. Raises `Unusable` for the first thing that does not fit its document."""
    url = described.url or document.server
    if not url:
        raise Unusable(
            "nothing says where the system is",
            where=("url",),
            remedy="Write its address into `url`, or a whole one under `servers` of the document.",
        )
    tools = []
    for tool, assigned in described.tools.items():
        with placed("tools", tool):
            tools.append(
                mapped(
                    name,
                    tool,
                    assigned,
                    document,
                    seconds=described.seconds,
                    currency=currency,
                    timezone=timezone,
                )
            )
    changes = []
    for tool, change in described.changes.items():
        with placed("changes", tool):
            of = next((each for each in tools if each.definition.name == change.of), None)
            changes.append(
                changing(
                    name,
                    tool,
                    change,
                    document,
                    of=of,
                    seconds=described.seconds,
                    currency=currency,
                    timezone=timezone,
                )
            )
    return System(
        name=name,
        url=url,
        mapping=described,
        tools=tuple(tools),
        changes=tuple(changes),
        customers=dict(_finders(described, document)),
    )


def _finders(described: mapping.Mapping, document: Document) -> Iterator[tuple[str, Finder]]:
    if described.customers is None:
        return
    for name, must in MUST_TAKE.items():
        finding: Finding | None = getattr(described.customers, name)
        if finding is None:
            continue
        with placed("customers", name):
            operation = document.operation(finding.operation)
            check_reading(finding, operation)
            _check_finding(finding, operation, must)
            yield name, Finder(reading=finding, operation=operation)


def _check_finding(finding: Finding, operation: Operation, must: frozenset[Sought]) -> None:
    takes = operation.takes.schema
    for argument in (*finding.takes, *finding.fixed):
        if argument not in takes["properties"]:
            raise Unusable(
                f"the operation has no argument “{argument}”",
                where=("takes",),
                remedy=f"It has: {', '.join(sorted(takes['properties'])) or 'none'}.",
            )
    paged = {finding.pages.argument, finding.pages.size_argument} if finding.pages else set()
    for argument in takes["required"]:
        if argument not in {*finding.takes, *finding.fixed, *paged}:
            raise Unusable(
                f"“{argument}” is required by the system",
                where=("takes",),
                remedy="Fill it: put it under `takes` or `fixed`.",
            )
    if not must <= set(finding.takes.values()):
        raise Unusable(
            f"no argument takes what is sought: {', '.join(sorted(must))}",
            where=("takes",),
            remedy=f'Write takes = {{ <argument> = "{min(must)}" }}.',
        )
    unknown = sorted(finding.fields.keys() - CUSTOMER_FIELDS)
    if unknown or not {"id", *must} <= finding.fields.keys():
        raise Unusable(
            f"the fields of a customer are wrong: {', '.join(unknown) or 'some are absent'}",
            where=("fields",),
            remedy=f"There must be: {', '.join(sorted({'id', *must}))}; there may be: "
            f"{', '.join(sorted(CUSTOMER_FIELDS))}.",
        )
