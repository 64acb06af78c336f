"""The tools of a system behind HTTP as the model calls them: whose data it is comes from the caller."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, StructuredTool

from tools.answer import MAX_ENTRIES, Answer, answering
from tools.confirm import confirmation
from tools.context import Caller, CustomerId
from tools.intents.port import Intents
from tools.openapi.asking import Asking, Rows
from tools.openapi.changing import Changing
from tools.openapi.mapped import Mapped
from tools.openapi.system import System
from tools.openapi.telling import Telling
from tools.openapi.writing import Writing
from tools.outside.plugged import Plugged
from tools.outside.result import bounded
from tools.outside.values import filled
from tools.toolkit import Toolkit


def openapi_tools(
    system: System, asking: Asking, intents: Intents, *, now: Callable[[], datetime]
) -> list[Toolkit]:
    """Return the toolkits of one system, one for each tool."""
    reads = [Toolkit(tools=(_reading(tool, asking),), phrases=tool.phrases) for tool in system.tools]
    return [*reads, *(_writes(tool, Writing(tool, asking, intents, now=now)) for tool in system.changes)]


def _writes(tool: Changing, writing: Writing) -> Toolkit:
    @answering(tool.phrases, tool.rule)
    async def body(runtime: ToolRuntime[Caller], **arguments: Any) -> Answer:
        given = {name: value for name, value in arguments.items() if name in tool.kinds and value is not None}
        proposal = await writing.propose(given, runtime.context)
        question = confirmation(proposal, phrases=tool.phrases, language=runtime.context.language)
        return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)

    extras: dict[str, Any] = dict(tool.rule.extras())
    if tool.assigned.recipients:
        extras["recipients"] = list(tool.assigned.recipients)
    return Toolkit(tools=(_called(tool, body, extras),), phrases=tool.phrases, execute=writing.execute)


def _called(tool: Plugged, body: Callable[..., Awaitable[str]], extras: Mapping[str, Any]) -> BaseTool:
    return StructuredTool.from_function(
        coroutine=body,
        name=tool.name,
        description=tool.description,
        args_schema=tool.arguments,
        infer_schema=False,
        extras=dict(extras),
    )


def _reading(tool: Mapped, asking: Asking) -> BaseTool:
    telling = Telling(tool)

    @answering(tool.phrases, tool.rule)
    async def body(runtime: ToolRuntime[Caller], **arguments: Any) -> Answer:
        caller = runtime.context
        given = {name: value for name, value in arguments.items() if name in tool.kinds and value is not None}
        sent = filled(tool, given, owner=caller.customer_id, language=caller.language)
        owner = caller.customer_id if tool.rule.scope is not None else None
        if not tool.reading.rows:
            row = await asking.one(tool.reading, tool.operation, sent, owner=owner)
            return Answer(
                kind="record", sentences=telling.row(row, caller.language), facts=bounded(telling.known(row))
            )
        return _listed(tool, telling, await _rows(tool, asking, sent, owner=owner), caller)

    extras: dict[str, Any] = dict(tool.rule.extras())
    if tool.reading.fills:
        extras["fills"] = sorted(tool.reading.fills)
    return _called(tool, body, extras)


async def _rows(tool: Mapped, asking: Asking, sent: Mapping[str, Any], *, owner: CustomerId | None) -> Rows:
    found = await asking.many(tool.reading, tool.operation, sent, owner=owner)
    more = found.more or len(found.rows) > MAX_ENTRIES
    return Rows(rows=found.rows[:MAX_ENTRIES], more=more)


def _listed(tool: Mapped, telling: Telling, found: Rows, caller: Caller) -> Answer:
    said = [" ".join(telling.row(row, caller.language)) for row in found.rows]
    if not said:
        said = [telling.empty(caller.language)]
    if found.more:
        said.append(telling.more(caller.language))
    choices = {
        argument: [
            {"value": str(row[field]), "label": str(row[field])}
            for row in found.rows
            if row.get(field) not in (None, "")
        ]
        for argument, field in tool.reading.fills.items()
    }
    entries = [bounded(telling.known(row)) for row in found.rows]
    return Answer(kind="records", sentences=tuple(said), facts={"entries": entries}, choices=choices)
