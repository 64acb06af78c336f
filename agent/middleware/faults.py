"""A failing tool is a result, not a crash: the model reads a code, the log gets the cause, nobody a stack trace."""

import asyncio
import logging
from typing import Any

from langchain_core.messages import ToolMessage

from agent.middleware.book import Booked, fault
from tools.errors import ToolFault

log = logging.getLogger(__name__)

TOOL_SECONDS = 10.0
"""Longest a customer waits for one tool."""
LEAST_SECONDS = 0.5
"""What a tool still gets when the turn's time is nearly used up."""
FAILURES_ALLOWED = 2
"""A tool that did not work this often is not tried again in the turn."""


class Faults(Booked):
    """Shows the tool's status line, bounds its time, and turns what goes wrong into a fault result."""

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage:
        """Run the tool once, within its time."""
        call = request.tool_call
        name = call["name"]
        if name in self.book.controls:
            return await handler(request)
        if self.book.broken(name) >= FAILURES_ALLOWED:
            return ToolMessage(content=fault("unavailable"), name=name, tool_call_id=call["id"])
        await self._show_status(name)
        return ToolMessage(content=await self._content(request, handler), name=name, tool_call_id=call["id"])

    async def _content(self, request: Any, handler: Any) -> str:
        name = request.tool_call["name"]
        seconds = max(LEAST_SECONDS, min(TOOL_SECONDS, self.book.seconds_left()))
        try:
            async with asyncio.timeout(seconds):
                message = await handler(request)
        except ToolFault as failure:
            log.warning("tool %s: %s (%s)", name, failure.code, failure.remedy)
            return fault(failure.code)
        except TimeoutError:
            log.warning("tool %s: no result in %.1f s", name, seconds)
            return fault("unavailable")
        except Exception:
            # A tool is somebody else's system: whatever it raises, the customer's turn goes on without it.
            log.exception("tool %s failed", name)
            return fault("unavailable")
        if message.status == "error":
            return fault("bad_arguments", detail=str(message.content)[:500])
        return str(message.content)

    async def _show_status(self, name: str) -> None:
        lines = (self.book.offered[name].extras or {}).get("status") or {}
        text = lines.get(self.book.caller.language, "")
        if text:
            await self.book.status(text)
