"""Turns of a model that calls tools as it is told: the loop, the ledger and the toolbox are those of a real turn."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any, TypeVar, cast

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolCall
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field

from agent.domain import Draft
from agent.fake import FakeGate
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import Pack
from agent.ports import Brief, Steps
from agent.records.purse import FakePurse
from tools.context import Caller, ConversationId, CustomerId, TurnId
from tools.toolbox import Toolbox

T = TypeVar("T")
Wanted = tuple[str, Mapping[str, Any]]
"""A tool and its arguments."""
PURPOSES = frozenset({"orders:read", "orders:write", "profile:read", "profile:write"})


class Calling(BaseChatModel):
    """Calls `wanted` in one message, and says nothing when the results have come."""

    wanted: list[Wanted] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "calling"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Runnable[Any, AIMessage]:
        """Return the model itself: it knows what it will call."""
        return cast("Runnable[Any, AIMessage]", self)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        done = messages[-1].type == "tool"
        calls = [ToolCall(name=name, args=dict(args), id="x", type="tool_call") for name, args in self.wanted]
        message = AIMessage("" if not done else "-", tool_calls=[] if done else calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


class Talk:
    """The loop of one toolbox and pack, with the model that does as it is told."""

    def __init__(self, toolbox: Toolbox, pack: Pack) -> None:
        self._model = Calling()
        chain = ModelChain([Link(name="calling", model=self._model, timeout=60, local=True)])
        self._loop = Loop(chain, toolbox=toolbox, pack=pack, purse=FakePurse(), gate=FakeGate())

    async def turn(self, *wanted: Wanted, who: Caller, steps: Steps) -> Draft:
        """Run one turn in which the model calls this."""
        self._model.wanted = list(wanted)
        brief = Brief(question="?", language=who.language, history=(), evidence=(), caller=who)
        return await self._loop.write(brief, steps=steps, status=_nobody)


class Timed:
    """Steps of another engine; `took` keeps (name, begin, end) of each in seconds, as they ended."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self.attempt = steps.attempt
        self.took: list[tuple[str, float, float]] = []

    async def run(self, name: str, effect: Callable[[], Awaitable[T]], *, of: type[T]) -> T:
        """Run the step and take its time."""
        began = perf_counter()
        try:
            return await self._steps.run(name, effect, of=of)
        finally:
            self.took.append((name, began, perf_counter()))

    def of_tools(self) -> list[tuple[str, float, float]]:
        """Return the steps that called tools."""
        return [step for step in self.took if step[0].startswith("tool:")]


def customer(id: CustomerId) -> Caller:
    """Return a signed-in customer who allows everything."""
    return Caller(
        conversation=ConversationId("bench"),
        turn=TurnId("bench"),
        language="ru",
        channel="widget",
        customer_id=id,
        assurance="verified",
        purposes=PURPOSES,
        now=datetime.now(UTC),
    )


async def _nobody(_: str) -> None:
    """Nobody sees the status line."""
