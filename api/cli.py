"""`mayak`: the command line. Command groups come from the entry-point group `mayak.commands`.

Only typer is imported here; a command imports what it needs when it runs, so that `--help` is instant.
"""

import sys
from importlib.metadata import entry_points

import typer

from api.commands.context import Context

app = typer.Typer(
    name="mayak",
    help="Mayak: a self-hosted customer-service agent whose promises are checked by code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def root(ctx: typer.Context) -> None:
    """Settings come from MAYAK_… variables; `mayak doctor` checks them."""
    ctx.obj = ctx.obj or Context()


def load() -> typer.Typer:
    """Return the application with every registered command."""
    for point in sorted(entry_points(group="mayak.commands"), key=lambda p: p.name):
        found = point.load()
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=point.name)
        else:
            app.command(name=point.name)(found)
    return app


def main() -> None:
    """Run the command line; an expected fault ends with its remedy and exit code 1, never a trace."""
    try:
        load()()
    except Exception as fault:
        from api.faults import told

        if (words := told(fault)) is None:
            raise
        what, remedy = words
        typer.secho(f"Error: {what}", fg="red", err=True)
        if remedy:
            typer.echo(f"What to do: {remedy}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
