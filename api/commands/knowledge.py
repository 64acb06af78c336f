"""`mayak knowledge`: import, search and keep the company's documents."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol, TypeVar

import typer

if TYPE_CHECKING:
    from knowledge.ingest import ImportReport, Progress
    from knowledge.library import Library
    from knowledge.types import Document, Retrieval

T = TypeVar("T")
app = typer.Typer(
    name="knowledge", help="Import, search and keep the company's documents.", no_args_is_help=True
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DocumentName = Annotated[str, typer.Argument(metavar="DOCUMENT", help="A document's id, as `list` shows it.")]


class LibraryDoor(Protocol):
    """What a command is given in `ctx.obj`."""

    def library(self) -> AbstractAsyncContextManager["Library"]:
        """Open the library of this installation; it is closed at the end of the block."""
        ...


@app.command("import")
def import_(
    ctx: typer.Context,
    path: Annotated[Path, typer.Argument(help="A file or a folder: Markdown, HTML, DOCX, PDF, text.")],
    as_json: Json = False,
) -> None:
    """Import documents; what did not change is left alone, and a stopped import just goes on."""

    async def work(library: "Library") -> "ImportReport":
        with _bar("Reading", quiet=as_json) as show:
            return await library.import_path(path, progress=show)

    report = _run(ctx, work, as_json=as_json)
    if as_json:
        _print({**asdict(report), "counts": report.counts})
    else:
        _import_table(report)
    if not report.rows:
        _fail(
            "There is nothing to import.",
            "Give a folder with Markdown, HTML, DOCX, PDF or text files.",
            as_json,
        )
    if report.counts["skipped"]:
        raise typer.Exit(1)


@app.command()
def search(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="What a customer would ask.")],
    language: Annotated[str | None, typer.Option("--lang", help="Prefer passages in ru or en.")] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="How many passages.")] = 5,
    staff: Annotated[bool, typer.Option("--staff", help="Search what only staff may read, too.")] = False,
    as_json: Json = False,
) -> None:
    """Show which passages answer a question, with scores and confidence."""
    if language not in (None, "ru", "en"):
        _fail(f"There is no language {language!r}.", "Use --lang ru or --lang en.", as_json)

    async def work(library: "Library") -> "Retrieval":
        return await library.search(
            text,
            language="ru" if language == "ru" else "en" if language == "en" else None,
            k=k,
            audience="staff" if staff else "customer",
        )

    found = _run(ctx, work, as_json=as_json)
    if as_json:
        _print(asdict(found))
    else:
        _hits_table(found)


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="draft, published or retired.")] = None,
    as_json: Json = False,
) -> None:
    """List the documents."""
    if status not in (None, "draft", "published", "retired"):
        _fail(f"There is no status {status!r}.", "Use draft, published or retired.", as_json)

    async def work(library: "Library") -> list["Document"]:
        return await library.catalogue.documents()

    documents = [one for one in _run(ctx, work, as_json=as_json) if status in (None, one.status)]
    if as_json:
        _print([asdict(document) for document in documents])
    else:
        _documents_table(documents)


@app.command()
def reindex(ctx: typer.Context, as_json: Json = False) -> None:
    """Build every index anew from the database; unchanged texts are not embedded again."""

    async def work(library: "Library") -> int:
        with _bar("Embedding", quiet=as_json) as show:
            return await library.reindex(progress=show)

    count = _run(ctx, work, as_json=as_json)
    _say({"passages": count}, f"{count} passages are indexed.", as_json)


@app.command()
def check(ctx: typer.Context, as_json: Json = False) -> None:
    """Compare the indexes with the database; exit code 1 when they differ."""
    found = _run(ctx, lambda library: library.check(), as_json=as_json)
    states = ", ".join(f"{n} {name}" for name, n in sorted(found.documents.items())) or "none"
    verdict = "The indexes agree with the database." if found.ok else "The indexes differ from the database."
    text = f"Documents: {states}. Passages: {found.passages}. {verdict}"
    _say({**asdict(found), "ok": found.ok}, text, as_json)
    if not found.ok:
        _fail("The indexes differ from the database.", "Run `mayak knowledge reindex`.", as_json)


@app.command()
def publish(ctx: typer.Context, document: DocumentName, as_json: Json = False) -> None:
    """Make the newest version of a document live."""
    _change(ctx, as_json, lambda library: library.publish(_id(document), by=_me()))


@app.command()
def retire(ctx: typer.Context, document: DocumentName, as_json: Json = False) -> None:
    """Take a document out of every answer."""
    _change(ctx, as_json, lambda library: library.retire(_id(document), by=_me()))


@app.command()
def rollback(
    ctx: typer.Context,
    document: DocumentName,
    version: Annotated[int, typer.Argument(min=1, help="The version to go back to.")],
    as_json: Json = False,
) -> None:
    """Make an earlier version of a document live again."""
    _change(ctx, as_json, lambda library: library.rollback(_id(document), version, by=_me()))


def _change(ctx: typer.Context, as_json: bool, work: Callable[["Library"], Awaitable["Document"]]) -> None:
    document = _run(ctx, work, as_json=as_json)
    _say(asdict(document), f"{document.id}: {document.status}, version {document.version}.", as_json)


def _run(ctx: typer.Context, work: Callable[["Library"], Awaitable[T]], *, as_json: bool) -> T:
    """Run with the library open; an expected fault becomes message, remedy and exit code 1."""
    from api.faults import told

    door: LibraryDoor = ctx.obj

    async def opened() -> T:
        async with door.library() as library:
            return await work(library)

    try:
        return asyncio.run(opened())
    except Exception as fault:
        if (words := told(fault)) is None:
            raise
        _fail(*words, as_json)


def _fail(message: str, remedy: str, as_json: bool) -> NoReturn:
    if as_json:
        _print({"error": message, "remedy": remedy})
    else:
        typer.secho(f"Error: {message}", fg="red", err=True)
        typer.echo(f"What to do: {remedy}", err=True)
    raise typer.Exit(1)


def _say(data: Any, text: str, as_json: bool) -> None:
    if as_json:
        _print(data)
    else:
        typer.echo(text)


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def _me() -> str:
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        # A container may run under a user id that has no name.
        return "cli"


def _id(document: str) -> Any:
    from knowledge.types import DocumentId

    return DocumentId(document)


@contextmanager
def _bar(title: str, *, quiet: bool) -> Iterator[Callable[["Progress"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, TextColumn("{task.fields[what]}"), console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task(title, total=None, what="")

        def show(step: "Progress") -> None:
            bar.update(task, completed=step.done, total=step.total, what=step.document)

        yield show


def _import_table(report: "ImportReport") -> None:
    from rich.console import Console

    console = Console()
    for row in report.rows:
        if row.result == "skipped":
            console.print(f"[yellow]skipped[/]  {row.path}: {row.reason} {row.remedy}", highlight=False)
    counts = ", ".join(f"{n} {name}" for name, n in report.counts.items())
    console.print(f"{counts}; {report.embedded} texts embedded in {report.seconds:.0f} s.", highlight=False)


def _hits_table(found: "Retrieval") -> None:
    from rich.console import Console
    from rich.table import Table

    from knowledge.types import title_of

    console = Console()
    if found.understood != " ".join(found.query.split()):
        console.print(f"Read as: {found.understood}", highlight=False)
    if not found.hits:
        console.print(
            "Nothing was found. Import documents with `mayak knowledge import PATH`.", highlight=False
        )
        return
    table = Table("score", "passage", "heading", "text", show_lines=True)
    for hit in found.hits:
        text = hit.passage.text if len(hit.passage.text) <= 240 else f"{hit.passage.text[:240]}…"
        table.add_row(f"{hit.score:.2f}", hit.passage.id, title_of(hit.passage), text)
    console.print(table)
    console.print(f"Confidence {found.confidence:.2f}, {found.ms:.0f} ms.", highlight=False)


def _documents_table(documents: list["Document"]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "title", "lang", "status", "version", "valid", "for")
    for document in documents:
        dates = f"{document.valid_from or ''} … {document.valid_until or ''}"
        valid = dates if document.valid_from or document.valid_until else ""
        table.add_row(
            document.id,
            document.title,
            document.language,
            document.status,
            str(document.version),
            valid,
            document.audience,
        )
    Console().print(table)
