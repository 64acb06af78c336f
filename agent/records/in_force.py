"""Which policy is in force, told by the digest of each of its tables."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

POLICY = "policy"
"""The act of lines about it."""


def in_force(policy: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each table of `policy.toml` by its name; comments and the order of keys do not count."""
    return {name: _digest(table) for name, table in sorted(policy.items())}


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return the names of tables that are new, gone or another, sorted."""
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def _digest(table: Any) -> str:
    return hashlib.sha256(json.dumps(table, sort_keys=True, default=str).encode()).hexdigest()
