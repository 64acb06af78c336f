"""Holds calls and results of the Bot API against its published description, where that is at hand.

The description is a JSON file that is not part of this project: it is read from `../shared/specs`, or from the folder
MAYAK_SPECS names. Without it calls are held against the fields listed here.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SPEC = "telegram-bot-api.json"
LISTED: Mapping[str, tuple[frozenset[str], frozenset[str]]] = {
    "getMe": (frozenset(), frozenset()),
    "getUpdates": (frozenset(), frozenset({"offset", "limit", "timeout", "allowed_updates"})),
    "setWebhook": (
        frozenset({"url"}),
        frozenset({"secret_token", "allowed_updates", "max_connections", "drop_pending_updates"}),
    ),
    "deleteWebhook": (frozenset(), frozenset({"drop_pending_updates"})),
    "sendMessage": (
        frozenset({"chat_id", "text"}),
        frozenset({"parse_mode", "link_preview_options", "reply_markup"}),
    ),
    "sendChatAction": (frozenset({"chat_id", "action"}), frozenset()),
    "answerCallbackQuery": (frozenset({"callback_query_id"}), frozenset({"text"})),
}
"""Required and optional fields by method."""


def spec() -> "Listed | Described":
    """Return the published description where it is, else the fields listed here."""
    folder = os.environ.get("MAYAK_SPECS")
    path = (Path(folder) if folder else Path(__file__).resolve().parents[2] / "shared" / "specs") / SPEC
    return Described(json.loads(path.read_text("utf-8"))) if path.is_file() else Listed()


class Listed:
    """Knows only which fields the calls used here have."""

    def call(self, method: str, fields: Mapping[str, str]) -> list[str]:
        """Return what is wrong with a call."""
        if method not in LISTED:
            return [f"unknown method {method}"]
        required, optional = LISTED[method]
        missing, unknown = required - fields.keys(), fields.keys() - required - optional
        return [f"{method}: missing {missing}, unknown {unknown}"] if missing or unknown else []

    def answer(self, method: str, result: Any) -> list[str]:
        """Return nothing: types of results are not listed."""
        return []

    def result(self, type: str, value: Any) -> list[str]:
        """Return nothing: types are not listed."""
        return []


class Described:
    """Holds calls and results against the whole description."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.methods = data["methods"]
        self.types = data["types"]

    def call(self, method: str, fields: Mapping[str, str]) -> list[str]:
        """Return what is wrong with a call."""
        if method not in self.methods:
            return [f"unknown method {method}"]
        known = {f["name"]: f for f in self.methods[method].get("fields", [])}
        wrong = [f"{method}: unknown field {name}" for name in fields.keys() - known.keys()]
        for name, described in known.items():
            if name in fields and not self._sent(fields[name], described["types"]):
                wrong.append(f"{method}.{name}: {fields[name][:80]!r} is no {described['types']}")
            if name not in fields and described["required"]:
                wrong.append(f"{method}: {name} is missing")
        return wrong

    def answer(self, method: str, result: Any) -> list[str]:
        """Return what is wrong with the result of a call: a fault of this emulator."""
        returns = self.methods[method]["returns"]
        return [] if self._fits(result, returns) else [f"{method} does not return {result!r}"]

    def result(self, type: str, value: Any) -> list[str]:
        """Return what is wrong with a value of a named type."""
        return [] if self._fits(value, [type]) else [f"this is no {type}: {value!r}"]

    def _sent(self, text: str, types: list[str]) -> bool:
        """Whether a form's text can be read as one of the types."""
        if "String" in types:
            return True
        try:
            return self._fits(json.loads(text), types)
        except ValueError:
            return False

    def _fits(self, value: Any, types: list[str]) -> bool:
        return any(self._is(value, type) for type in types)

    def _is(self, value: Any, type: str) -> bool:
        if type.startswith("Array of "):
            return isinstance(value, list) and all(
                self._fits(each, [type.removeprefix("Array of ")]) for each in value
            )
        simple: Mapping[str, Any] = {"Integer": int, "Float": (int, float), "String": str}
        if type in simple:
            return isinstance(value, simple[type]) and not isinstance(value, bool)
        if type in ("Boolean", "True"):
            return value is True or (type == "Boolean" and value is False)
        described = self.types[type]
        if described.get("subtypes"):
            return self._fits(value, described["subtypes"])
        known = {f["name"]: f for f in described.get("fields", [])}
        if not isinstance(value, dict) or value.keys() - known.keys():
            return False
        return all(
            self._fits(value[name], f["types"]) if name in value else not f["required"]
            for name, f in known.items()
        )
