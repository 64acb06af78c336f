"""One model call, answered by the first model of the chain that can; a failed one is not asked again this turn."""

from typing import Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from agent.middleware.book import Book


class Fallback(AgentMiddleware):
    """Chooses the model of each call, and takes the tools away when the turn's calls are used up."""

    def __init__(self, book: Book) -> None:
        super().__init__()
        self.book = book

    async def awrap_model_call(self, request: Any, handler: Any) -> AIMessage:
        """Ask the chain from the model that spoke last. Raises `WriterFailed`."""
        book = self.book
        tools = request.tools if book.calls_left() else list(book.controls.values())

        async def call(model: BaseChatModel) -> AIMessage:
            response = await handler(request.override(model=model, tools=tools))
            return response.result[0]

        reply = await book.models.ask(call, start=book.link, seconds=book.seconds_left())
        kept = {"link": reply.link, "ms": round(reply.ms, 3), "tried": list(reply.tried)}
        return reply.message.model_copy(update={"response_metadata": kept})
