"""Who may take along, and have deleted, what is held of them. Pure.

| whose conversation | how sure we are | may                                                  |
|--------------------|-----------------|------------------------------------------------------|
| nobody's           |                 | export and erase it: its token is all there is to it |
| a customer's       | surely theirs   | export and erase everything of theirs                |
| a customer's       | less            | neither: a linked chat may be in another's hands     |
"""

from typing import Literal

from agent.policy.standing import SURE
from tools.context import Assurance, CustomerId

Right = Literal["export", "erase"]


def rights_of(customer: CustomerId | None, assurance: Assurance) -> tuple[Right, ...]:
    """Return what somebody may do whose conversation this is; `assurance` as it counts now."""
    return ("export", "erase") if customer is None or assurance in SURE else ()
