"""A function declared as a tool; what it asks for is read from the function once, however many toolkits it stands in."""

import inspect
from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from langchain.tools import BaseTool
from langchain.tools import tool as from_langchain

# A toolkit declares its functions anew over its own systems; their arguments are the same each time, and a model of them
# costs 20 ms. There are as many of these as functions in the source.
_ASKED: dict[tuple[CodeType, str], Any] = {}


def tool(*, extras: Mapping[str, Any]) -> Callable[[Callable[..., Any]], BaseTool]:
    """Make a function a tool, named and described by itself. Its annotations may not depend on where it is declared."""

    def declare(function: Callable[..., Any]) -> BaseTool:
        key = (inspect.unwrap(function).__code__, function.__name__)
        made = from_langchain(extras=dict(extras), args_schema=_ASKED.get(key))(function)
        _ASKED[key] = made.args_schema
        return made

    return declare
