"""Files of the data folder that name somebody: doors kept open by `mayak ask`, and letters of a trial's outbox.

Synchronous: call it in a thread.
"""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path

VISITS, LETTERS = "visits", "outbox"
"""Folders inside the data folder."""


def forget_files(data: Path, *, conversations: Collection[str], contacts: Collection[str]) -> int:
    """Delete the files of these conversations and to these contacts; return how many."""
    gone = [data / VISITS / f"{Path(id).name}.json" for id in conversations]
    gone += [path for path in (data / LETTERS).glob("*.txt") if _to(path) in contacts]
    found = [path for path in gone if path.is_file()]
    for path in found:
        path.unlink(missing_ok=True)
    return len(found)


def old_files(data: Path, *, before: datetime, delete: bool) -> int:
    """Return how many files were last written before a moment; `delete`: they are gone."""
    found = [
        path
        for folder in (VISITS, LETTERS)
        for path in (data / folder).glob("*")
        if path.is_file() and path.stat().st_mtime < before.timestamp()
    ]
    for path in found if delete else ():
        path.unlink(missing_ok=True)
    return len(found)


def _to(letter: Path) -> str:
    first, _, _ = letter.read_text("utf-8", "replace").partition("\n")
    return first.removeprefix("To: ").strip()
