"""`mayak serve`: migrate, load what the pack brings, and answer."""

from typing import Annotated

import typer


def serve(
    ctx: typer.Context,
    workers: Annotated[int, typer.Option(help="Server processes; only 1 is supported now.")] = 1,
) -> None:
    """Start the server on this installation's data folder and print its addresses."""
    from api.serving import run

    if workers != 1:
        typer.secho("Error: several workers are not supported yet.", fg="red", err=True)
        typer.echo(
            "What to do: run one `mayak serve`; one process serves hundreds of conversations.", err=True
        )
        raise typer.Exit(2)
    run(ctx.obj.settings())
