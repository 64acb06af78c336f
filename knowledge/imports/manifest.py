"""`documents.toml`: what a folder says about its documents beside their words."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from knowledge.errors import BadManifest

MANIFEST = "documents.toml"
_FIELDS = {"path", "title", "audience", "department", "valid_from", "valid_until", "status", "approved"}


def manifest_of(root: Path) -> dict[str, Mapping[str, Any]]:
    """Return the rows of documents.toml by path, none when there is no such file. Raises `BadManifest`."""
    file = root / MANIFEST
    if not file.is_file():
        return {}
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise BadManifest(
            f"{file.name} cannot be read: {fault}.", remedy="Correct the line it names."
        ) from fault
    rows = data.get("document", [])
    if not isinstance(rows, list):
        raise BadManifest(
            f"{file.name}: `document` is not a list.", remedy="Write [[document]] before each row."
        )
    return dict(_checked(rows, file.name))


def _checked(rows: Sequence[Any], file: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for n, row in enumerate(rows, start=1):
        if not isinstance(row, dict) or not isinstance(row.get("path"), str):
            raise BadManifest(f"{file}: row {n} has no `path`.", remedy='Write path = "ru/returns.md".')
        wrong = sorted(set(row) - _FIELDS)
        if wrong:
            raise BadManifest(
                f"{file}: {row['path']} has unknown {wrong}.", remedy=f"Known: {sorted(_FIELDS)}."
            )
        if row.get("status", "published") not in ("published", "retired"):
            raise BadManifest(
                f"{file}: {row['path']} has a wrong status.", remedy="Use published or retired."
            )
        if row.get("audience", "customer") not in ("customer", "staff"):
            raise BadManifest(f"{file}: {row['path']} has a wrong audience.", remedy="Use customer or staff.")
        if not isinstance(row.get("approved", False), bool):
            raise BadManifest(f"{file}: {row['path']} has a wrong `approved`.", remedy="Use true or false.")
        dated = {
            name: _day(row[name], row["path"], file) for name in ("valid_from", "valid_until") if name in row
        }
        yield row["path"], {**row, **dated}


def _day(value: Any, path: str, file: str) -> date:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError as fault:
        raise BadManifest(
            f"{file}: {path} has a wrong date {value!r}.", remedy="Write 2026-12-15."
        ) from fault
