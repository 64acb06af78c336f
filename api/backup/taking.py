"""Taking a backup, beside a running server or without one: nothing is stopped, nobody waits.

```
audit line ─► both databases copied at one moment ─► files and keys ─► manifest with digests ─► FILE
```
The copies lie in the data folder meanwhile, under the same rights as what they are copies of.
"""

import fcntl
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import make_url

from api.backup import archive, sqlite
from api.backup.faults import BackupFault
from api.backup.manifest import Kept, Manifest
from api.backup.place import STAGED, TAKING, is_state
from api.settings import Settings

MAIN, ENGINE, FILES = "database/mayak.sqlite", "database/durable.sqlite", "files"
DERIVED = frozenset({"chroma"})
"""Built anew from the database."""
LOCK = "backup.lock"
Stage = Callable[[str, int, int], None]
"""What is being done, done, in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A backup that was written; `sha256` is of the file, to be kept elsewhere."""

    file: Path
    size: int
    sha256: str
    sealed: bool
    manifest: Manifest


def take(settings: Settings, target: Path, *, passphrase: str | None, tell: Stage) -> Taken:
    """Write a backup of this installation to `target`. Raises `BackupFault`, `OSError`, `sqlite3.Error`."""
    databases = paths_of(settings)
    if not databases[0].is_file():
        raise BackupFault(
            f"There is nothing to back up in {settings.data}.",
            remedy="Set MAYAK_DATA to the data folder of the installation.",
        )
    if target.exists() or target.is_symlink():
        raise BackupFault(
            f"{target} is there already.", remedy="Name a new file; a backup is never written over another."
        )
    with one_at_a_time(settings.data):
        _room(settings.data, databases)
        folder = Path(tempfile.mkdtemp(prefix=TAKING, dir=settings.data))
        try:
            manifest = _staged(settings, databases, folder, tell=tell)
            digest = archive.write(
                target,
                manifest,
                folder,
                passphrase=passphrase,
                tell=lambda done, total: tell("Writing", done, total),
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    size = target.stat().st_size
    return Taken(file=target, size=size, sha256=digest, sealed=passphrase is not None, manifest=manifest)


def paths_of(settings: Settings) -> tuple[Path, Path]:
    """Return the files of the house's database and of the engine's. Raises `BackupFault` for another server's."""
    found = []
    for url in (settings.database_url, settings.durable_url):
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            raise BackupFault(
                f"The database is a {parsed.get_backend_name()} server.",
                remedy="Back it up with its own means (pg_dump, base backups), and the data folder beside it.",
            )
        found.append(Path(parsed.database or ""))
    return found[0], found[1]


@contextmanager
def one_at_a_time(data: Path) -> Iterator[None]:
    """Let one backup or restore work in a data folder; what one that died left there is deleted."""
    with (data / LOCK).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupFault(
                f"Another backup or restore is at work in {data}.", remedy="Wait until it has ended."
            ) from None
        for left in (*data.glob(f"{TAKING}*"), *data.glob(f"{STAGED}*")):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _room(data: Path, databases: tuple[Path, Path]) -> None:
    needed = sum(path.stat().st_size for path in databases if path.is_file())
    free = shutil.disk_usage(data).free
    if free < needed:
        raise BackupFault(
            f"Only {free // 2**20} MiB are free under {data}; the copies of the databases take {needed // 2**20}.",
            remedy="Free some space there, then try again.",
        )


def _staged(settings: Settings, databases: tuple[Path, Path], folder: Path, *, tell: Stage) -> Manifest:
    (folder / FILES).mkdir()
    (folder / "database").mkdir()
    main, engine = databases
    pairs = [(engine, folder / ENGINE)] if engine.is_file() else []
    taken = datetime.now(UTC)
    sqlite.snapshot(
        [*pairs, (main, folder / MAIN)],
        tell=lambda done, total: tell("Copying the databases", done, total),
    )
    _copy_files(settings.data, folder / FILES, databases)
    tell("Counting rows", 0, 0)
    tables = sqlite.rows_of(folder / MAIN)
    if pairs:
        tables |= sqlite.rows_of(folder / ENGINE, prefix="engine.")
    files = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        size, digest = archive.hashed(path)
        files.append(Kept(path=path.relative_to(folder).as_posix(), size=size, sha256=digest))
    return Manifest(
        format=1,
        app=version("mayak"),
        taken=taken.isoformat(timespec="milliseconds"),
        kind="sqlite",
        head=sqlite.head_of(folder / MAIN),
        pack=furnished_with(settings),
        tables=tables,
        files=tuple(files),
    )


def furnished_with(settings: Settings) -> str:
    """Return the digest of the pack's bytes where they are what this folder was last furnished with, else nothing."""
    from api.serving import SEEN, fingerprint

    seen = settings.data / SEEN
    known = seen.read_text("ascii") if seen.exists() else ""
    same = known == fingerprint(settings.company, settings.database_url)
    return fingerprint(settings.company, "") if same else ""


def _copy_files(data: Path, target: Path, databases: tuple[Path, Path]) -> None:
    own = {f"{path.name}{tail}" for path in databases for tail in ("", "-wal", "-shm", "-journal")}
    for path in sorted(data.iterdir()):
        if not is_state(path.name) or path.name in own | DERIVED or path.suffix == ".log":
            continue
        for file in (path, *path.rglob("*")) if path.is_dir() else (path,):
            if file.is_file() and not file.is_symlink():
                _copy(file, target / file.relative_to(data))


def _copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copy2(file, target)
    except FileNotFoundError:
        # Deleted at this moment: it is not part of the state any more.
        target.unlink(missing_ok=True)
