"""YAML read strictly and with line numbers: every fault says where it is and what to do, and all are collected."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

KNOWN_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong in a file."""

    place: Place
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}. {self.remedy}"


class BadCases(Exception):
    """Case files that cannot be used; `faults` holds every fault found, `remedy` what to do."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
        self.remedy = "Mend the lines named above; `mayak eval lint` checks them without running anything."


class Marked:
    """Reads the nodes of one file; a wrong node adds a fault and gives an empty value, so reading goes on."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def place(self, node: yaml.Node) -> Place:
        """Return where the node begins."""
        return Place(file=self.file, line=node.start_mark.line + 1)

    def wrong(self, node: yaml.Node, message: str, *, remedy: str) -> None:
        """Note a fault at the node."""
        self.faults.append(Fault(place=self.place(node), message=message, remedy=remedy))

    def open(self, path: Path) -> yaml.Node | None:
        """Return the document of the file; None with a fault when it is unreadable or empty."""
        try:
            node: yaml.Node | None = yaml.compose(path.read_text("utf-8"), Loader=yaml.SafeLoader)
        except (OSError, UnicodeDecodeError) as unreadable:
            self._at(1, f"cannot be read: {unreadable}", "Save the file as UTF-8 text")
        except yaml.MarkedYAMLError as broken:
            line = broken.problem_mark.line + 1 if broken.problem_mark else 1
            self._at(
                line, f"is not YAML: {broken.problem}", "Mend the indentation or the quotes of that line"
            )
        except yaml.YAMLError as broken:
            self._at(
                1,
                f"is not YAML: {broken}",
                "Write printable text; a control character is an escape in quotes",
            )
        else:
            if node is None:
                self._at(1, "is empty", "Write `suite:` and `cases:`, or delete the file")
            return node
        return None

    def fields(
        self, node: yaml.Node, *, known: Iterable[str], needed: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """Return a mapping's fields by name; unknown, repeated and missing ones are faults."""
        allowed = tuple(known)
        found = self.rows(node)
        for name in [name for name in found if name not in allowed]:
            close = difflib.get_close_matches(name, allowed, n=1)
            hint = (
                f"Did you mean `{close[0]}`?" if close else f"Known here: {', '.join(allowed[:KNOWN_SHOWN])}."
            )
            self.wrong(found.pop(name), f"unknown key `{name}`", remedy=hint)
        for name in needed:
            if name not in found and isinstance(node, yaml.MappingNode):
                self.wrong(node, f"`{name}` is missing", remedy=f"Add `{name}:`.")
        return found

    def rows(self, node: yaml.Node) -> dict[str, yaml.Node]:
        """Return a mapping with free keys, as written (`77`, `yes`); repeated keys are faults."""
        if not isinstance(node, yaml.MappingNode):
            self.wrong(node, "a mapping was expected", remedy="Write `key: value` lines here.")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                self.wrong(key, f"`{name}` is written twice", remedy="Keep one of them.")
            found[name] = value
        return found

    def items(self, node: yaml.Node) -> list[yaml.Node]:
        """Return the members of a list."""
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.wrong(node, "a list was expected", remedy="Write `[one, two]` or `- one` lines here.")
        return []

    def text(self, node: yaml.Node, *, among: Iterable[str] = ()) -> str:
        """Return a text as written; with `among`, one of these words."""
        if not isinstance(node, yaml.ScalarNode):
            self.wrong(node, "a text was expected", remedy="Write one text in quotes here.")
            return ""
        allowed = tuple(among)
        value = str(node.value)
        if allowed and value not in allowed:
            self.wrong(node, f"`{value}` is not possible here", remedy=f"Write one of: {', '.join(allowed)}.")
        return value

    def truth(self, node: yaml.Node) -> bool:
        """Return true or false."""
        return self.text(node, among=("true", "false", "yes", "no")) in ("true", "yes")

    def count(self, node: yaml.Node) -> int:
        """Return a whole number from 1."""
        value = self.text(node)
        if value.isdecimal() and int(value) > 0:
            return int(value)
        self.wrong(node, f"`{value}` is no whole number from 1", remedy="Write 1, 2, 3…")
        return 1

    def plain(self, node: yaml.Node) -> Any:
        """Return the node as JSON types: keys as texts, days as ISO dates."""
        if isinstance(node, yaml.MappingNode):
            return {name: self.plain(value) for name, value in self.rows(node).items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item) for item in node.value]
        value = yaml.SafeLoader("").construct_object(node)  # type: ignore[no-untyped-call]
        return value.isoformat() if isinstance(value, date) else value

    def _at(self, line: int, message: str, remedy: str) -> None:
        self.faults.append(
            Fault(place=Place(file=self.file, line=line), message=message, remedy=f"{remedy}.")
        )
