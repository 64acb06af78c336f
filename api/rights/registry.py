"""What every table holds of a customer (`tables.toml`), read and checked once.

```
Held     rows of a customer: `by` says which columns lead to them; `told` is exported, `inner` is not
Nobody   no row is about a customer, and why
```
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).with_name("tables.toml")

Key = Literal["customer", "conversation", "about", "turn", "order", "workflow", "pseudonym", "words"]
"""What leads to a row: an id of the subject's (`about`: as the audit writes it), their pseudonym, or their own
`words` quoted somewhere."""
Erased = Literal["deleted", "blanked", "unquoted", "evidence", "chain", "kept"]
"""What erasing does to a row; told at the head of `tables.toml`."""
Room = Literal["agent", "knowledge", "tools", "engine", "database"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A table with rows of customers; `told` and `inner` together are all its columns."""

    table: str
    room: Room
    by: Mapping[str, Key]
    told: tuple[str, ...]
    inner: tuple[str, ...]
    inside: tuple[str, ...]
    """Paths into JSON of `told` that are not exported, such as record.ticket.rejected."""
    quoting: tuple[str, ...]
    """Columns in which curators' work may quote them."""
    erased: Erased

    @property
    def columns(self) -> frozenset[str]:
        """All columns of the table."""
        return frozenset((*self.told, *self.inner))


@dataclass(frozen=True, slots=True, kw_only=True)
class Nobody:
    """A table without rows of customers, and the reason."""

    table: str
    room: Room
    why: str
    columns: frozenset[str]


@cache
def registry() -> Mapping[str, Held | Nobody]:
    """Return what is known of every table, by its name, in the order in which it is told."""
    return {name: _read(name, row) for name, row in tomllib.loads(DATA.read_text("utf-8")).items()}


def held() -> tuple[Held, ...]:
    """Return the tables that have rows of customers."""
    return tuple(one for one in registry().values() if isinstance(one, Held))


def _read(name: str, row: Mapping[str, Any]) -> Held | Nobody:
    if "nobody" in row:
        columns = frozenset(row["columns"].split())
        return Nobody(table=name, room=row["room"], why=row["nobody"], columns=columns)
    return Held(
        table=name,
        room=row["room"],
        by=row["by"],
        told=tuple(row["told"].split()),
        inner=tuple(row.get("inner", "").split()),
        inside=tuple(row.get("inside", "").split()),
        quoting=tuple(row.get("quoting", "").split()),
        erased=row["erased"],
    )
