"""The values of a call: what the model wrote, what the house fills in, and how a proposal keeps them as text."""

import json
from collections.abc import Mapping
from typing import Any

from tools.context import CustomerId, Language
from tools.errors import NotFound, NotIdentified
from tools.outside.plugged import Plugged
from tools.outside.shape import written_out
from tools.outside.wording import ABSENT
from tools.proposal import Fact


def filled(
    tool: Plugged, given: Mapping[str, Any], *, owner: CustomerId | None, language: Language | None = None
) -> dict[str, Any]:
    """Return the arguments as the server gets them; what the house fills in stands over what was given.

    Without `language`, one that a proposal holds stays. Raises `NotIdentified` without a customer where one is
    needed, `NotFound` for an id the server cannot hold.
    """
    arguments = {**given, **tool.assigned.fixed}
    for name, source in tool.assigned.from_caller.items():
        if source == "customer":
            arguments[name] = _typed(tool, name, owner)
        elif language is not None:
            arguments[name] = language
    return arguments


def _typed(tool: Plugged, name: str, owner: CustomerId | None) -> str | int | list[str]:
    if owner is None:
        raise NotIdentified()
    kind = written_out(tool.definition)[name].get("type")
    if kind == "array":
        return [str(owner)]
    if kind != "integer":
        return str(owner)
    if not owner.isascii() or not owner.isdigit():
        raise NotFound()
    return int(owner)


def packed(tool: Plugged, given: Mapping[str, Any], *, language: Language) -> dict[str, str]:
    """Return the values as a proposal binds them, with the caller's language where the tool takes it.

    Texts as they are, everything else as JSON.
    """
    told = {name: language for name, source in tool.assigned.from_caller.items() if source == "language"}
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in {**given, **told}.items()
    }


def unpacked(tool: Plugged, arguments: Mapping[str, str]) -> dict[str, Any]:
    """Return what `packed` was given."""
    return {
        name: value if tool.kinds.get(name, "string") == "string" else json.loads(value)
        for name, value in arguments.items()
    }


def shown_facts(tool: Plugged, given: Mapping[str, Any]) -> dict[str, Fact]:
    """Return what the confirmation shows of each argument; one that was left out has its sign."""
    return {name: _shown(given.get(name)) for name in tool.kinds}


def _shown(value: Any) -> Fact:
    if value is None or value == "":
        return ABSENT
    if isinstance(value, list):
        return ", ".join(str(each) for each in value) or ABSENT
    return value if isinstance(value, str | int | float) else str(value)
