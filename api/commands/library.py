"""What the verbs of `mayak knowledge` share: the library opened, faults told, answers printed."""

import asyncio
import getpass
import json
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, Protocol, TypeVar

import typer

if TYPE_CHECKING:
    from knowledge.library import Library
    from knowledge.types import DocumentId

T = TypeVar("T")
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DocumentName = Annotated[str, typer.Argument(metavar="DOCUMENT", help="A document's id, as `list` shows it.")]


class LibraryDoor(Protocol):
    """What a command is given in `ctx.obj`."""

    def library(self) -> AbstractAsyncContextManager["Library"]:
        """Open the library of this installation; it is closed at the end of the block."""
        ...


def run(ctx: typer.Context, work: Callable[["Library"], Awaitable[T]], *, as_json: bool) -> T:
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
        fail(*words, as_json)


def fail(message: str, remedy: str, as_json: bool) -> NoReturn:
    """Tell what went wrong and what to do, and end with 1."""
    if as_json:
        print_json({"error": message, "remedy": remedy})
    else:
        typer.secho(f"Error: {message}", fg="red", err=True)
        typer.echo(f"What to do: {remedy}", err=True)
    raise typer.Exit(1)


def say(data: Any, text: str, as_json: bool) -> None:
    """Print data as JSON, or the text."""
    if as_json:
        print_json(data)
    else:
        typer.echo(text)


def print_json(data: Any) -> None:
    """Print data as JSON; moments and paths become their texts."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))


def me() -> str:
    """Return who runs the command, for the history."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):
        # A container may run under a user id that has no name.
        return "cli"


def named(document: str) -> "DocumentId":
    """Return a document's id."""
    from knowledge.types import DocumentId

    return DocumentId(document)
