"""A tool that is not offered to this caller does not exist, whatever a model invents."""

from typing import Any

from langchain_core.messages import ToolMessage

from agent.middleware.book import Booked, fault


class Consent(Booked):
    """Refuses every call outside the offer; what is offered depends on identity and live purposes alone."""

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage:
        """Run the call, or answer that there is no such tool."""
        call = request.tool_call
        if call["name"] in self.book.offered or call["name"] in self.book.controls:
            return await handler(request)
        return ToolMessage(content=fault("not_offered"), name=call["name"], tool_call_id=call["id"])
