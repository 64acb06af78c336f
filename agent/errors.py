"""Faults of the agent's room.

```
AgentFault
├─ BadPack          a company pack that cannot be used: file, place, remedy
├─ BadModel         a model's name in the settings that cannot be read
├─ WriterFailed     no model of the chain gave a usable draft
└─ ModelUnavailable one model could not be reached or refused
```
"""

from typing import ClassVar

from agent.domain import ToolUse
from agent.receipt import ModelRead
from agent.spending import Charge


class AgentFault(Exception):
    """Base of the room; `remedy` says what to do about it."""

    code: ClassVar[str] = "agent_fault"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class BadPack(AgentFault):
    """The company pack is refused."""

    code = "bad_pack"


class BadModel(AgentFault):
    """A model's name in the settings cannot be read."""

    code = "bad_model"


class WriterFailed(AgentFault):
    """No model of the chain gave a usable draft; `charges` is what asking cost all the same.

    `tools` are the calls that had finished by then: sentences that left may rest on them; `reads` what models had been
    given all the same.
    """

    code = "writer_failed"

    def __init__(self, message: str, *, remedy: str = "", charges: tuple[Charge, ...] = ()) -> None:
        super().__init__(message, remedy=remedy)
        self.charges = charges
        self.tools: tuple[ToolUse, ...] = ()
        self.reads: tuple[ModelRead, ...] = ()


class ModelUnavailable(AgentFault):
    """A model could not be reached, refused, or answered with nothing usable.

    `why` is one word of `agent.provider.Why`; `wait` the seconds the provider asked to be left alone, 0 for
    none said; `tokens` (prompt, completion) when the provider told them; `billed` when it has worked for it.
    """

    code = "model_unavailable"

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        why: str = "",
        wait: float = 0.0,
        tokens: tuple[int, int] | None = None,
        billed: bool = False,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.why = why
        self.wait = wait
        self.tokens = tokens
        self.billed = billed
