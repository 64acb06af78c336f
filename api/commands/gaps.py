"""`mayak knowledge gaps`: what customers ask in vain; drafts for it, and the documents that close it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.library import Json, fail, me, named, print_json
from api.commands.progress import bar

if TYPE_CHECKING:
    from api.curation import Curation
    from knowledge.gaps import Gap

REASONS = {
    "not_sure": "not sure",
    "ungrounded": "no ground",
    "declined": "declined",
    "clarify": "asked back",
    "unsure": "unsure answer",
    "disliked": "thumbs down",
    "person_after": "then a person",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("gaps")(gaps)


def gaps(
    ctx: typer.Context,
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back to look.")] = 90,
    most: Annotated[int, typer.Option("-n", min=1, help="How many to show.")] = 20,
    draft: Annotated[str, typer.Option(metavar="GAP", help="Save a draft of staff's replies for it.")] = "",
    close: Annotated[str, typer.Option(metavar="GAP", help="Say that --document answers it.")] = "",
    document: Annotated[str, typer.Option(help="With --close: the published document.")] = "",
    reopen: Annotated[str, typer.Option(metavar="GAP", help="Forget its draft or document.")] = "",
    as_json: Json = False,
) -> None:
    """Show which questions end badly, grouped, the most harmful first; draft an answer, or close a gap."""
    if len([one for one in (draft, close, reopen) if one]) > 1:
        fail("Give one of --draft, --close and --reopen.", "Run the command once for each.", as_json)
    if bool(close) != bool(document):
        fail("--close and --document go together.", "Name the gap and the document that answers it.", as_json)

    async def work(curation: "Curation") -> Any:
        if reopen:
            await curation.book.reopened(reopen)
            return {"gap": reopen, "status": "open"}
        if draft:
            saved = await curation.draft(await curation.gap(draft, days=days), by=me())
            return {"gap": draft, "status": "drafted", "document": saved.document, "version": saved.version}
        if close:
            kept = await curation.close(await curation.gap(close, days=days), named(document), by=me())
            return {"gap": kept.id, "status": kept.status, "document": kept.document}
        with bar("Reading questions", quiet=as_json) as show:
            return await curation.gaps(days=days, tell=lambda done: show(done, 0))

    found = _run(ctx, work, as_json)
    if isinstance(found, dict):
        line = ", ".join(f"{name} {value}" for name, value in found.items())
        print_json(found) if as_json else typer.echo(line)
    elif as_json:
        print_json([asdict(one) for one in found[:most]])
    else:
        _show(found[:most], total=len(found))


def _run(ctx: typer.Context, work: "Callable[[Curation], Awaitable[Any]]", as_json: bool) -> Any:
    from api.faults import told

    async def opened() -> Any:
        from api.curation import Curation

        async with ctx.obj.building() as building:
            return await work(Curation(building))

    try:
        return asyncio.run(opened())
    except Exception as fault:
        if (words := told(fault)) is None:
            raise
        fail(*words, as_json)


def _show(found: "tuple[Gap, ...]", *, total: int) -> None:
    from rich.console import Console
    from rich.table import Column, Table

    if not found:
        typer.echo("Every question of these days ended well, or none was asked.")
        return
    table = Table(
        Column("gap", no_wrap=True), "status", "harm", "asked", "question", "why", "nearest document"
    )
    for gap in found:
        why = ", ".join(f"{REASONS.get(name, name)} {n}" for name, n in gap.reasons.items())
        near = f"{gap.near.document} ({gap.near.confidence:.2f})" if gap.near else ""
        if gap.effect is not None:
            why = f"since then asked {gap.effect.questions}, badly {gap.effect.troubles}"
            near = gap.document
        words = " ".join(gap.question.split())[:120]
        table.add_row(gap.id, gap.status, f"{gap.score:g}", str(gap.count), words, why, near)
    Console().print(table)
    if total > len(found):
        typer.echo(f"{total - len(found)} more; use -n.")
