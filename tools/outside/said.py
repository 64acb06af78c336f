"""What a tool of a plugged-in system answered, before anything is made of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a server's tool answered: data, whoever wrote it. `refused` says that it did not do what was asked."""

    text: tuple[str, ...] = ()
    data: Mapping[str, Any] | None = None
    refused: bool = False
