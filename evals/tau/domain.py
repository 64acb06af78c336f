"""A business as the benchmark knows it: its database in, its calls answered, its database out.

official call ─► a facade translates ─► Mayak's tool, as the bound customer ─► proposal ─► the customer confirms ─► effect
                                                              the official result, or `Refused` with the official text ◄─┘
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Requestor = Literal["assistant", "user"]


class Refused(Exception):
    """The business refuses the call; `str()` is the official error text, such as "ValueError: Order not found"."""


class Unplayable(Exception):
    """The business cannot read the call: no tool of that name, an argument missing or of another type.

    Not a refusal: the recording is at fault, or the facade lacks the tool; a replay says so and exits with 1.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One recorded call: `arguments` by their official names, `by` whom."""

    name: str
    arguments: Mapping[str, Json]
    by: Requestor = "assistant"


class World(Protocol):
    """One run over one database; nothing it does is seen by another."""

    def owner_of(self, call: Call) -> str | None:
        """Return the customer whose data the call names by official ids, None where it names nobody's.

        Read from the database before the run, for the harness alone: it tells whose trace this is.
        """

    async def bind(self, owner: str) -> None:
        """Let the customer be verified as `owner`, with the pack's consents granted. Once a run (`ValueError` later)."""

    async def call(self, call: Call) -> Json:
        """Do the call as the bound customer and return the official result; `Refused` with the official error,
        `Unplayable` for a call the business cannot read.

        A call that verifies binds its customer itself. A proposal is confirmed by the scripted customer.
        """

    async def database(self) -> Mapping[str, Json]:
        """Return the whole database in the official form."""

    async def close(self) -> None:
        """Give back what the run holds."""


class Domain(Protocol):
    """A business whose recorded calls can be replayed."""

    @property
    def name(self) -> str: ...

    @property
    def verifies(self) -> frozenset[str]:
        """Names of the calls that verify the customer."""

    async def open(self, database: Mapping[str, Json], *, folder: Path) -> World:
        """Return a new world over this database; its files live in `folder`."""
