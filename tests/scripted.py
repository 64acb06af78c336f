"""A chat model that plays what a test wrote for it, and complains when something of it was not played."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from agent.hearing import listening

Step = AIMessage | Exception | Callable[[list[BaseMessage]], AIMessage]


class Unplayed(AssertionError):
    """Steps of the script were left over, or there were too few."""


class ScriptedModel(BaseChatModel):
    """Plays `steps` in order; `asked` keeps the messages of each call, `offered` the names of its tools."""

    steps: list[Any] = Field(default_factory=list)
    asked: list[list[BaseMessage]] = Field(default_factory=list)
    offered: list[tuple[str, ...]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        return self.bind(tool_names=tuple(tool.name for tool in tools))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.asked.append(messages)
        self.offered.append(tuple(kwargs.get("tool_names", ())))
        if not self.steps:
            raise Unplayed(f"call {len(self.asked)} came after the end of the script")
        step = self.steps.pop(0)
        if isinstance(step, Exception):
            raise step
        message = step if isinstance(step, AIMessage) else step(messages)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def finished(self) -> None:
        """Raise `Unplayed` unless every step was played."""
        if self.steps:
            raise Unplayed(f"{len(self.steps)} steps were left unplayed")


class StreamedScript(ScriptedModel):
    """Writes each step piece by piece to whoever listens; a step is a sequence of pieces.

    A piece is text, a chunk, an event to wait for, a fault to raise, or a function to call. `written` keeps the
    pieces of text that were written, so that a test can tell what had not been.
    """

    written: list[str] = Field(default_factory=list)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.asked.append(messages)
        self.offered.append(tuple(kwargs.get("tool_names", ())))
        if not self.steps:
            raise Unplayed(f"call {len(self.asked)} came after the end of the script")
        whole, listener = AIMessageChunk(""), listening()
        for piece in self.steps.pop(0):
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            elif isinstance(piece, Exception):
                raise piece
            elif isinstance(piece, str | AIMessageChunk):
                chunk = AIMessageChunk(piece) if isinstance(piece, str) else piece
                whole = whole + chunk
                self.written.append(chunk.text)
                if listener is not None and not await listener(chunk):
                    break
            else:
                piece()
        message = AIMessage(whole.text, tool_calls=whole.tool_calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


def says(text: str, *, tokens: tuple[int, int] = (0, 0)) -> AIMessage:
    """A final answer; `tokens` are prompt and completion."""
    used = {"input_tokens": tokens[0], "output_tokens": tokens[1], "total_tokens": sum(tokens)}
    return AIMessage(text, usage_metadata=used if any(tokens) else None)  # type: ignore[arg-type]


def calls(*wanted: tuple[str, dict[str, Any]], text: str = "") -> AIMessage:
    """A message that calls tools, with ids as careless as providers give them."""
    made = [ToolCall(name=name, args=arguments, id="x", type="tool_call") for name, arguments in wanted]
    return AIMessage(text, tool_calls=made)
