"""What a backup says of itself: the first thing in it, compared with everything that follows. Pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

from api.backup.faults import Damaged, NotABackup

NAME = "manifest.json"
FORMAT = 1
MOST_BYTES = 64 * 2**20
Kind = Literal["sqlite", "postgresql"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """One file in the backup."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One table at the moment of the backup: how many rows, and a digest over all of them."""

    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`head` is the newest migration of the database; `pack` the digest of the company pack it was served with."""

    format: int
    app: str
    taken: str
    kind: Kind
    head: str
    pack: str
    tables: Mapping[str, Rows]
    files: tuple[Kept, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    def as_bytes(self) -> bytes:
        """Return it as it stands in the backup."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True).encode()


def manifest_of(data: bytes) -> Manifest:
    """Read a manifest. Raises `NotABackup`, `Damaged`."""
    try:
        told: dict[str, Any] = json.loads(data)
        version = told["format"]
    except (ValueError, KeyError, TypeError) as wrong:
        raise NotABackup("its manifest cannot be read") from wrong
    if version != FORMAT:
        raise NotABackup(f"its format is {version}, this release reads {FORMAT}")
    try:
        tables = {name: Rows(**row) for name, row in told.pop("tables").items()}
        files = tuple(Kept(**row) for row in told.pop("files"))
        found = Manifest(tables=tables, files=files, **told)
    except (KeyError, TypeError, AttributeError) as wrong:
        raise Damaged("its manifest lacks what it needs") from wrong
    if found.kind not in ("sqlite", "postgresql"):
        raise NotABackup(f"it is of a database “{found.kind}”")
    _refuse_paths(found)
    return found


def _refuse_paths(manifest: Manifest) -> None:
    """A name that leads out of the folder is never written, whoever made the backup."""
    seen: set[str] = set()
    for one in manifest.files:
        path = PurePosixPath(one.path)
        out = path.is_absolute() or ".." in path.parts or "\\" in one.path or "\0" in one.path
        if out or str(path) != one.path or not path.parts or one.path in seen or one.path == NAME:
            raise Damaged(f"it names a file that no backup has: {one.path!r}")
        if not isinstance(one.size, int) or one.size < 0:
            raise Damaged(f"it gives {one.path!r} no size")
        seen.add(one.path)
