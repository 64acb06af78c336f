"""A tool that reads: its table in the mapping joined with its operation, and refused where the two do not fit."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import MappingProxyType

from tools.context import Language
from tools.openapi.document import Document, Operation
from tools.openapi.expression import reached, unknown_field
from tools.openapi.mapping import Reading, Tool
from tools.outside.assignment import Unusable
from tools.outside.definition import Definition
from tools.outside.plugged import Plugged, joined
from tools.outside.wording import check_places


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped(Plugged):
    """One tool over HTTP."""

    reading: Tool
    operation: Operation


def mapped(
    name: str,
    tool: str,
    assigned: Tool,
    document: Document,
    *,
    seconds: float,
    currency: str,
    timezone: str,
) -> Mapped:
    """Return one tool that reads. Raises `Unusable` when it does not fit its operation."""
    operation = document.operation(assigned.operation)
    _check_question(assigned, operation)
    check_reading(assigned, operation)
    _check_bound(assigned, operation)
    paged = {assigned.pages.argument, assigned.pages.size_argument} if assigned.pages else set()
    definition = definition_of(tool, operation, asks=assigned.asks, paged=paged)
    hidden = definition.schema["properties"].keys() - {*assigned.asks, *assigned.from_caller, *assigned.fixed}
    whole = assigned.model_copy(update={"hide": tuple(sorted(hidden)), "name": assigned.name or tool})
    plugged = joined(
        name,
        whole,
        definition,
        seconds=seconds,
        currency=currency,
        timezone=timezone,
        more=_texts(whole),
    )
    check_places(
        plugged.phrases,
        [f"tell.{whole.name}.{n}" for n in range(max(map(len, whole.tell.values())))],
        known=whole.fields,
        where=("tell",),
    )
    kept = {field.name: getattr(plugged, field.name) for field in fields(Plugged)}
    return Mapped(**kept, reading=whole, operation=operation)


def definition_of(
    tool: str, operation: Operation, *, asks: Iterable[str], paged: Collection[str] = ()
) -> Definition:
    """Return the operation as the definition of a tool; `paged` are arguments of nobody's choice. Raises `Unusable`."""
    takes = operation.takes.schema
    for argument in asks:
        if argument not in takes["properties"]:
            raise Unusable(
                f"the operation has no argument “{argument}”",
                where=("asks",),
                remedy=f"It has: {', '.join(sorted(takes['properties'])) or 'none'}.",
            )
        if any(each.name == argument and each.place == "header" for each in operation.parameters):
            raise Unusable(f"“{argument}” is a header", where=("asks",), remedy="Put it under `fixed`.")
    schema = {
        **takes,
        "properties": {name: each for name, each in takes["properties"].items() if name not in paged},
        "required": [argument for argument in takes["required"] if argument not in paged],
    }
    return Definition(name=tool, description=operation.summary, schema=schema)


def _check_question(tool: Tool, operation: Operation) -> None:
    if operation.method not in ("GET", "POST") or (operation.changes and not tool.changes_nothing):
        raise Unusable(
            f"a {operation.method} may change something",
            where=("operation",),
            remedy="Put it under [changes], or write changes_nothing = true if this POST only asks.",
        )


def _texts(tool: Tool) -> dict[Language, dict[str, object]]:
    more: dict[Language, dict[str, object]] = {}
    for language, lines in tool.tell.items():
        more[language] = {f"tell.{tool.name}.{n}": line for n, line in enumerate(lines)}
        if tool.empty:
            more[language][f"empty.{tool.name}"] = tool.empty[language]
    return more


def check_reading(
    reading: Reading, operation: Operation, *, more: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Hold every expression against the answer the document promises; `more` are further ones of a row, by place."""
    answers = operation.answers
    if answers is None or not set(answers.schema) - {"description"}:
        raise Unusable(
            f"the document does not say what “{operation.id}” answers",
            where=("operation",),
            remedy="Write the schema of its answer into the document: without it nothing could be checked.",
        )
    whole, inside = ("rows", reading.rows) if reading.rows else ("row", reading.row)
    outer = {whole: inside, "owner_of_answer": reading.owner_of_answer}
    if reading.pages:
        outer["next"] = reading.pages.next
    for place, expression in outer.items():
        known_field(unknown_field(expression, answers), place)
    row = reached(f"{inside}[]" if reading.rows else inside, answers)
    if reading.rows and row is not None:
        row = next((each["items"] for each in answers.resolved(row) if "items" in each), None)
    _check_pages(reading, operation)
    if row is None:
        return
    for place, expression in {"owner": reading.owner, **more}.items():
        known_field(unknown_field(expression, answers, row), place)
    for name, expression in reading.fields.items():
        known_field(unknown_field(expression, answers, row), "fields", name)


def _check_pages(reading: Reading, operation: Operation) -> None:
    if reading.pages:
        for argument in filter(None, (reading.pages.argument, reading.pages.size_argument)):
            if argument not in operation.takes.schema["properties"]:
                raise Unusable(
                    f"the operation has no argument “{argument}”",
                    where=("pages",),
                    remedy=f"It has: {', '.join(sorted(operation.takes.schema['properties'])) or 'none'}.",
                )


def known_field(missing: str, *where: str) -> None:
    """Raise `Unusable` when a field is missing."""
    if missing:
        raise Unusable(
            f"the answer has no field “{missing}”",
            where=where,
            remedy="Correct the expression, or add the field to the document's schema if the system does send it.",
        )


def _check_bound(tool: Tool, operation: Operation) -> None:
    """Personal data is proven by a field, or asked for by an address that names the customer; a filter may be ignored."""
    if tool.purpose is None or tool.owner or tool.owner_of_answer:
        return
    named = {argument for argument, source in tool.from_caller.items() if source == "customer"}
    if not any(each.place == "path" and each.name in named for each in operation.parameters):
        raise Unusable(
            "nothing in the answer proves whose it is",
            where=("from_caller",),
            remedy="Say with `owner` where the customer's id stands in a row, or with `owner_of_answer` where in the "
            "whole answer: a system may ignore a filter.",
        )


@contextmanager
def placed(*where: str) -> Iterator[None]:
    """Say of a fault in which table it is."""
    try:
        yield
    except Unusable as fault:
        raise Unusable(str(fault), where=(*where, *fault.where), remedy=fault.remedy) from fault
