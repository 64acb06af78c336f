"""`mayak restore FILE`: the state of a backup, put in place whole or not at all."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.commands.backup import Json, Passphrase, asking, counted
from api.commands.library import say
from api.commands.progress import stages

if TYPE_CHECKING:
    from api.backup.restoring import Restored
    from api.settings import Settings


def restore(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A backup, or a folder before-… of a former state.")
    ],
    replace: Annotated[
        bool, typer.Option("--replace", help="Also where an installation stands; it is kept aside.")
    ] = False,
    erasures: Annotated[
        Path | None,
        typer.Option(
            "--erasures", metavar="FILE", help="Who was forgotten since: from mayak customer forgotten."
        ),
    ] = None,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Check a backup, migrate it, forget again who was forgotten since, and put it into the data folder."""
    from api.backup.restoring import restore as restored
    from api.lock import owned

    settings = ctx.obj.settings()
    with owned(settings.data):
        if file.is_dir():
            _back(settings, file, over=replace, as_json=as_json)
            return
        with stages(quiet=as_json) as tell:
            done = restored(
                settings,
                file,
                passphrase=asking(passphrase_file),
                over=replace,
                erasures=erasures,
                tell=tell,
            )
    say(_told(done), "\n".join(_lines(done)), as_json)
    if done.indexed is None:
        raise typer.Exit(1)


def _back(settings: "Settings", folder: Path, *, over: bool, as_json: bool) -> None:
    from api.backup.restoring import put_back

    aside = put_back(settings, folder, over=over)
    text = f"The state of {folder.name} is back."
    if aside is not None:
        text += f" The one that stood here is kept in {aside}."
    say({"back": folder.name, "aside": aside}, text, as_json)


def _told(done: "Restored") -> dict[str, Any]:
    return {
        **counted(done.manifest),
        "digest_equal": True,
        "migrated": done.migrated,
        "erasures_known": done.ledger,
        "erased_again": done.erased,
        "kept_by_shop": done.kept,
        "passages": done.indexed,
        "problem": done.problem,
        "aside": done.aside,
        "counts": {name: one.rows for name, one in done.manifest.tables.items()},
    }


def _lines(done: "Restored") -> list[str]:
    told = counted(done.manifest)
    lines = [
        f"Restored as of {told['taken']}: {told['rows']} rows in {told['tables']} tables, {told['files']} files.",
        "digest-equal: yes",
    ]
    if done.migrated:
        lines.append(f"Its tables were of an older release ({done.manifest.head}) and are of this one now.")
    lines += _forgotten(done)
    if done.indexed is None:
        lines.append(f"The vectors are not built: {done.problem} Then run mayak knowledge reindex.")
    else:
        lines.append(f"Vectors built for {done.indexed} passages.")
    if done.aside is not None:
        lines.append(
            f"What stood here is kept in {done.aside}; mayak restore --replace {done.aside} puts it back. "
            "It holds personal data that no erasure reaches: delete it when you no longer need it."
        )
    return lines


def _forgotten(done: "Restored") -> list[str]:
    if not done.ledger:
        return [
            "Who was forgotten after the backup is not known here: give --erasures FILE from mayak customer forgotten."
        ]
    lines = [f"Forgotten after the backup, and again now: {done.erased}."]
    if done.kept:
        lines.append(
            f"{done.kept} of them the shop keeps, because orders were under way then: mayak customer erase ID --with-orders."
        )
    return lines
