"""How results and faults of a step survive JSON, so that a replayed turn sees what the first run saw."""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

ROOMS = frozenset({"agent", "knowledge", "tools"})
"""Rooms whose faults are rebuilt by class; anything else comes back as `StepFailed`."""


class StepFailed(Exception):
    """A step failed before a crash with an error that no room of the house owns."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@lru_cache(maxsize=256)
def adapter(of: Any) -> TypeAdapter[Any]:
    """Return the reader and writer of a type; building one costs milliseconds."""
    return TypeAdapter(of)


def result_json(value: Any, of: Any) -> dict[str, Any]:
    """Return a step's result as JSON."""
    return {"ok": adapter(of).dump_python(value, mode="json")}


def fault_json(fault: Exception) -> dict[str, Any]:
    """Return a step's fault as JSON: its class, its message and the plain values it carries."""
    kind = type(fault)
    return {
        "fault": {
            "module": kind.__module__,
            "name": kind.__qualname__,
            "args": [value for value in fault.args if _plain(value)],
            "state": {name: value for name, value in vars(fault).items() if _plain(value)},
            "message": str(fault),
        }
    }


def outcome(recorded: Mapping[str, Any], of: Any) -> Any:
    """Return the recorded result, or raise the recorded fault."""
    if "fault" in recorded:
        raise fault_of(recorded["fault"])
    return adapter(of).validate_python(recorded["ok"])


def fault_of(data: Mapping[str, Any]) -> Exception:
    """Rebuild a fault: the very class if it belongs to a room of the house, else `StepFailed`."""
    module, name = str(data["module"]), str(data["name"])
    if module.split(".")[0] not in ROOMS:
        return StepFailed(name, str(data["message"]))
    kind: Any = import_module(module)
    for part in name.split("."):
        kind = getattr(kind, part, None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        return StepFailed(name, str(data["message"]))
    fault: Exception = kind.__new__(kind, *data["args"])
    fault.args = tuple(data["args"])
    vars(fault).update(data["state"])
    return fault


def _plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
