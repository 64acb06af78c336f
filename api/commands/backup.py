"""`mayak backup FILE`, `mayak backup verify FILE`: the whole installation in one file, and whether such a file is whole."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from api.commands.library import me, say
from api.commands.progress import stages

if TYPE_CHECKING:
    from api.backup.manifest import Manifest
    from api.settings import Settings

WRITE = "write"


class FileOrVerb(TyperGroup):
    """`mayak backup FILE` is short for `mayak backup write FILE`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb in where there is none."""
        if args and args[0] not in self.commands and args[0] != "--help":
            args = [WRITE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FileOrVerb, help="Back up this installation: mayak backup FILE.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Passphrase = Annotated[
    Path | None,
    typer.Option("--passphrase-file", metavar="FILE", help="Read the passphrase from a file's first line."),
]


@app.command(WRITE)
def write(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; nothing may be there.")],
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Ask for a passphrase to seal it with.")] = False,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Write databases, files and keys of one moment into one file, beside a running server or without one."""
    import asyncio

    from api.backup.seal import passphrase_of
    from api.backup.taking import take

    settings = ctx.obj.settings()
    passphrase = passphrase_of(passphrase_file) if passphrase_file is not None else None
    if encrypt and passphrase is None:
        passphrase = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=True, err=True)
    asyncio.run(_written_down(settings))
    with stages(quiet=as_json) as tell:
        taken = take(settings, file, passphrase=passphrase, tell=tell)
    told = {
        "file": str(taken.file),
        "bytes": taken.size,
        "sha256": taken.sha256,
        "sealed": taken.sealed,
        **counted(taken.manifest),
    }
    lines = [
        f"{taken.file}: {taken.size / 2**20:.1f} MiB, {told['rows']} rows in {told['tables']} tables, {told['files']} files.",
        f"sha256 {taken.sha256}",
    ]
    if not taken.sealed:
        lines.append(
            "It holds keys and personal data in the clear: keep it where nobody else reads, or seal it with --encrypt."
        )
    say(told, "\n".join(lines), as_json)


@app.command()
def verify(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup.")],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Read a backup to its last byte and row and compare all with its manifest; exit code 1 when anything differs."""
    from api.backup.archive import hashed
    from api.backup.restoring import verify as verified

    settings = ctx.obj.settings()
    # Where the installation's own data may lie, its copy may for a moment; elsewhere only if there is no such place.
    folder = settings.data if settings.data.is_dir() else Path(tempfile.gettempdir())
    with stages(quiet=as_json) as tell:
        manifest = verified(file, passphrase=asking(passphrase_file), folder=folder, tell=tell)
    told = {"whole": True, "sha256": hashed(file)[1], **counted(manifest)}
    text = (
        f"Whole: taken {manifest.taken} by Mayak {manifest.app}, {told['rows']} rows in {told['tables']} tables, "
        f"{told['files']} files.\nsha256 {told['sha256']}"
    )
    say(told, text, as_json)


def asking(file: Path | None) -> Callable[[], str | None]:
    """Return what gives the passphrase when a backup turns out to be sealed: the file, or whoever sits there."""
    from api.backup.seal import passphrase_of

    def asked() -> str | None:
        if file is not None:
            return passphrase_of(file)
        given: str = typer.prompt("Passphrase", hide_input=True, err=True)
        return given

    return asked


def counted(manifest: "Manifest") -> dict[str, Any]:
    """Return what a manifest tells in figures."""
    return {
        "taken": manifest.taken,
        "app": manifest.app,
        "migration": manifest.head,
        "tables": len(manifest.tables),
        "rows": sum(one.rows for one in manifest.tables.values()),
        "files": len(manifest.files),
    }


async def _written_down(settings: "Settings") -> None:
    """Everything held of everybody is read: that is a line of the audit, before it happens and inside the backup."""
    from agent.records.audit import SqlAudit
    from agent.records.chain import Entry
    from agent.records.engine import connect
    from api.backup.faults import BackupFault
    from api.backup.sqlite import head_of
    from api.backup.taking import paths_of
    from api.container import SystemClock
    from api.migrate import knows

    main, _ = paths_of(settings)
    if not main.is_file():
        return
    if not knows(head_of(main)):
        raise BackupFault(
            "The database is of a newer release than this one.",
            remedy="Back it up with the release that runs there.",
        )
    engine = connect(settings.database_url)
    try:
        trail = SqlAudit(engine, clock=SystemClock())
        await trail.write(Entry(act="backup.take", actor=me(), detail={}))
    finally:
        await engine.dispose()
