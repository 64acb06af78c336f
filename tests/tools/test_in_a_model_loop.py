"""The tools inside langchain's own loop: identity comes from the context, whatever the model writes."""

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage

from tests.tools.shop import ANNA, BORIS, caller, toolbox
from tools.context import Caller
from tools.errors import NoBasis
from tools.toolbox import Toolbox


class Scripted(GenericFakeChatModel):
    """Says what it is told to; langchain's own fake refuses tools."""

    def bind_tools(self, tools: Any, **_: Any) -> "Scripted":
        return self


async def called(box: Toolbox, who: Caller, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    call = {"name": name, "args": arguments, "id": "call-1", "type": "tool_call"}
    model = Scripted(messages=iter([AIMessage(content="", tool_calls=[call]), AIMessage(content="done")]))
    agent = create_agent(model, tools=box.tools(), context_schema=Caller)
    state = await agent.ainvoke({"messages": [{"role": "user", "content": "?"}]}, context=who)
    (answer,) = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    result: dict[str, Any] = json.loads(str(answer.content))
    return result


async def test_the_order_is_looked_up_for_the_caller_of_the_context() -> None:
    result = await called(toolbox(), caller(), "order_status", {"order_id": "1045a"})
    assert (result["ok"], result["facts"]["order"]) == (True, "1045-А")


async def test_a_model_that_names_another_customer_gets_the_callers_view() -> None:
    smuggled = {
        "order_id": "1077",
        "customer_id": str(BORIS),
        "owner": str(BORIS),
        "runtime": {"context": str(BORIS)},
    }
    result = await called(toolbox(), caller(ANNA), "order_status", smuggled)
    assert (result["ok"], result["fault"]) == (False, "not_found")
    assert (await called(toolbox(), caller(BORIS), "order_status", {"order_id": "1077"}))["ok"]


async def test_a_tool_without_a_basis_stops_the_loop() -> None:
    with pytest.raises(NoBasis):
        await called(toolbox(), caller(purposes=frozenset()), "list_orders", {})
