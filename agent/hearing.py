"""A model heard while it writes: its finished sentences go to the turn, one model at a time has the floor.

```
pieces of a stream ─► Cutter ─► sentence ─► Listener ─┬─ left    this model has the floor; no other begins anew
      │                                               ├─ passed  a courtesy: the next sentence, please
      └─ a tool call: no word of the rest counts      ├─ held    the whole of it is judged at its end
                                                      └─ over    nothing more leaves: the model may stop
```
langchain leaves no argument through which a call could be told where to send its pieces, so the listener of a call
is a variable of its context; a model that does not stream never looks at it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from langchain_core.messages import AIMessageChunk, BaseMessage

from agent.cutting import Cutter
from agent.domain import Sentence, ToolUse
from agent.ports import Listener
from agent.provider import unavailable

Pieces = Callable[[BaseMessage], Awaitable[bool]]
"""Takes the next piece of a message; False when no more are wanted."""

_LISTENING: ContextVar[Pieces | None] = ContextVar("listening", default=None)


def listening() -> Pieces | None:
    """Return who hears the model that is called in this context."""
    return _LISTENING.get()


class Floor:
    """Who may speak during one model call; several models may be asked beside one another.

    `speaker` is the place in the chain of the model whose sentence left first, `over` tells that nothing more will
    leave, `fault` is what the listener raised: it is the turn's, not the provider's.
    """

    def __init__(self, listener: Listener | None, *, tools: Sequence[ToolUse]) -> None:
        self.listener = listener
        self.tools = tools
        self.speaker: int | None = None
        self.over = False
        self.fault: Exception | None = None
        self._one_at_a_time = asyncio.Lock()

    @contextmanager
    def heard(self, index: int, *, opening: Callable[[str], str] | None = None) -> Iterator[None]:
        """Hear the model called inside; `opening` gives back what its words were masked of.

        Raises `ModelUnavailable` when one has spoken: nobody begins anew.
        """
        if self.speaker is not None:
            raise unavailable("unreachable", "it broke off while it was heard")
        token = _LISTENING.set(_Hearing(self, index, opening) if self.listener else None)
        try:
            yield
        finally:
            _LISTENING.reset(token)

    async def pass_on(self, sentence: Sentence, index: int) -> bool:
        """Give one sentence to the turn; False when this model is not to be heard any further."""
        async with self._one_at_a_time:
            if self.listener is None or self.over or self.speaker not in (None, index):
                return False
            before = len(self.listener.said)
            try:
                came = await self.listener.hear(sentence, tools=self.tools)
            except Exception as fault:
                # Among the provider's own faults it would be taken for one of them.
                self.fault, came = fault, "over"
            finally:
                # Also where the call ran out of time while its sentence left.
                if len(self.listener.said) > before:
                    self.speaker = index
            self.over = came == "over"
            return came in ("left", "passed")


class _Hearing:
    """One message, piece by piece."""

    def __init__(self, floor: Floor, index: int, opening: Callable[[str], str] | None) -> None:
        self.floor = floor
        self.opening = opening
        self.index = index
        self.cutter = Cutter()
        self.quiet = False

    async def __call__(self, piece: BaseMessage) -> bool:
        if isinstance(piece, AIMessageChunk) and piece.tool_call_chunks:
            self.quiet = True
        if self.quiet:
            return True
        text = self.opening(piece.text) if self.opening else piece.text
        for sentence in self.cutter.add(text):
            if not await self.floor.pass_on(sentence, self.index):
                self.quiet = True
                return not self.floor.over
        return True
