"""Restoring: everything is read, checked, migrated and made to forget beside what stands there; then names change places.

```
FILE ─► .restoring-… ─► digests ─► migrations ─► erasures since ─► audit line ─► in place ─► vectors
         a fault up to here leaves the folder as it was          │ one step, finished also after a power cut
```
The caller owns the data folder, so no server runs there.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from api.backup import archive, place, sqlite
from api.backup.faults import BackupFault, Damaged, NotABackup
from api.backup.manifest import Manifest
from api.backup.taking import DERIVED, ENGINE, FILES, MAIN, Stage, one_at_a_time
from api.migrate import knows, migrate_or_say
from api.settings import Settings

if TYPE_CHECKING:
    from api.rights.forgotten import Ledger, Replayed

NAMES = {MAIN: "mayak.sqlite", ENGINE: "durable.sqlite"}
Ask = Callable[[], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was put in place. `aside` is where the former state is kept, None where there was none.

    `erased` were forgotten after the backup and are again; `kept` of them the shop still keeps; `ledger` whether
    anybody could tell. `indexed` is the number of passages, None where the vectors could not be built: `problem`.
    """

    manifest: Manifest
    aside: Path | None
    migrated: bool
    erased: int
    kept: int
    ledger: bool
    indexed: int | None
    problem: str = ""


def verify(source: Path, *, passphrase: Ask, folder: Path, tell: Stage) -> Manifest:
    """Check a backup to its last byte and row; nothing is left in `folder`. Raises `BackupFault`, `OSError`."""
    work = Path(tempfile.mkdtemp(prefix=place.STAGED, dir=folder))
    try:
        return _unpacked(source, work, passphrase=passphrase, tell=tell)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def restore(
    settings: Settings, source: Path, *, passphrase: Ask, over: bool, erasures: Path | None, tell: Stage
) -> Restored:
    """Put the state of a backup into the data folder; `over`: also where one stands, which is kept aside.

    Raises `BackupFault`, `BadLedger`, `OSError`: the folder is then as it was.
    """
    data = settings.data
    refuse_other_databases(settings)
    _refuse_occupied(data, over=over)
    with one_at_a_time(data):
        work = Path(tempfile.mkdtemp(prefix=place.STAGED, dir=data))
        try:
            manifest = _unpacked(source, work, passphrase=passphrase, tell=tell)
            _known(manifest)
            state = _laid_out(work)
            inside = replace(settings, data=state, database="", durable_database="")
            tell("Migrating", 0, 0)
            migrate_or_say(inside.database_url)
            migrated = sqlite_head(state) != manifest.head
            tell("Forgetting again", 0, 0)
            replayed, known = asyncio.run(_forgotten_again(settings, inside, manifest, erasures))
            _furnished(settings, state, manifest)
            aside = data / f"{place.ASIDE}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
            place.put(data, state, aside=aside)
            held = place.kept(aside)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    indexed, problem = vectors(settings, tell=tell)
    return Restored(
        manifest=manifest,
        aside=held,
        migrated=migrated,
        erased=replayed.erased,
        kept=replayed.kept,
        ledger=known,
        indexed=indexed,
        problem=problem,
    )


def put_back(settings: Settings, folder: Path, *, over: bool) -> Path | None:
    """Put a state that was kept aside back in place; return where the present one is kept. Raises `BackupFault`."""
    data = settings.data
    inside = folder.resolve().parent == data.resolve() and folder.name.startswith(place.ASIDE)
    if not inside or not (folder / NAMES[MAIN]).is_file():
        raise NotABackup(f"{folder} is no state that was kept aside in {data}")
    _refuse_occupied(data, over=over)
    with one_at_a_time(data):
        aside = data / f"{place.ASIDE}{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
        place.put(data, data / folder.name, aside=aside)
        return place.kept(aside)


def refuse_other_databases(settings: Settings) -> None:
    """Only the data folder's own databases are put in place by changing names."""
    if settings.database or settings.durable_database:
        raise BackupFault(
            "MAYAK_DATABASE or MAYAK_DURABLE_DATABASE names a database outside the data folder.",
            remedy="Unset both to restore into the data folder; a server's database is restored with its own means.",
        )


def _refuse_occupied(data: Path, *, over: bool) -> None:
    if not over and not place.is_empty(data):
        raise BackupFault(
            f"{data} holds an installation already.",
            remedy="Set MAYAK_DATA to an empty folder, or add --replace: what is there is then kept aside.",
        )


