"""What of personal data is used by tools: a line of the audit before each use, with what it rests on."""

from agent.basis import Basis
from agent.records.chain import Entry, subject_of
from agent.records.store import Store
from tools.context import Caller


class Using(Store):
    """Implements `tools.assurance.Watch`."""

    async def used(self, caller: Caller, tool: str, basis: object) -> None:
        """Write down that a tool is about to use the caller's data under this basis; committed when this returns."""
        if not isinstance(basis, Basis):
            raise TypeError(f"{tool} rests on {basis!r}, which is no basis")
        told = {
            "tool": tool,
            "purpose": basis.purpose,
            "basis": basis.kind,
            "consent": basis.row.number if basis.row else None,
            "channel": caller.channel,
            "turn": caller.turn,
        }
        about = subject_of(caller.conversation, caller.customer_id)
        await self.trail.write(
            Entry(act="tool", actor="ai", target=caller.conversation, about=about, detail=told)
        )
