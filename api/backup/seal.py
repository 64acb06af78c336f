"""A file sealed with a passphrase: scrypt makes the key, AES-256-GCM seals frames of one MiB.

```
MAYAKSEAL1\n │ one line of JSON: salt, cost, prefix, check │ frame │ frame │ … │ last frame
nonce of a frame: prefix (7 bytes) · number (4) · 1 for the last, else 0
```
Every frame is bound to the head, its number and whether it is the last: one that is changed, moved, left out or cut
off is told, and no byte of it is handed on. The head is read before anything is known to be true, so its costs are bounded.
"""

import io
import json
import os
import secrets
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from api.backup.faults import Damaged, NotABackup, WrongPassphrase

MAGIC = b"MAYAKSEAL1\n"
FRAME = 2**20
TAG = 16
PREFIX = 7
SALT = 16
COST, BLOCK, LANES = 2**17, 8, 1
"""128 MiB and some tenths of a second for one guess."""
MOST_COST = 2**20
MOST_HEAD = 1024


class Sealing(io.RawIOBase):
    """Written to in the clear; what reaches `target` is sealed. Close it, or the file stays cut off."""

    def __init__(self, target: IO[bytes], passphrase: str, *, cost: int | None = None) -> None:
        cost = cost or COST
        salt, self._prefix = secrets.token_bytes(SALT), secrets.token_bytes(PREFIX)
        key, check = _keys(passphrase, salt=salt, cost=cost)
        head = {
            "kdf": "scrypt",
            "n": cost,
            "r": BLOCK,
            "p": LANES,
            "salt": salt.hex(),
            "prefix": self._prefix.hex(),
            "check": check.hex(),
        }
        self._head = json.dumps(head).encode() + b"\n"
        self._cipher, self._target = AESGCM(key), target
        self._rest, self._number = bytearray(), 0
        target.write(MAGIC + self._head)

    def writable(self) -> bool:
        """It is written to."""
        return True

    def write(self, data: Any) -> int:
        """Take bytes; whole frames leave at once."""
        self._rest += data
        # The last frame is known as such only when it is closed, so a full one waits for more.
        while len(self._rest) > FRAME:
            self._frame(bytes(self._rest[:FRAME]), last=False)
            del self._rest[:FRAME]
        return len(data)

    def close(self) -> None:
        """Seal what is left as the last frame; the target stays open."""
        if not self.closed:
            self._frame(bytes(self._rest), last=True)
            self._rest.clear()
        super().close()

    def _frame(self, data: bytes, *, last: bool) -> None:
        nonce = _nonce(self._prefix, self._number, last=last)
        self._target.write(self._cipher.encrypt(nonce, data, self._head))
        self._number += 1


class Opening(io.RawIOBase):
    """Read in the clear from a sealed file. Raises `WrongPassphrase`, `Damaged`, `NotABackup`."""

    def __init__(self, source: IO[bytes], passphrase: str) -> None:
        if source.read(len(MAGIC)) != MAGIC:
            raise NotABackup("it is not sealed")
        self._head = source.readline(MOST_HEAD)
        salt, self._prefix, check, cost = _head(self._head)
        key, own = _keys(passphrase, salt=salt, cost=cost)
        if not secrets.compare_digest(own, check):
            raise WrongPassphrase()
        self._cipher, self._source = AESGCM(key), source
        self._number, self._ready, self._ended = 0, b"", False
        self._next = source.read(FRAME + TAG)

    def readable(self) -> bool:
        """It is read from."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer with what is true; 0 at the end."""
        while not self._ready and not self._ended:
            self._open()
        part = self._ready[: len(buffer)]
        buffer[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _open(self) -> None:
        now, self._next = self._next, self._source.read(FRAME + TAG)
        self._ended = not self._next
        try:
            nonce = _nonce(self._prefix, self._number, last=self._ended)
            self._ready = self._cipher.decrypt(nonce, now, self._head)
        except InvalidTag as wrong:
            raise Damaged(f"part {self._number + 1} was changed, or the file is cut off after it") from wrong
        self._number += 1


def is_sealed(start: bytes) -> bool:
    """Whether a file that begins like this is sealed."""
    return start.startswith(MAGIC)


def _head(line: bytes) -> tuple[bytes, bytes, bytes, int]:
    try:
        told = json.loads(line)
        salt, prefix, check = (bytes.fromhex(told[name]) for name in ("salt", "prefix", "check"))
        cost = int(told["n"])
        known = told["kdf"] == "scrypt" and (told["r"], told["p"]) == (BLOCK, LANES)
    except (ValueError, KeyError, TypeError) as wrong:
        raise Damaged("its head cannot be read") from wrong
    sound = len(salt) == SALT and len(prefix) == PREFIX and 2 <= cost <= MOST_COST and cost & (cost - 1) == 0
    if not (known and sound):
        raise Damaged("its head asks for what no backup needs")
    return salt, prefix, check, cost


def _keys(passphrase: str, *, salt: bytes, cost: int) -> tuple[bytes, bytes]:
    """Return the key of the frames, and what tells whether a passphrase is the right one."""
    made = Scrypt(salt=salt, length=64, n=cost, r=BLOCK, p=LANES).derive(passphrase.encode())
    return made[:32], made[32:]


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + bytes([last])


def passphrase_of(path: str | os.PathLike[str]) -> str:
    """Return the passphrase that a file holds: its first line. Raises `WrongPassphrase` for an empty one."""
    with open(path, encoding="utf-8") as file:
        found = file.readline().rstrip("\r\n")
    if not found:
        raise WrongPassphrase(f"{path} holds no passphrase.")
    return found
