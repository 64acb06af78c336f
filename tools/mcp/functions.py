"""Tools of plugged-in servers as the model calls them: whose data it is comes from the caller, never from an argument.

```
read    arguments + caller's ─► server ─► evidence
write   arguments ─► proposal ─► the customer's yes ─► journal ─► server ─► journal ─► effect
                                                          └─ nothing heard: unknown, or once more with the same key
```
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from functools import partial
from time import monotonic
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool

from tools.answer import Answer, answering
from tools.confirm import confirmation
from tools.context import Caller, CustomerId
from tools.errors import Rejected, Unavailable
from tools.mcp.port import Connection, Entry, Journal, NotReached
from tools.outside.plugged import Plugged
from tools.outside.result import answer_of
from tools.outside.said import Said
from tools.outside.shape import one_line
from tools.outside.values import filled, packed, shown_facts, unpacked
from tools.proposal import Effect, Proposal
from tools.toolkit import Toolkit, refuse

log = logging.getLogger(__name__)

LOGGED_CHARS = 300
LEAST_SECONDS = 1.0
"""A read is tried again, after the connection broke, if this much of its time is left."""
POLL_SECONDS = 0.05


def mcp_tools(tools: Iterable[Plugged], connection: Connection, journal: Journal) -> list[Toolkit]:
    """Return one toolkit for each tool of one server: each comes and goes by itself."""
    return [
        Toolkit(
            tools=(_tool(tool, connection),),
            phrases=tool.phrases,
            execute=Writing(tool, connection, journal).execute if tool.rule.effect == "write" else refuse,
            present=partial(connection.ready, tool.definition.name),
        )
        for tool in tools
    ]


def _tool(tool: Plugged, connection: Connection) -> BaseTool:
    @answering(tool.phrases, tool.rule)
    async def body(runtime: ToolRuntime[Caller], **arguments: Any) -> Answer:
        given = {name: value for name, value in arguments.items() if name in tool.kinds and value is not None}
        if tool.rule.effect == "write":
            return _proposed(tool, given, runtime.context)
        return await _read(tool, given, runtime.context, connection)

    extras: dict[str, Any] = dict(tool.rule.extras())
    if tool.assigned.recipients:
        extras["recipients"] = list(tool.assigned.recipients)
    return StructuredTool.from_function(
        coroutine=body,
        name=tool.name,
        description=tool.description,
        args_schema=tool.arguments,
        infer_schema=False,
        extras=extras,
    )


async def _read(tool: Plugged, given: Mapping[str, Any], caller: Caller, connection: Connection) -> Answer:
    arguments = filled(tool, given, owner=caller.customer_id, language=caller.language)
    said = await _asked(tool, arguments, connection)
    if said.refused:
        _note(tool, said)
        raise Rejected("refused")
    return answer_of(said, name=tool.name, phrases=tool.phrases, language=caller.language)


async def _asked(tool: Plugged, arguments: Mapping[str, Any], connection: Connection) -> Said:
    """Ask once; a read that broke off is asked once more when the server is back in time."""
    began = monotonic()
    try:
        return await connection.call(tool.definition.name, arguments, seconds=tool.seconds)
    except Unavailable:
        left = tool.seconds - (monotonic() - began)
        if left < LEAST_SECONDS or not await connection.back(
            tool.definition.name, seconds=left - LEAST_SECONDS / 2
        ):
            raise
    left = tool.seconds - (monotonic() - began)
    return await connection.call(tool.definition.name, arguments, seconds=max(0.2, left))


def _proposed(tool: Plugged, given: Mapping[str, Any], caller: Caller) -> Answer:
    proposal = Proposal.made(
        tool.name,
        owner=caller.customer(),
        arguments=packed(tool, given, language=caller.language),
        facts=shown_facts(tool, given),
        # A server that defines the tool anew in the meantime is not what the customer agreed to.
        version=tool.definition.digest,
        now=caller.now,
    )
    question = confirmation(proposal, phrases=tool.phrases, language=caller.language)
    return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)


class Writing:
    """`Execute` of one tool that writes."""

    def __init__(self, tool: Plugged, connection: Connection, journal: Journal) -> None:
        self._tool = tool
        self._connection = connection
        self._journal = journal

    async def execute(self, proposal: Proposal, *, owner: CustomerId, key: str) -> Effect:
        """Send what was confirmed, once for each key, or again with the key where the server takes one.

        `Rejected` when it was refused or not sent at all; `Unavailable` when nobody can tell.
        """
        tool = self._tool
        if proposal.version != tool.definition.digest:
            raise Rejected("changed")
        facts = dict(proposal.facts)
        earlier = await self._journal.begin(
            key, tool=tool.name, owner=owner, digest=proposal.digest, facts=facts
        )
        if earlier is not None:
            found = await self._earlier(earlier, proposal, key)
            if found is not None:
                return found
        arguments = filled(tool, unpacked(tool, proposal.arguments), owner=owner)
        if tool.assigned.idempotency:
            arguments[tool.assigned.idempotency] = key
        said = await self._sent(arguments, key, repeated=earlier is not None)
        if said.refused:
            _note(tool, said)
            await self._journal.settle(key, "refused")
            raise Rejected("refused")
        await self._journal.settle(key, "done")
        return Effect(proposal=proposal, state="done", facts=facts)

    async def _earlier(self, entry: Entry, proposal: Proposal, key: str) -> Effect | None:
        """Return what came of the key before; None when the same may be sent again with it."""
        if entry.digest != proposal.digest:
            raise Rejected("key_reused")
        if entry.state == "open":
            if self._tool.assigned.idempotency:
                return None
            entry = await self._awaited(entry, key)
        if entry.state == "refused":
            raise Rejected("refused")
        return Effect(proposal=proposal, state="already_done", facts=dict(entry.facts))

    async def _awaited(self, entry: Entry, key: str) -> Entry:
        """Whoever sent it may still be waiting; afterwards only a person can find out."""
        until = monotonic() + self._tool.seconds
        while entry.state == "open" and monotonic() < until:
            await asyncio.sleep(POLL_SECONDS)
            entry = await self._journal.look(key) or entry
        if entry.state == "open":
            raise Unavailable(f"{self._tool.name}: sent before, and nothing was heard of it")
        return entry

    async def _sent(self, arguments: Mapping[str, Any], key: str, *, repeated: bool) -> Said:
        name, seconds = self._tool.definition.name, self._tool.seconds
        try:
            return await self._connection.call(name, arguments, seconds=seconds)
        except NotReached as fault:
            if repeated:
                raise Unavailable("sent before, and the server is not reached now") from fault
            await self._journal.forget(key)
            raise Rejected("not_reached") from fault
        except Unavailable:
            again = self._tool.assigned.idempotency and await self._connection.back(name, seconds=seconds)
            if not again:
                raise
        return await self._connection.call(name, arguments, seconds=seconds)


def _note(tool: Plugged, said: Said) -> None:
    """The server's own reason is for operators: to a customer it might tell a foreign record from an absent one."""
    reason = one_line(" ".join(said.text), most=LOGGED_CHARS)
    log.warning("tool %s of %s refused: %s", tool.definition.name, tool.server, reason)
