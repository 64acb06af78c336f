"""A new case written into a case file; a file that would not pass the reader afterwards is left as it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from evals.case import check_cases
from evals.marked import BadCases


def add_case(row: Mapping[str, Any], *, file: str, suite: str, folder: Path) -> Path:
    """Append the case to `<file>.yaml`, which is begun when absent. Raises `BadCases` and changes nothing."""
    path = folder / f"{Path(file).name}.yaml"
    before = path.read_text("utf-8") if path.exists() else None
    text = before if before is not None else f"suite: {suite}\ncases:\n"
    body = yaml.safe_dump([dict(row)], allow_unicode=True, sort_keys=False, width=110)
    lines = [f"  {line}" if line else "" for line in body.splitlines()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join((text.rstrip("\n"), "", *lines, "")), "utf-8")
    _, faults = check_cases(folder)
    if faults:
        if before is None:
            path.unlink()
        else:
            path.write_text(before, "utf-8")
        raise BadCases(faults)
    return path
