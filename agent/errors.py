"""Faults of the agent's room.

```
AgentFault
├─ BadPack          a company pack that cannot be used: file, place, remedy
├─ BadModel         a model's name in the settings that cannot be read
├─ WriterFailed     no model of the chain gave a usable draft
├─ ModelUnavailable one model could not be reached or refused
└─ BudgetSpent      a limit of the turn or the conversation is used up
```
"""

from typing import ClassVar


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
    """No model of the chain gave a usable draft."""

    code = "writer_failed"


class ModelUnavailable(AgentFault):
    """A model could not be reached, refused, or answered with nothing."""

    code = "model_unavailable"


class BudgetSpent(AgentFault):
    """A limit of tokens, money, calls or seconds is used up."""

    code = "budget_spent"