def _unpacked(source: Path, work: Path, *, passphrase: Ask, tell: Stage) -> Manifest:
    """Unpack into `work` and compare files and rows with the manifest."""

    def into(manifest: Manifest) -> Path:
        free = shutil.disk_usage(work).free
        if free < manifest.size:
            raise BackupFault(
                f"The backup takes {manifest.size // 2**20} MiB, and {free // 2**20} are free on the disk of {work.parent}.",
                remedy="Free some space there, or set MAYAK_DATA to a folder on another disk.",
            )
        return work

    manifest = archive.read(
        source, passphrase=passphrase, into=into, tell=lambda done, total: tell("Checking files", done, total)
    )
    if manifest.kind != "sqlite" or not (work / MAIN).is_file():
        raise NotABackup("it has no database of a data folder")
    tell("Counting rows", 0, 0)
    found = sqlite.rows_of(work / MAIN)
    if (work / ENGINE).is_file():
        found |= sqlite.rows_of(work / ENGINE, prefix="engine.")
    if found != manifest.tables:
        names = {*found, *manifest.tables}
        other = sorted(name for name in names if found.get(name) != manifest.tables.get(name))
        raise Damaged(f"rows differ from what was backed up in {', '.join(other[:5])}")
    return manifest


def _known(manifest: Manifest) -> None:
    if not knows(manifest.head):
        raise BackupFault(
            f"The backup is of a newer release ({manifest.app}, tables {manifest.head}) than this one ({version('mayak')}).",
            remedy=f"Install Mayak {manifest.app} or newer, then restore.",
        )


def sqlite_head(folder: Path) -> str:
    """Return the newest migration of a state."""
    return sqlite.head_of(folder / NAMES[MAIN])


def _laid_out(work: Path) -> Path:
    """Give every file its place in a data folder; return that folder."""
    state = work / "state"
    state.mkdir(mode=0o700)
    for path in sorted((work / FILES).iterdir()) if (work / FILES).is_dir() else ():
        if not place.is_state(path.name) or path.name in {*NAMES.values(), *DERIVED}:
            raise Damaged(f"it holds {path.name!r}, which no backup has")
        path.rename(state / path.name)
    for kept, name in NAMES.items():
        if (work / kept).is_file():
            (work / kept).rename(state / name)
    return state


async def _forgotten_again(
    settings: Settings, inside: Settings, manifest: Manifest, erasures: Path | None
) -> "tuple[Replayed, bool]":
    """Forget whom the present state, or a list, says were forgotten after the backup; then write the audit's line."""
    from agent.records.audit import SqlAudit
    from agent.records.chain import Entry
    from api.commands.library import me
    from api.rights.forgotten import Replayed, ledger_in, replay
    from api.rights.premises import open_premises

    taken = datetime.fromisoformat(manifest.taken)
    found = [ledger_in(erasures)] if erasures is not None else []
    if (present := await _present(settings)) is not None:
        found.append(present)
    erased = kept = 0
    async with open_premises(inside) as premises:
        for ledger in found:
            one = await replay(premises, ledger, since=taken)
            erased, kept = erased + one.erased, kept + one.kept
        told = {"taken": manifest.taken, "forgotten_again": erased}
        await SqlAudit(premises.engine, clock=premises.clock).write(
            Entry(act="backup.restore", actor=me(), detail=told)
        )
    return Replayed(erased=erased, kept=kept), bool(found)


async def _present(settings: Settings) -> "Ledger | None":
    """Return who was forgotten in the state that stands there, None where none stands."""
    from agent.records.engine import connect
    from api.identity import identity_secret
    from api.rights.forgotten import ledger_of

    if not (settings.data / NAMES[MAIN]).is_file():
        return None
    engine = connect(settings.database_url)
    try:
        return await ledger_of(engine, secret=identity_secret(settings), now=datetime.now(UTC))
    finally:
        await engine.dispose()


def _furnished(settings: Settings, state: Path, manifest: Manifest) -> None:
    """Say which pack the state was furnished with: else the next start would bring back the shop's forgotten customers."""
    from api.serving import SEEN, fingerprint

    seen = state / SEEN
    if manifest.pack and manifest.pack == fingerprint(settings.company, ""):
        seen.write_text(fingerprint(settings.company, settings.database_url), "ascii")


def vectors(settings: Settings, *, tell: Stage) -> tuple[int | None, str]:
    """Build the indexes anew; None and why where that cannot be done now, which costs answers and no data."""
    from api.container import open_library
    from api.faults import told

    async def work() -> int:
        async with open_library(settings) as library:
            return await library.reindex(
                progress=lambda done: tell("Building the vectors", done.done, done.total)
            )

    try:
        return asyncio.run(work()), ""
    except Exception as fault:
        if (words := told(fault)) is None:
            raise
        return None, " ".join(words)
