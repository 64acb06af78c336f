"""`mayak bench`: figures of this machine, printed with its size."""

import asyncio
import json
from typing import Annotated

import typer

app = typer.Typer(help="Measure speed and size on this machine.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Figures are for comparing on one machine; they are never a test."""


@app.command()
def turn(
    ctx: typer.Context,
    n: Annotated[int, typer.Option("-n", min=1, max=2000, help="Questions to ask.")] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Start a real server on a fresh data folder, ask it questions, print latency, memory and start times."""
    from api.bench import bench_turn, table

    figures = asyncio.run(bench_turn(ctx.obj.settings(), questions=n))
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=2) if as_json else table(figures))
