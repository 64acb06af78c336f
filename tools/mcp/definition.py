"""A tool as its server defines it, pinned in the pack when it was assigned, and compared ever after.

```
<pack>/mcp/<server>.json    {"<tool>": {"description": …, "schema": …, "read_only": true|false|null}}
```
Written by `mayak mcp pin`, read by people in a diff.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.outside.assignment import Unusable
from tools.outside.definition import Definition

MOST_BYTES = 2**20
"""Longest file of pins that is read."""


def difference(pinned: Definition, live: Definition) -> str:
    """Return in what the server's definition is another one now, "" when in nothing."""
    if pinned.digest == live.digest:
        return ""
    before, now = (_arguments(each) for each in (pinned, live))
    found = [f"argument “{name}” is new" for name in sorted(now.keys() - before.keys())]
    found += [f"argument “{name}” is gone" for name in sorted(before.keys() - now.keys())]
    found += [
        f"argument “{name}” is defined differently"
        for name in sorted(before.keys() & now.keys())
        if before[name] != now[name]
    ]
    if pinned.description != live.description:
        found.append("its description is another one")
    return "; ".join(found[:6]) or "its definition is another one"


def _arguments(definition: Definition) -> Mapping[str, Any]:
    properties = definition.schema.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def pins_path(pack: Path, server: str) -> Path:
    """Return where the pins of a server are kept."""
    return pack / "mcp" / f"{server}.json"


def read_pins(pack: Path, server: str) -> dict[str, Definition]:
    """Return the pinned definitions by name, none when nothing was pinned yet. Raises `Unusable`."""
    path = pins_path(pack, server)
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError(f"longer than {MOST_BYTES} bytes")
        rows = json.loads(path.read_text("utf-8"))
        return {
            str(name): Definition(
                name=str(name),
                description=str(row["description"]),
                schema=dict(row["schema"]),
                read_only=row.get("read_only"),
            )
            for name, row in rows.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as broken:
        raise Unusable(f"{path}: {broken}", where=(), remedy=f"Run: mayak mcp pin {server}") from broken


def write_pins(pack: Path, server: str, definitions: Mapping[str, Definition]) -> Path:
    """Write the definitions, in the order of their names; return the file."""
    path = pins_path(pack, server)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = {name: definitions[name].as_dict() for name in sorted(definitions)}
    path.write_text(json.dumps(rows, ensure_ascii=False, indent=2, sort_keys=True) + "\n", "utf-8")
    return path
