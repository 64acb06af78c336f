"""What a button carries through a messenger: its place in the transcript and a mark of what it does. Pure.

Clients can send any data at all, so nothing is taken from it but a place in the presser's own conversation; the
mark tells a button of today from one that stood at this place in an earlier life of the chat.
"""

import hashlib
import json
import re
from dataclasses import asdict

from agent.domain import Button

MARK_CHARS = 16


def data_of(seq: int, n: int, button: Button) -> str:
    """Return the callback data of button `n` of message `seq`; well below the 64 bytes a button may carry."""
    action = json.dumps(asdict(button.action), ensure_ascii=False, sort_keys=True)
    return f"{seq}:{n}:{hashlib.sha256(action.encode()).hexdigest()[:MARK_CHARS]}"


def place_of(data: str) -> tuple[int, int] | None:
    """Return the message and the button that callback data names, None for data we never made."""
    found = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,3}):[0-9a-f]{16}", data)
    return (int(found[1]), int(found[2])) if found else None
