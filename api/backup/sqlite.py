"""Both SQLite databases at one moment, beside a server that writes to them, and what tells two states of them apart.

```
read begins in the engine's file ─► read begins in ours ─► both copied page by page, as they were then
```
The engine's comes first. A step it does not know yet is done again, as after a crash, and every effect has its own key;
a step it knew of before our tables did would be taken for done and be lost.

Synchronous: call it in a thread.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from api.backup.faults import Damaged
from api.backup.manifest import Rows

BUSY_SECONDS = 30.0
BATCH = 1000
PAGES = 2048
"""Pages copied between two words of progress."""


def snapshot(pairs: Sequence[tuple[Path, Path]], *, tell: Callable[[int, int], None]) -> None:
    """Copy databases as they are at one moment: `(from, to)` of each, in the order in which their moments may differ.

    Nobody waits for it: writers go on, and what they write is not copied. Raises `sqlite3.Error`.
    """
    with ExitStack() as stack:
        held = [(stack.enter_context(_reading(source)), target) for source, target in pairs]
        for source, target in held:
            with closing(sqlite3.connect(target)) as copy:
                source.backup(copy, pages=PAGES, progress=lambda _, left, total: tell(total - left, total))


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold one moment of a database, for as long as the block takes."""
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        # Only the first read takes the moment.
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield connection


def rows_of(path: Path, *, prefix: str = "") -> dict[str, Rows]:
    """Return every table of a database file with its rows counted and a digest over all of them, by name.

    Raises `Damaged` for a file that SQLite cannot read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
            connection.text_factory = bytes
            return {f"{prefix}{name}": _rows(connection, name) for name in _tables(connection)}
    except sqlite3.DatabaseError as fault:
        raise Damaged(f"{path.name} is no database that can be read ({fault})") from fault


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    names: list[str] = [row[0].decode() for row in found]
    return [name for name in names if not name.startswith("sqlite_")]


def _rows(connection: sqlite3.Connection, table: str) -> Rows:
    """Digest rows in an order of their own, so that where they lie in the file tells nothing."""
    quoted = '"' + table.replace('"', '""') + '"'
    columns = [row[1].decode() for row in connection.execute(f"PRAGMA table_info({quoted})")]
    order = ", ".join(str(n + 1) for n in range(len(columns)))
    digest, count = hashlib.sha256(repr(columns).encode()), 0
    cursor = connection.execute(f"SELECT * FROM {quoted} ORDER BY {order}")
    while rows := cursor.fetchmany(BATCH):
        for row in rows:
            digest.update(repr(row).encode())
        count += len(rows)
    return Rows(rows=count, sha256=digest.hexdigest())


def head_of(path: Path) -> str:
    """Return the newest migration of a database file, empty where there is none."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
        there = connection.execute(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
        ).fetchone()
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone() if there else None
    return str(row[0]) if row else ""
