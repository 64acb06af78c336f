"""Reading the files of a company pack: what is wrong is told with file, line and remedy."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent.errors import BadPack

M = TypeVar("M", bound=BaseModel)


def toml_of(path: Path) -> dict[str, Any]:
    """Return the tables of a file. Raises `BadPack`."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as absent:
        raise BadPack(
            f"{path} is absent.", remedy="Every company pack has company.toml and policy.toml."
        ) from absent
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise BadPack(
            f"{path}: {broken}", remedy="Mend the file at that line; it must be UTF-8 TOML."
        ) from broken


def model_of(path: Path, table: dict[str, Any], model: type[M]) -> M:
    """Return the tables as `model`. Raises `BadPack` that names the line of the first wrong value."""
    try:
        return model.model_validate(table)
    except ValidationError as wrong:
        # A misspelt key shows up twice, as unknown and as missing; the unknown one is what to mend.
        found = sorted(wrong.errors(), key=lambda error: error["type"] != "extra_forbidden")
        first = found[0]
        where = [str(step) for step in first["loc"]]
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise BadPack(
            f"{path}:{line_of(path, where)}: {'.'.join(where) or path.name}: {first['msg']}{more}",
            remedy="Correct that value; demo/ holds a complete example with every key explained.",
        ) from wrong


def line_of(path: Path, where: list[str]) -> int:
    """Return the line that most likely holds the wrong value: the deepest named step found in order."""
    # What is commented out is nobody's value, however much it looks like one.
    lines = ["" if line.lstrip().startswith("#") else line for line in path.read_text("utf-8").splitlines()]
    at = 0
    for step in where:
        if step.isdigit():
            rows = [n for n, text in enumerate(lines) if n >= at and text.startswith("[[")]
            at = rows[int(step)] if int(step) < len(rows) else at
            continue
        found = next(
            (n for n in range(at, len(lines)) if re.search(rf"(^|[\[.\"]){re.escape(step)}\b", lines[n])),
            None,
        )
        at = found if found is not None else at
    return at + 1
