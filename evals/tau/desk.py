"""Where a recorded customer is served: their calls reach Mayak's tools through the same gate as everybody's.

ask(tool, arguments) ─► toolbox.call ─► answer
                                   └─► a proposal ─► the scripted customer says yes ─► toolbox.execute ─► effect
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from evals.tau.domain import Unplayable
from tools.context import Assurance, Caller, ConversationId, CustomerId, TurnId
from tools.errors import NoBasis, NotIdentified
from tools.proposal import Proposal
from tools.toolbox import Toolbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What came of a request: `fault` is the code of a refusal, None where it was done; `facts` are of either."""

    fault: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Desk:
    """One customer at a toolbox; until `bind` it is nobody, or the `visitor` known by the conversation alone."""

    def __init__(
        self,
        toolbox: Toolbox,
        *,
        purposes: frozenset[str],
        now: Callable[[], datetime],
        visitor: CustomerId | None = None,
    ) -> None:
        self._toolbox = toolbox
        self._visitor = visitor
        self._purposes = purposes
        self._now = now
        self._owner: CustomerId | None = None

    @property
    def owner(self) -> CustomerId | None:
        """The customer who was verified, None while nobody is."""
        return self._owner

    async def bind(self, owner: str) -> None:
        """Let the customer be verified as `owner`; `ValueError` when somebody is already."""
        if self._owner is not None:
            raise ValueError(f"This run is already bound to a customer, {self._owner!r}: bind once a run.")
        self._owner = CustomerId(owner)

    async def ask(self, tool: str, arguments: Mapping[str, object]) -> Said:
        """Call the tool as the customer and confirm what it proposes; `Unplayable` for arguments it cannot read."""
        caller = self._caller()
        try:
            answer = json.loads(await self._toolbox.call(tool, arguments, caller))
        except (NotIdentified, NoBasis) as shut:
            return Said(fault=shut.code)
        except ValidationError as unread:
            first = unread.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise Unplayable(f"{where}: {first['msg']}") from unread
        if "proposal" in answer:
            return await self._confirmed(Proposal.from_dict(answer["proposal"]), caller)
        return Said(fault=answer.get("fault"), facts=answer["facts"])

    async def _confirmed(self, proposal: Proposal, caller: Caller) -> Said:
        effect = await self._toolbox.execute(proposal, caller, key=proposal.id)
        if effect.state == "refused":
            return Said(fault=f"rejected.{effect.facts['reason']}", facts=effect.facts)
        return Said(fault=None if effect.state != "unknown" else "unknown", facts=effect.facts)

    def _caller(self) -> Caller:
        assurance: Assurance = "verified" if self._owner else "channel" if self._visitor else "anonymous"
        return Caller(
            conversation=ConversationId("replay"),
            turn=TurnId("replay"),
            language="en",
            channel="replay",
            customer_id=self._owner or self._visitor,
            assurance=assurance,
            purposes=self._purposes if assurance != "anonymous" else frozenset(),
            now=self._now(),
        )
