"""`mayak knowledge`, the life of a document: review, publish, go back, retire, and what happened to it."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import DocumentName, Json, fail, me, named, print_json, run, say

if TYPE_CHECKING:
    from knowledge.keeping.diff import Diff
    from knowledge.library import Library
    from knowledge.text.dates import Hint
    from knowledge.types import Document, Event, Version

Why = Annotated[str, typer.Option("--why", help="The reason; it stays in the history.")]
REASONS = {
    "from": "it names a first day",
    "until": "it names a last day",
    "between": "it names the first and the last day",
    "only": "it names a single day",
    "month": "it names a month",
    "period": "it names a period by the day of reading",
    "ask": "it ends with something that has no date here: ask for one",
    "ambiguous": "day and month can be swapped: ask which is meant",
}


def register(app: typer.Typer) -> None:
    """Give the group its verbs."""
    for verb in (submit, reject, publish, withdraw, rollback, retire, comment, history, diff, dates):
        app.command()(verb)
    app.command("still-right")(still_right)
    app.command("owner")(owner)


def submit(ctx: typer.Context, document: DocumentName, why: Why = "", as_json: Json = False) -> None:
    """Hand the newest version to review."""
    _change(ctx, as_json, lambda library: library.catalogue.submit(named(document), by=me(), why=why))


def reject(
    ctx: typer.Context,
    document: DocumentName,
    why: Annotated[str, typer.Option("--why", help="What is wrong with it.")],
    as_json: Json = False,
) -> None:
    """Send the newest version back from review."""
    _change(ctx, as_json, lambda library: library.catalogue.reject(named(document), by=me(), why=why))


def publish(
    ctx: typer.Context,
    document: DocumentName,
    begins: Annotated[
        str, typer.Option("--from", help="A day or moment (2026-12-01) from which it counts.")
    ] = "",
    ends: Annotated[str, typer.Option("--until", help="The last day (or the moment) it counts.")] = "",
    version: Annotated[int, typer.Option(min=0, help="A version; the newest by default.")] = 0,
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Make the newest version of a document live: at once, or from a day on, until which the live one stays."""
    first, last = _given(begins, as_json), _given(ends, as_json)

    async def work(library: "Library") -> "Document":
        zone = library.now().tzinfo
        return await library.publish(
            named(document),
            by=me(),
            why=why,
            version=version or None,
            effective_from=_moment(first, zone),
            # The last day counts whole.
            effective_until=_moment(last + timedelta(days=1) if type(last) is date else last, zone),
        )

    _change(ctx, as_json, work)


