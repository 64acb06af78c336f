"""A tool that is not offered to this caller does not exist, whatever a model invents."""

from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolMessage

from agent.middleware.book import Book, fault


class Consent(AgentMiddleware):
    """Refuses every call outside the offer; what is offered depends on identity and live purposes alone."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self.book = book

    async def awrap_tool_call(self, request: Any, handler: Any) -> ToolMessage:
        """Run the call, or answer that there is no such tool."""
        call = request.tool_call
        if call["name"] in self.book.offered or call["name"] in self.book.controls:
            return await handler(request)
        return ToolMessage(content=fault("not_offered"), name=call["name"], tool_call_id=call["id"])
