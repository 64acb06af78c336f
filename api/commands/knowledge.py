"""`mayak knowledge`: import, search and keep the company's documents."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands import approved, gaps, intake, life, preview
from api.commands.conflicts import conflicts
from api.commands.intake import bar
from api.commands.library import Json, fail, print_json, run, say
from knowledge.types import Query

if TYPE_CHECKING:
    from knowledge.library import Library
    from knowledge.shelves import Check
    from knowledge.types import Document, Retrieval

app = typer.Typer(
    name="knowledge", help="Import, search and keep the company's documents.", no_args_is_help=True
)


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
        fail(f"There is no language {language!r}.", "Use --lang ru or --lang en.", as_json)

    async def work(library: "Library") -> "Retrieval":
        return await library.search(
            Query(
                text,
                language="ru" if language == "ru" else "en" if language == "en" else None,
                k=k,
                audience="staff" if staff else "customer",
                # Whoever runs commands asks in their own name.
                may_leave=True,
            )
        )

    found = run(ctx, work, as_json=as_json)
    if as_json:
        print_json(asdict(found))
    else:
        _hits_table(found)


@app.command("list")
def list_(
    ctx: typer.Context,
    status: Annotated[str | None, typer.Option(help="draft, review, published or retired.")] = None,
    as_json: Json = False,
) -> None:
    """List the documents."""
    if status not in (None, "draft", "review", "published", "retired"):
        fail(f"There is no status {status!r}.", "Use draft, review, published or retired.", as_json)

    async def work(library: "Library") -> list["Document"]:
        return await library.catalogue.documents()

    documents = [one for one in run(ctx, work, as_json=as_json) if status in (None, one.status)]
    if as_json:
        print_json([asdict(document) for document in documents])
    else:
        _documents_table(documents)


@app.command()
def reindex(ctx: typer.Context, as_json: Json = False) -> None:
    """Build every index anew from the database; unchanged texts are not embedded again."""

    async def work(library: "Library") -> int:
        with bar("Embedding", quiet=as_json) as show:
            return await library.reindex(progress=show)

    count = run(ctx, work, as_json=as_json)
    say({"passages": count}, f"{count} passages are indexed.", as_json)


@app.command()
def check(
    ctx: typer.Context,
    repair: Annotated[bool, typer.Option("--repair", help="Put right what differs.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the indexes with the database; exit code 1 when they differ."""

    async def work(library: "Library") -> tuple["Check", "Check"]:
        found = await library.check()
        return found, (await library.repair() if repair else found)

    before, found = run(ctx, work, as_json=as_json)
    states = ", ".join(f"{n} {name}" for name, n in sorted(found.documents.items())) or "none"
    verdict = "The indexes agree with the database." if found.ok else "The indexes differ from the database."
    if repair and not before.ok:
        verdict = f"The indexes differed. {verdict}"
    text = f"Documents: {states}. Passages: {found.passages}. {verdict}"
    say({**asdict(found), "ok": found.ok, "was_ok": before.ok}, text, as_json)
    if not found.ok:
        remedy = "Run `mayak knowledge reindex`." if repair else "Run `mayak knowledge check --repair`."
        fail("The indexes differ from the database.", remedy, as_json)


approved.register(app)
intake.register(app)
life.register(app)
preview.register(app)
gaps.register(app)
app.command()(conflicts)


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
