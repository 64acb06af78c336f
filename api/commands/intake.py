"""`mayak knowledge import` and what belongs to it: where documents come from, again and again, and what to look at."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import Json, fail, print_json, run, say

if TYPE_CHECKING:
    from knowledge.imports.arrivals import Gone
    from knowledge.imports.report import ImportReport, Progress, Row
    from knowledge.library import Library
    from knowledge.sources.fetch import Fetcher
    from knowledge.sources.gate import Again
    from knowledge.sources.port import Notes, Schedule

Source = Annotated[
    str,
    typer.Argument(
        metavar="SOURCE",
        help="A file or folder (Markdown, HTML, DOCX, PDF, XLSX, CSV, JSONL, ZIP, text), a page, a sitemap, or a Git address.",
    ),
]
Ports = Annotated[
    list[int] | None, typer.Option("--allow-port", min=1, max=65535, help="A port besides 80 and 443.")
]
NOTES = {
    "encoding": "read as",
    "scan": "scan",
    "ocr": "recognised text",
    "picture": "picture",
    "macros": "macros",
    "columns": "columns",
    "hidden": "hidden",
    "sheet": "sheet",
}
FLAGS = {
    "instruction": "speaks to a model",
    "hidden_text": "hidden from readers",
    "hidden_instruction": "hidden, and speaks to a model",
    "invisible": "characters nobody sees",
}


def register(app: typer.Typer) -> None:
    """Give the group its verbs."""
    app.command("import")(import_)
    app.command()(recrawl)
    app.command()(flags)


def import_(
    ctx: typer.Context,
    source: Source,
    every: Annotated[
        str, typer.Option(metavar="PERIOD", help="Import it again so often: 30m, 6h, 2d; `never` stops that.")
    ] = "",
    prune: Annotated[
        bool, typer.Option("--prune", help="Retire what this source once brought and no longer has.")
    ] = False,
    allow_port: Ports = None,
    as_json: Json = False,
) -> None:
    """Import documents; what did not change is left alone, and a stopped import just goes on."""

    async def work(library: "Library") -> "tuple[ImportReport, list[Gone]]":
        from knowledge.sources.gate import import_from

        if every:
            await _planned(source, every, library.notes)
        with bar("Reading", quiet=as_json) as show:
            report = await import_from(
                source, library=library, notes=library.notes, fetcher=_fetcher(allow_port), progress=show
            )
        return report, await _gone(library, source, report, prune=prune)

    report, gone = run(ctx, work, as_json=as_json)
    if as_json:
        print_json({**asdict(report), "counts": report.counts, "gone": [asdict(one) for one in gone]})
    else:
        _table(report, gone)
    if not report.rows:
        fail("There is nothing to import.", "Give a folder with documents that can be read.", as_json)
    if report.counts["skipped"]:
        raise typer.Exit(1)


def recrawl(
    ctx: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="Also what is not due yet.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only show what is planned.")] = False,
    allow_port: Ports = None,
    as_json: Json = False,
) -> None:
    """Import again what is due (`import SOURCE --every 6h`); made to be called by a clock."""

    async def work(library: "Library") -> "tuple[Sequence[Schedule], Sequence[Again]]":
        from knowledge.sources.gate import recrawl

        notes = library.notes
        planned = await notes.schedules()
        if listed:
            return planned, []
        if all_:
            for one in planned:
                await notes.keep_schedule(replace(one, last=None))
        now = datetime.now(UTC)
        return planned, await recrawl(library=library, now=now, fetcher=_fetcher(allow_port))

    planned, done = run(ctx, work, as_json=as_json)
    if as_json:
        print_json({"planned": [asdict(one) for one in planned], "done": [asdict(one) for one in done]})
    else:
        _again(planned, done)
    if any(one.report.counts["skipped"] for one in done):
        raise typer.Exit(1)


def flags(ctx: typer.Context, as_json: Json = False) -> None:
    """List what a curator should look at in imported documents: hidden words, and words that speak to a model."""

    async def work(library: "Library") -> dict[str, list[dict[str, Any]]]:
        notes = library.notes
        return {
            str(document): [asdict(flag) for flag in await notes.flags(document)]
            for document in await notes.flagged()
        }

    found = run(ctx, work, as_json=as_json)
    lines = [
        f"{document}, {flag['where']}: {FLAGS[flag['kind']]}: “{flag['quote']}”"
        for document, rows in found.items()
        for flag in rows
    ]
    say(found, "\n".join(lines) or "Nothing was flagged.", as_json)


@contextmanager
def bar(title: str, *, quiet: bool) -> "Iterator[Callable[[Progress], None]]":
    """Show how far something is on the error stream."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(
        *columns, TextColumn("{task.fields[what]}"), console=Console(stderr=True), disable=quiet
    ) as shown:
        task = shown.add_task(title, total=None, what="")

        def show(step: "Progress") -> None:
            shown.update(task, completed=step.done, total=step.total, what=step.document)

        yield show