def withdraw(
    ctx: typer.Context,
    document: DocumentName,
    version: Annotated[int, typer.Argument(min=1, help="The version that was to count later.")],
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Take back a version that was published ahead of its day."""
    _change(ctx, as_json, lambda library: library.withdraw(named(document), version, by=me(), why=why))


def rollback(
    ctx: typer.Context,
    document: DocumentName,
    version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Make an earlier version of a document live again."""
    _change(ctx, as_json, lambda library: library.rollback(named(document), version, by=me(), why=why))


def retire(ctx: typer.Context, document: DocumentName, why: Why = "", as_json: Json = False) -> None:
    """Take a document out of every answer."""
    _change(ctx, as_json, lambda library: library.retire(named(document), by=me(), why=why))


def still_right(ctx: typer.Context, document: DocumentName, why: Why = "", as_json: Json = False) -> None:
    """Say that a document holds although its twin in the other language changed."""
    _change(ctx, as_json, lambda library: library.catalogue.still_right(named(document), by=me(), why=why))


def owner(
    ctx: typer.Context,
    document: DocumentName,
    who: Annotated[str, typer.Argument(help="Who keeps it true; leave out for nobody.")] = "",
    why: Why = "",
    as_json: Json = False,
) -> None:
    """Name who keeps a document true."""
    _change(
        ctx,
        as_json,
        lambda library: library.catalogue.assign(named(document), owner=who or None, by=me(), why=why),
    )


def comment(
    ctx: typer.Context,
    document: DocumentName,
    text: Annotated[str, typer.Argument(help="What there is to say.")],
    version: Annotated[int, typer.Option(min=0, help="The version it is about.")] = 0,
    as_json: Json = False,
) -> None:
    """Say something about a document; it stays in the history."""

    async def work(library: "Library") -> "Event":
        return await library.catalogue.comment(named(document), text, by=me(), version=version or None)

    event = run(ctx, work, as_json=as_json)
    say(asdict(event), f"{event.document}: noted.", as_json)


def history(ctx: typer.Context, document: DocumentName, as_json: Json = False) -> None:
    """Show who did what, when and why, and where each version stands."""

    async def work(library: "Library") -> tuple[list["Version"], list["Event"]]:
        name = named(document)
        return await library.catalogue.history(name), await library.catalogue.events(name)

    versions, events = run(ctx, work, as_json=as_json)
    if as_json:
        print_json({"versions": [asdict(one) for one in versions], "events": [asdict(one) for one in events]})
    else:
        _history_tables(versions, events)


def diff(
    ctx: typer.Context,
    document: DocumentName,
    old: Annotated[int, typer.Argument(min=0, help="A version; by default the one that counts.")] = 0,
    new: Annotated[int, typer.Argument(min=0, help="A version; by default the newest.")] = 0,
    as_json: Json = False,
) -> None:
    """Compare two versions of a document."""

    async def work(library: "Library") -> "Diff":
        return await library.catalogue.diff(named(document), old or None, new or None)

    found = run(ctx, work, as_json=as_json)
    text = found.unified or f"Versions {found.old} and {found.new} have the same text."
    say(asdict(found), text, as_json)


def dates(ctx: typer.Context, document: DocumentName, as_json: Json = False) -> None:
    """Show what in the newest text says from when until when it counts."""

    async def work(library: "Library") -> tuple["Hint", ...]:
        from knowledge.text.dates import hints

        newest = (await library.catalogue.history(named(document)))[0].version
        text = await library.catalogue.text(named(document), version=newest)
        return hints(text, today=library.now().date())

    found = run(ctx, work, as_json=as_json)
    told = [{**asdict(hint), "why": REASONS[hint.reason]} for hint in found]
    lines = [f"“{one['quote']}”: {_interval(one)} ({one['why']})" for one in told]
    say(told, "\n".join(lines) or "The text names no days from or until which it counts.", as_json)


def _interval(hint: dict[str, Any]) -> str:
    if hint["begins"] is None and hint["ends"] is None:
        return "?"
    return f"{hint['begins'] or ''} … {hint['ends'] or ''}".strip()


def _change(ctx: typer.Context, as_json: bool, work: Callable[["Library"], Awaitable["Document"]]) -> None:
    document = run(ctx, work, as_json=as_json)
    coming = (
        f"; the next one takes over on {document.next_from:%Y-%m-%d %H:%M %Z}" if document.next_from else ""
    )
    say(asdict(document), f"{document.id}: {document.status}, version {document.version}{coming}.", as_json)


def _given(text: str, as_json: bool) -> date | datetime | None:
    """Read 2026-12-01 as a day, 2026-12-01T09:00 as a moment, nothing as None."""
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        fail(f"{text!r} is not a date.", "Write it as 2026-12-01 or 2026-12-01T09:00.", as_json)


def _moment(given: date | datetime | None, zone: Any) -> datetime | None:
    if given is None:
        return None
    moment = given if isinstance(given, datetime) else datetime.combine(given, time())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone or UTC)


def _history_tables(versions: list["Version"], events: list["Event"]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    states = Table("version", "state", "counts from", "until", "saved by", "saved")
    for one in versions:
        begins, ends = (
            f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (one.effective_from, one.effective_until)
        )
        states.add_row(str(one.version), one.state, begins, ends, one.by, f"{one.at:%Y-%m-%d %H:%M}")
    console.print(states)
    acts = Table("when", "who", "what", "version", "why")
    for event in events:
        what = event.action.replace("_", " ")
        acts.add_row(f"{event.at:%Y-%m-%d %H:%M}", event.by, what, str(event.version or ""), event.why)
    console.print(acts)
