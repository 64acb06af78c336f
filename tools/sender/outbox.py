"""A sender that writes each letter to a file of a folder: for the demo and for trials, where no mail leaves."""

import asyncio
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

from tools.contacts import By
from tools.sender.port import Letter, Undelivered


class OutboxSender:
    """One letter a file `<moment>-<chance>.txt`, which only this user may read; headers, an empty line, the text."""

    ways: frozenset[By] = frozenset({"email", "phone"})

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def send(self, letter: Letter) -> None:
        try:
            await asyncio.to_thread(self._write, letter)
        except OSError as full:
            raise Undelivered(
                f"A letter could not be written: {full.strerror}.",
                remedy="Check that the data folder is writable and has room.",
            ) from full

    def _write(self, letter: Letter) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{secrets.token_hex(4)}"
        fresh = self._folder / f".{name}.new"
        with os.fdopen(
            os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(f"To: {letter.to}\nSubject: {letter.subject}\n\n{letter.text}\n")
        # Whoever watches the folder never sees half a letter.
        fresh.replace(self._folder / f"{name}.txt")
