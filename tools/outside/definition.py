"""A tool as its system defines it: name, description and the schema of its arguments."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """`schema` is the JSON Schema of the arguments; `read_only` is the server's own word, None when it gives none."""

    name: str
    description: str
    schema: Mapping[str, Any]
    read_only: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what is pinned."""
        return {"description": self.description, "schema": self.schema, "read_only": self.read_only}

    @property
    def digest(self) -> str:
        """sha256 (hex) of everything that is pinned, name included."""
        canonical = json.dumps([self.name, self.as_dict()], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()
