"""Recorded calls and the database they were made on, read from files; what is broken is named by file and line.

    {"task_id": "7", "steps": [{"name", "arguments", "requestor"?, "result"? | "error"?}], "final_db_sha256"?, "initial_state"?}

Without results a trace says only what was called: the form in which an acceptance hands it over. Some tasks begin with
records of their own beside the database (`initial_state`): they stand in the trace, or in the file of its task.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from evals.tau.domain import Call, Json, Requestor
from knowledge.errors import BadRecords

_FORM = 'Write one {"task_id", "steps": [{"name", "arguments"}]} a line.'


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a call gave: its result, or the text of its error where it was `refused`."""

    value: Json
    refused: bool = False

    def same(self, other: "Outcome") -> bool:
        """Whether both are the same JSON; 1, 1.0 and true are three things."""
        return self.refused == other.refused and canonical(self.value) == canonical(other.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call and its recorded outcome, None where none was recorded."""

    call: Call
    expected: Outcome | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One recorded run; `final` is the sha256 of the database after it, None where it was not recorded.

    `initial` is merged into the database before the first step.
    """

    task_id: str
    line: int
    steps: tuple[Step, ...]
    final: str | None
    initial: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What a file held: the traces that can be read, and a fault for each line that cannot."""

    traces: tuple[Trace, ...]
    faults: tuple[BadRecords, ...]


def canonical(value: Json | Mapping[str, Json]) -> str:
    """Return the JSON with sorted keys, no spaces, and non-ASCII kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(database: Mapping[str, Json]) -> str:
    """Return the sha256 (hex) of the database as canonical JSON."""
    return hashlib.sha256(canonical(database).encode()).hexdigest()


def read_database(path: Path) -> Mapping[str, Json]:
    """Read a database in the official form: one JSON object. Raises `BadRecords`."""
    try:
        found = json.loads(_text(path))
    except ValueError as broken:
        raise BadRecords(
            f"{path.name}: {broken}.", remedy="Give the database as one JSON object."
        ) from broken
    if not isinstance(found, dict):
        raise BadRecords(f"{path.name} is not an object.", remedy="Give the database as one JSON object.")
    return found


def tasks_beside(path: Path) -> Path | None:
    """Return `tasks….jsonl` beside `gold_traces….jsonl`, None where there is no such file."""
    beside = path.with_name(path.name.replace("gold_traces", "tasks", 1))
    return beside if beside != path and beside.is_file() else None


def merged(database: Mapping[str, Json], more: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the database with more records in it; objects are merged, all else is replaced."""
    out = dict(database)
    for name, value in more.items():
        was = out.get(name)
        out[name] = dict(merged(was, value)) if isinstance(was, dict) and isinstance(value, dict) else value
    return out


def read_initial(path: Path) -> Mapping[str, Mapping[str, Json]]:
    """Read what each task begins with, by its id: lines of {id, initial_state?}. Raises `BadRecords`."""
    found = {}
    for n, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found[str(row["id"])] = _initial(row)
        except (ValueError, TypeError, KeyError, AttributeError) as broken:
            raise BadRecords(
                f"{path.name}:{n} is no task: {broken!r}.",
                remedy='Write one {"id", "initial_state"?} a line.',
            ) from broken
    return found


def read_traces(path: Path, *, initial: Mapping[str, Mapping[str, Json]] | None = None) -> Recorded:
    """Read every line that can be read. Raises `BadRecords` when the file cannot, or holds nothing.

    `initial` is what tasks begin with, for traces that do not say it themselves.
    """
    traces, faults = [], []
    # Not splitlines(): it also breaks at U+2028, which JSON allows inside a string.
    for n, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                traces.append(_trace(line, path, n, initial or {}))
            except BadRecords as fault:
                faults.append(fault)
    if not traces and not faults:
        raise BadRecords(f"{path.name} holds no traces.", remedy=_FORM)
    return Recorded(traces=tuple(traces), faults=tuple(faults))


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as absent:
        raise BadRecords(f"{path} cannot be read: {absent.strerror}.", remedy="Check the path.") from absent
    except UnicodeDecodeError as other:
        raise BadRecords(f"{path.name} is not UTF-8.", remedy="Save the file as UTF-8.") from other


def _initial(row: Mapping[str, Any]) -> Mapping[str, Json]:
    found: Any = row
    for name in ("initial_state", "initialization_data", "agent_data"):
        found = found.get(name) or {}
        if not isinstance(found, dict):
            raise ValueError(f"{name} is not an object")
    initial: Mapping[str, Json] = found
    return initial


def _trace(line: str, path: Path, n: int, initial: Mapping[str, Mapping[str, Json]]) -> Trace:
    where = f"{path.name}:{n}"
    try:
        row = json.loads(line)
    except ValueError as broken:
        raise BadRecords(f"{where} is not JSON: {broken}.", remedy=_FORM) from broken
    if not isinstance(row, dict) or "task_id" not in row or not isinstance(row.get("steps"), list):
        raise BadRecords(f"{where} has no task_id or no list of steps.", remedy=_FORM)
    try:
        begun = _initial(row) or initial.get(str(row["task_id"]), {})
    except ValueError as odd:
        raise BadRecords(f"{where}: {odd}.", remedy=_FORM) from odd
    final = row.get("final_db_sha256")
    return Trace(
        task_id=str(row["task_id"]),
        line=n,
        steps=tuple(_steps(row["steps"], where)),
        final=None if final is None else str(final),
        initial=begun,
    )


def _steps(rows: list[Any], where: str) -> Iterator[Step]:
    for n, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise BadRecords(f"{where}, step {n} has no name.", remedy=_FORM)
        arguments, by = row.get("arguments", {}), row.get("requestor", "assistant")
        if not isinstance(arguments, dict):
            raise BadRecords(f"{where}, step {n}: arguments are not an object.", remedy=_FORM)
        if by not in get_args(Requestor):
            raise BadRecords(
                f"{where}, step {n}: nobody is called {by!r}.",
                remedy=f"A requestor is one of {', '.join(get_args(Requestor))}.",
            )
        yield Step(call=Call(name=row["name"], arguments=arguments, by=by), expected=_expected(row))


def _expected(row: Mapping[str, Any]) -> Outcome | None:
    if row.get("error") is not None:
        return Outcome(value=str(row["error"]), refused=True)
    return Outcome(value=row["result"]) if "result" in row else None