def _fetcher(ports: Sequence[int] | None) -> "Fetcher":
    from knowledge.sources.fetch import Fetcher, NetLimits

    return Fetcher(limits=NetLimits(ports=frozenset({80, 443, *(ports or ())})))


async def _planned(source: str, every: str, notes: "Notes") -> None:
    """Keep the schedule, or drop it."""
    from knowledge.sources.port import Schedule
    from knowledge.sources.schedule import every_of

    if every == "never":
        await notes.drop_schedule(source)
    else:
        await notes.keep_schedule(Schedule(source=source, every=every_of(every), last=datetime.now(UTC)))


async def _gone(library: "Library", source: str, report: "ImportReport", *, prune: bool) -> "list[Gone]":
    """Compare with what the source brought before; only whole sources are compared, never a single file."""
    from pathlib import Path

    from knowledge.sources.gate import is_address

    if not report.rows or not (is_address(source) or Path(source).is_dir()):
        return []
    documents = [row.document for row in report.rows if row.document is not None]
    paths = [row.path for row in report.rows]
    origin = source if is_address(source) else str(Path(source).resolve())
    return await library.gone(
        origin, documents=documents, paths=paths, prune=prune, why="gone from the source"
    )


def _table(report: "ImportReport", gone: "Sequence[Gone]") -> None:
    from rich.console import Console

    console = Console()
    for row in report.rows:
        for line in _lines(row):
            console.print(line, highlight=False, markup=False)
    for one in gone:
        what = (
            "retired" if one.retired else "edited here, left alone" if one.edited else "gone from the source"
        )
        console.print(f"{what}  {one.document}: {one.path}", highlight=False, markup=False)
    counts = ", ".join(f"{n} {name}" for name, n in report.counts.items())
    console.print(f"{counts}; {report.embedded} texts embedded in {report.seconds:.0f} s.", highlight=False)


def _lines(row: "Row") -> Iterator[str]:
    if row.result == "skipped":
        yield f"skipped  {row.path}: {row.reason} {row.remedy}"
    for note in row.notes:
        where = f", {note.where}" if note.where else ""
        yield f"note     {row.path}{where}: {NOTES[note.kind]}: {note.detail}"
    for flag in row.flags:
        yield f"look at  {row.path}, {flag.where}: {FLAGS[flag.kind]}: “{flag.quote}”"
    for other in row.alike:
        yield f"alike    {row.path}: almost the same as {other.document} ({other.share:.0%} in common)"


def _again(planned: "Sequence[Schedule]", done: "Sequence[Again]") -> None:
    if not done:
        for one in planned:
            last = f"{one.last:%Y-%m-%d %H:%M} UTC" if one.last else "never"
            paused = ", paused" if one.paused else ""
            typer.echo(f"{one.source}: every {one.every}, last tried {last}{paused}")
        typer.echo(
            "Nothing was due." if planned else "Nothing is planned. See `mayak knowledge import --help`."
        )
    for again in done:
        typer.echo(f"{again.source}:")
        _table(again.report, ())
