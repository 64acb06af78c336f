"""A restored state is put in place of the one that stands there: whole, or not at all, also when the power goes.

```
data/ ── mayak.lock (stays)   everything else ─► data/before-…/      then  data/.restoring-…/ ─► data/
restore.json says which of the two is under way; whoever takes the folder next finishes it first
```
Only names change, on one disk. What stood there keeps a folder of its own, and goes back the same way.
"""

import json
import os
from pathlib import Path

from api.backup.faults import BackupFault

MARK = "restore.json"
STAGED = ".restoring-"
TAKING = ".backing-up-"
ASIDE = "before-"
LOCKS = frozenset({"mayak.lock", "backup.lock"})


def is_state(name: str) -> bool:
    """Whether an entry of the data folder is part of the installation: no lock, nothing half made, nothing kept aside."""
    return name not in LOCKS and not name.startswith(MARK) and not name.startswith((STAGED, TAKING, ASIDE))


def is_empty(data: Path) -> bool:
    """Whether nothing of an installation is in the folder; logs that somebody writes there do not count."""
    return not any(is_state(path.name) and path.suffix != ".log" for path in data.glob("*"))


def put(data: Path, staged: Path, *, aside: Path) -> None:
    """Move what stands in `data` to `aside`, and what is in `staged` into `data`. The caller owns the folder."""
    if aside.exists():
        raise BackupFault(f"{aside} is there already.", remedy="Try again.")
    aside.mkdir(mode=0o700)
    old = sorted(path.name for path in data.iterdir() if is_state(path.name))
    _mark(
        data, {"staged": staged.relative_to(data).as_posix(), "aside": aside.name, "old": old, "new": False}
    )
    finish(data)


def kept(aside: Path) -> Path | None:
    """Return the folder of a former state; None, and no folder, where there was none."""
    if any(aside.iterdir()):
        return aside
    aside.rmdir()
    return None


def finish(data: Path) -> bool:
    """Go on where `put` was cut off; return whether it was. The caller owns the folder."""
    mark = data / MARK
    if not mark.exists():
        return False
    plan = json.loads(mark.read_text("utf-8"))
    staged, aside = data / plan["staged"], data / plan["aside"]
    if not plan["new"]:
        for name in plan["old"]:
            if (data / name).exists() or (data / name).is_symlink():
                (data / name).rename(aside / name)
        _mark(data, {**plan, "new": True})
    if staged.is_dir():
        for path in sorted(staged.iterdir()):
            path.rename(data / path.name)
        staged.rmdir()
    _sync(data)
    mark.unlink()
    _sync(data)
    return True


def _mark(data: Path, plan: dict[str, object]) -> None:
    fresh = data / f"{MARK}.new"
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(plan, file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(data / MARK)
    _sync(data)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
