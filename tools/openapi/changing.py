"""A tool that writes: its table in the mapping joined with its operation, and refused where the two do not fit."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from tools.openapi.document import Document, Operation
from tools.openapi.expression import reached, unknown_field
from tools.openapi.mapped import Mapped, check_reading, definition_of, known_field, placed
from tools.openapi.mapping import Change, Look
from tools.outside.assignment import Unusable
from tools.outside.plugged import Plugged, joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Where to look whether a write has happened."""

    reading: Look
    operation: Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing(Plugged):
    """One write over HTTP; `of` reads what it changes, `looking` is where a lost answer is looked for."""

    change: Change
    operation: Operation
    of: Mapped | None
    looking: Looking | None


def changing(
    name: str,
    tool: str,
    change: Change,
    document: Document,
    *,
    of: Mapped | None,
    seconds: float,
    currency: str,
    timezone: str,
) -> Changing:
    """Return one tool that writes. Raises `Unusable` when it does not fit its operation."""
    operation = document.operation(change.operation)
    if not operation.changes:
        raise Unusable("a GET changes nothing", where=("operation",), remedy="Put it under [tools].")
    looking = _looking(change, document)
    _check_arguments(change, operation)
    _check_thing(change, operation, of)
    _check_told(change, operation, of)
    definition = definition_of(tool, operation, asks=change.asks)
    house = {change.mark} - set(change.asks) if change.mark else set()
    filled = {*change.asks, *change.from_caller, *change.fixed, change.idempotency, *house}
    # What the house marks is required of nobody else.
    open_ = [argument for argument in definition.schema["required"] if argument not in house]
    definition = type(definition)(
        name=definition.name,
        description=definition.description,
        schema={**definition.schema, "required": open_},
    )
    hidden = definition.schema["properties"].keys() - (filled - house)
    whole = change.model_copy(update={"hide": tuple(sorted(hidden)), "name": change.name or tool})
    plugged = joined(
        name,
        whole,
        definition,
        seconds=seconds,
        currency=currency,
        timezone=timezone,
        shown=frozenset(of.reading.fields) if of else frozenset(),
        told=frozenset(change.fields),
    )
    kept = {field.name: getattr(plugged, field.name) for field in fields(Plugged)}
    return Changing(**kept, change=whole, operation=operation, of=of, looking=looking)


def _check_arguments(change: Change, operation: Operation) -> None:
    takes = operation.takes.schema["properties"]
    for place, argument in (("mark", change.mark), ("idempotency", change.idempotency)):
        if argument and argument not in takes:
            raise Unusable(
                f"the operation has no argument “{argument}”",
                where=(place,),
                remedy=f"It has: {', '.join(sorted(takes))}.",
            )
    if change.mark and change.mark in {*change.from_caller, *change.fixed, change.idempotency}:
        raise Unusable(f"“{change.mark}” is filled already", where=("mark",), remedy="Mark another argument.")


def _check_thing(change: Change, operation: Operation, of: Mapped | None) -> None:
    """What a model names by an argument of the path is somebody's: it is read first, and whose it is proven."""
    named = [each.name for each in operation.parameters if each.place == "path" and each.name in change.asks]
    if change.of and of is None:
        raise Unusable(f"there is no tool “{change.of}” here", where=("of",), remedy="Name one of [tools].")
    if of is None:
        if named:
            raise Unusable(
                f"nothing proves whose “{named[0]}” is",
                where=("operation",),
                remedy='Name the tool that reads it: of = "<tool>", with the same arguments.',
            )
        return
    if of.reading.rows or of.rule.scope is None:
        raise Unusable(
            f"“{change.of}” is not about one thing of the customer's",
            where=("of",),
            remedy="Name a tool with a purpose and without `rows`.",
        )
    lacking = sorted(set(of.kinds) - set(change.asks))
    if lacking:
        raise Unusable(
            f"“{change.of}” needs “{lacking[0]}”, which this change does not ask for",
            where=("of",),
            remedy="Both ask for the same arguments.",
        )


def _check_told(change: Change, operation: Operation, of: Mapped | None) -> None:
    known = {*change.asks, *(of.reading.fields if of else ())}
    twice = sorted((change.fields.keys() & known) | (set(change.asks) & set(of.reading.fields if of else ())))
    # The very thing that is named may be read back under its own name.
    twice = [name for name in twice if name in change.fields or name not in (of.kinds if of else ())]
    if twice:
        raise Unusable(
            f"“{twice[0]}” would mean two things in one sentence",
            where=("fields",),
            remedy="Give the field another name than the argument's.",
        )
    for field in change.became:
        if of is not None and field not in of.reading.fields:
            raise Unusable(
                f"“{field}” is none of the fields of “{change.of}”",
                where=("became",),
                remedy=f"There are: {', '.join(sorted(of.reading.fields))}.",
            )
    if not change.fields:
        return
    answers = operation.answers
    if answers is None:
        raise Unusable(
            f"the document does not say what “{operation.id}” answers",
            where=("fields",),
            remedy="Leave `fields` out, or write the schema of its answer into the document.",
        )
    known_field(unknown_field(change.row, answers), "row")
    row = reached(change.row, answers)
    for field, expression in change.fields.items():
        if row is not None:
            known_field(unknown_field(expression, answers, row), "fields", field)


def _looking(change: Change, document: Document) -> Looking | None:
    if change.look is None:
        return None
    with placed("look"):
        operation = document.operation(change.look.operation)
        if operation.changes:
            raise Unusable("a look changes nothing", where=("operation",), remedy="Choose a GET.")
        check_reading(change.look, operation, more={"mark": change.look.mark})
        if change.fields.keys() - change.look.fields.keys():
            raise Unusable(
                "what the answer tells is not told of a found row",
                where=("fields",),
                remedy=f"Give the same fields: {', '.join(sorted(change.fields))}.",
            )
        _check_look(change.look, operation)
        return Looking(reading=change.look, operation=operation)


def _check_look(look: Look, operation: Operation) -> None:
    takes: Mapping[str, object] = operation.takes.schema["properties"]
    given = {*look.from_caller, *look.fixed}
    paged = {look.pages.argument, look.pages.size_argument} if look.pages else set()
    for argument in sorted(given - takes.keys()):
        raise Unusable(
            f"the operation has no argument “{argument}”",
            where=("from_caller",),
            remedy=f"It has: {', '.join(sorted(takes)) or 'none'}.",
        )
    for argument in operation.takes.schema["required"]:
        if argument not in given | paged:
            raise Unusable(
                f"“{argument}” is required by the system",
                where=("fixed",),
                remedy="Put it under `fixed` or `from_caller`.",
            )
    if not (look.owner or look.owner_of_answer):
        raise Unusable(
            "nothing in the answer proves whose it is",
            where=("owner",),
            remedy="Say with `owner` where the customer's id stands in a row.",
        )
