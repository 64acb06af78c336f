"""Random text that an installation keeps for ever: made at first use, in a file of its own."""

import os
import secrets
from pathlib import Path


def lasting(path: Path, *, size: int) -> str:
    """Return the hex of `size` random bytes kept at `path`; only this user may read the file."""
    known = path.read_text("ascii").strip() if path.exists() else ""
    if known:
        return known
    path.parent.mkdir(parents=True, exist_ok=True)
    made, fresh = secrets.token_hex(size), path.with_suffix(".new")
    # Written beside and moved into place when whole: a full disk must not leave an empty one.
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(made)
    fresh.replace(path)
    return made
