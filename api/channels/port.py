"""What a channel and the house say to each other; `agent.ports.Channel` is the sending half.

```
Undelivered ─┬─ Later      surely not taken: try again, after `seconds` where the other side says so
             ├─ Refused    never will be: the customer left, or the address is wrong
             └─ Uncertain  sent, and nobody knows whether it arrived
```
`deliver` returns when the other side has the message, and raises one of these when it has not or may not have.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["text", "edited", "start", "tap", "unreadable", "elsewhere"]
"""`start`: the customer opens the chat or begins anew; `unreadable`: anything but words; `elsewhere`: a group."""


class Undelivered(Exception):
    """The other side has not confirmed the message. Its text is fit for a log: no secret, nothing a customer wrote."""

    def __init__(self, message: str, *, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class Later(Undelivered):
    """Not taken now; `seconds` is how long the other side asks to wait, None when it does not say."""


class Refused(Undelivered):
    """Not taken, and asking again changes nothing."""


class Uncertain(Undelivered):
    """The connection broke or the answer was late after the message had gone out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """One thing a customer did in a messenger, read but not trusted.

    `address` is where answers go; `key` is unique within it. `original` is the key of the message that was edited.
    `tap` names a pressed button to the messenger, `data` to us. `said` is when the customer did it, where that is told.
    """

    kind: Kind
    address: str
    key: str
    said: datetime | None = None
    text: str = ""
    language: str = ""
    """As the customer's client reports it: `ru`, `pt-br`, or empty."""
    original: str = ""
    tap: str = ""
    data: str = ""
