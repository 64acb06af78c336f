"""A connection to one MCP server, and what a call over it can come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from tools.context import CustomerId
from tools.errors import Unavailable
from tools.outside.said import Said
from tools.proposal import Fact


class NotReached(Unavailable):
    """The call was never sent: nothing can have happened."""

    code = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How it is with one server: `problems` are of its assigned tools by name, "" of the server as a whole."""

    connected: bool
    problems: Mapping[str, str]
    unassigned: tuple[str, ...] = ()


class Connection(Protocol):
    """Kept open and mended by itself; calls never wait for it to come back longer than they may take."""

    def ready(self, tool: str) -> bool:
        """Whether the server answers and defines the tool as it is pinned."""

    async def call(self, tool: str, arguments: Mapping[str, Any], *, seconds: float) -> Said:
        """Call once. Raises `NotReached`, or `Unavailable` when it may have been done all the same."""

    async def back(self, tool: str, *, seconds: float) -> bool:
        """Wait until the tool is ready again, `seconds` at most; return whether it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of one confirmed write by its key; "open" means that it was sent and nothing was heard."""

    digest: str
    state: Literal["open", "done", "refused"]
    facts: Mapping[str, Fact]


class Journal(Protocol):
    """The confirmed writes sent to servers, one row a key, written before the call and after it."""

    async def begin(
        self, key: str, *, tool: str, owner: CustomerId, digest: str, facts: Mapping[str, Fact]
    ) -> Entry | None:
        """Take the key: None when it was free, what is known of it otherwise. Raises `Unavailable`."""

    async def settle(self, key: str, state: Literal["done", "refused"]) -> None:
        """Write down how it ended."""

    async def forget(self, key: str) -> None:
        """Give the key back: nothing was sent."""

    async def look(self, key: str) -> Entry | None:
        """Return what is known of the key."""
