"""`mayak knowledge conflicts`: passages that contradict each other, with both quotes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.commands.library import Json, print_json, run

if TYPE_CHECKING:
    from knowledge.conflicts import Conflict
    from knowledge.library import Library


def conflicts(
    ctx: typer.Context,
    document: Annotated[
        str | None,
        typer.Argument(
            metavar="[DOCUMENT]", help="Check its newest text; without it, all that is published."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what documents say against each other: numbers, terms, dates, money, yes and no."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from knowledge.conflicts import conflicts_of
    from knowledge.types import DocumentId

    async def work(library: "Library") -> "tuple[Conflict, ...]":
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), disable=as_json) as bar:
            task = bar.add_task("Comparing", total=None)
            return await conflicts_of(
                library,
                DocumentId(document) if document else None,
                tell=lambda done, total: bar.update(task, completed=done, total=total),
            )

    found = run(ctx, work, as_json=as_json)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        _table(found)


def _table(found: "Sequence[Conflict]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from knowledge.types import title_of

    console = Console()
    if not found:
        console.print("No contradictions were found.", highlight=False)
        return
    table = Table("kind", "sure", "one says", "the other says", show_lines=True)
    for one in found:
        sides = (
            f"{escape(side.text)}\n[dim]{escape(side.passage.id)} · {escape(title_of(side.passage))}[/]"
            for side in (one.left, one.right)
        )
        table.add_row(one.kind, f"{one.confidence:.2f}", *sides)
    console.print(table)
