"""One process owns an embedded data folder; the others reach it through its door or refuse."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from api.backup.place import finish

NAME = "mayak.lock"


class FolderTaken(Exception):
    """Another process owns the data folder; `remedy` says how to get at it."""

    def __init__(self, data: Path, *, pid: int, address: str) -> None:
        super().__init__(f"Another Mayak process ({pid}) owns the data folder {data}.")
        self.remedy = (
            f"Use that one at {address}, stop it, or give this one its own folder with MAYAK_DATA."
            if address
            else "Wait until it is done, stop it, or give this one its own folder with MAYAK_DATA."
        )


@contextmanager
def owned(data: Path, *, address: str = "") -> Iterator[None]:
    """Own the data folder while the block runs; `address` is where its door is, empty for a command.

    The kernel frees the lock when the process ends in whatever way, so a crash leaves nothing to clean up.
    Raises `FolderTaken`.
    """
    data.mkdir(parents=True, exist_ok=True)
    with (data / NAME).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, known = _read(data)
            raise FolderTaken(data, pid=pid, address=known) from None
        _write(file.fileno(), {"pid": os.getpid(), "address": address})
        try:
            # A restore that was cut off is finished before anybody reads half of it.
            finish(data)
            yield
        finally:
            _write(file.fileno(), {})


def owner_of(data: Path) -> str | None:
    """Return the address of the server that owns the folder; None when nobody does.

    Raises `FolderTaken` when a process without a door owns it.
    """
    path = data / NAME
    if not path.exists():
        return None
    with path.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, address = _read(data)
            if not address:
                raise FolderTaken(data, pid=pid, address="") from None
            return address
    return None


def _read(data: Path) -> tuple[int, str]:
    try:
        known = json.loads((data / NAME).read_text("utf-8") or "{}")
    except ValueError:
        known = {}
    return int(known.get("pid", 0)), str(known.get("address", ""))


def _write(handle: int, content: dict[str, object]) -> None:
    os.ftruncate(handle, 0)
    os.pwrite(handle, json.dumps(content).encode() if content else b"", 0)
