"""The tools over one system of the company: a business is added as one more toolkit."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from langchain.tools import BaseTool

from tools.context import CustomerId
from tools.errors import Unconfirmed
from tools.phrases import Phrases
from tools.proposal import Effect, Proposal


class Execute(Protocol):
    """Does what was proposed and confirmed, once for each key; raises as `tools.orders.port.Orders.execute`."""

    async def __call__(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect: ...


async def refuse(proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
    """The `Execute` of tools that only read: nothing is ever theirs to do."""
    raise Unconfirmed()


def always() -> bool:
    """The `present` of tools that the house brings itself."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolkit:
    """Tools with their texts, and what does the writes they propose; no writes unless told how.

    `phrases` holds `cues.<tool>`, `status.<tool>`, `slots.<argument>` for every tool and, for those that write,
    `confirm.<tool>` and `effect.<tool>.<state>`. While `present` says no, the tools are offered to nobody.
    """

    tools: tuple[BaseTool, ...]
    phrases: Phrases
    execute: Execute = refuse
    present: Callable[[], bool] = always
