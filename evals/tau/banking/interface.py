"""The official interface as data: which call is which of Mayak's tools, and in which words it answers.

`official/*.toml` says it call by call; nothing here knows a single one by name.
"""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from evals.tau.banking.reckoning import titled
from evals.tau.domain import Requestor

_FOLDER = Path(__file__).with_name("official")
WHO = "user_id"
Form = Literal["string", "number", "integer", "boolean"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """An official argument, as unlocking its tool shows it."""

    name: str
    form: str = "string"
    about: str = ""
    optional: bool = False

    def lacks(self, value: object) -> bool:
        """Whether the official tool takes the value for not given: an empty text, or nothing."""
        return not self.optional and (value is None or (self.form == "string" and not value))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a result; shown by a fact that is set, or is one of some values ("reason=lost,stolen")."""

    text: str
    when: str = ""
    unless: str = ""

    def shown(self, facts: Mapping[str, Any]) -> bool:
        return (not self.when or _holds(self.when, facts)) and not (
            self.unless and _holds(self.unless, facts)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One official call. Fields are those of the TOML; `action` or `reads` or `constant` says what it is."""

    name: str
    takes: tuple[Parameter, ...]
    about: str = ""
    by: Requestor = "assistant"
    action: str = ""
    reads: str = ""
    how: str = "listed"
    constant: str = ""
    sets: Mapping[str, Any] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    lower: tuple[str, ...] = ()
    upper: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    nonzero: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    said: tuple[Piece, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def required(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.takes if not one.optional)

    def first_lacking(self, given: Mapping[str, Any]) -> str | None:
        """Return the first argument the official tool misses, None where it misses none or does not look."""
        if "missing" not in self.words:
            return None
        looked_at = [one for one in self.takes if not self.needs or one.name in self.needs]
        zero = {name for name in self.nonzero if given.get(name) == 0}
        return next(
            (one.name for one in looked_at if one.name in zero or one.lacks(given.get(one.name))), None
        )

    def whole(self, given: Mapping[str, Any]) -> bool:
        """Whether what is to be a whole number is one."""
        integers = [given.get(one.name) for one in self.takes if one.form == "integer"]
        return all(isinstance(one, int) or (isinstance(one, float) and one.is_integer()) for one in integers)

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of Mayak's tool: nothing in them says who the customer is."""
        kept = {**self.defaults, **given}
        kept |= {name: str(kept[name]).lower() for name in self.lower if name in kept}
        kept |= {name: str(kept[name]).upper() for name in self.upper if name in kept}
        own = {
            self.renames.get(name, name): value
            for name, value in kept.items()
            if name != WHO and name not in self.profile
        }
        return own | dict(self.sets)

    def tell(self, facts: Mapping[str, Any]) -> str:
        """Return the official result."""
        return "\n".join(form(piece.text, facts) for piece in self.said if piece.shown(facts))

    def error(self, fault: str, facts: Mapping[str, Any]) -> str:
        """Return the official error for a refusal, the one for its argument first."""
        reason = fault.removeprefix("rejected.")
        for key in (f"{reason}.{facts.get('argument', '')}", reason):
            if key in self.refused:
                return form(self.refused[key], facts)
        return f"Error: {reason}"


class _Form(string.Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        return titled(str(value)) if format_spec == "title" else str(super().format_field(value, format_spec))


def form(text: str, facts: Mapping[str, Any]) -> str:
    """Fill a text: `{amount:.2f}` as everywhere, and `{reason:title}` for "Full Refund"."""
    return _Form().vformat(text, (), facts)


@cache
def agent_tools() -> Mapping[str, Entry]:
    """Calls an agent has to discover and unlock."""
    return _read("accounts", "cards", "claims", "credit")


@cache
def customer_tools() -> Mapping[str, Entry]:
    """Calls a customer makes when an agent gives them."""
    return _read("customer")


@cache
def open_tools() -> Mapping[str, Entry]:
    """Calls that need no discovery."""
    return _read("open")


def _read(*names: str) -> Mapping[str, Entry]:
    found = {}
    for name in names:
        table = tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))
        found.update({call: _entry(call, row) for call, row in table.items()})
    return MappingProxyType(found)


def _entry(name: str, row: Mapping[str, Any]) -> Entry:
    words = ("missing", "foreign", "absent", "wrong", "elsewhere", "none", "head", "line")
    kept = {key: value for key, value in row.items() if key not in (*words, "takes", "said")}
    kept |= {
        key: tuple(kept[key]) for key in ("lower", "upper", "needs", "nonzero", "profile") if key in kept
    }
    return Entry(
        name=name,
        takes=tuple(_parameter(one) for one in row["takes"]),
        words={key: row[key] for key in words if key in row},
        said=tuple(Piece(**one) for one in row.get("said", ())),
        **kept,
    )


def _parameter(row: str | list[str]) -> Parameter:
    if isinstance(row, str):
        return Parameter(name=row.rstrip("?"), optional=row.endswith("?"))
    name, kind, about, *rest = row
    return Parameter(name=name, form=kind, about=about, optional="optional" in rest)


def _holds(condition: str, facts: Mapping[str, Any]) -> bool:
    name, _, values = condition.partition("=")
    found = facts.get(name)
    return str(found) in values.split(",") if values else bool(found)
