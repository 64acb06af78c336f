"""The benchmark's own bookkeeping: tools an agent unlocks or gives to a customer, requests for a person, the clock.

It decides which official call may be made, never what the call may see: that is the gate's.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from evals.tau.banking.interface import Entry, agent_tools, customer_tools
from evals.tau.banking.readings import table
from evals.tau.banking.reckoning import number
from evals.tau.banking.store import SqlBank
from evals.tau.domain import Call, Unplayable

_TRANSFERS = [
    "fraud_or_security_concern",
    "account_closure_request",
    "deceased_account_holder",
    "legal_or_regulatory_matter",
    "account_ownership_dispute",
    "complex_billing_dispute",
    "abusive_customer_behavior",
    "third_party_inquiry",
    "technical_system_error",
    "unconfirmed_external_communication",
    "customer_demands_after_unavailable_offer_refusal",
    "kb_search_unsuccessful_customer_requests_transfer",
    "specialized_department_required",
    "accessibility_or_special_needs",
    "customer_frustrated_demands_human",
    "supervisor_request_service_complaint",
    "customer_requests_human_no_specific_reason",
    "request_completed_customer_wants_human_followup",
    "other",
]
_CALLED, _GIVEN, _CALLS = (
    "agent_discoverable_tools",
    "user_discoverable_tools",
    "user_discoverable_tool_calls",
)
_REQUESTS = "human_transfer_requests"


class Unread(Exception):
    """A discovered call that does not come to be; `str()` is the official answer."""


class Discovery:
    """What was unlocked and given in one run."""

    def __init__(self, bank: SqlBank, *, today: str) -> None:
        self._bank = bank
        self._today = today
        self._unlocked: set[str] = set()
        self.calls: Mapping[str, Callable[[Call], Awaitable[str]]] = {
            "unlock_discoverable_agent_tool": self._unlock,
            "give_discoverable_user_tool": self._give,
            "list_discoverable_agent_tools": self._list_called,
            "list_discoverable_user_tools": self._list_given,
            "request_human_agent_transfer": self._request_person,
            "transfer_to_human_agents": self._transfer,
            "get_current_time": self._time,
        }

    # What a discovered call needs before it is made. --------------------------------------------------------

    def unlocked(self, call: Call) -> tuple[str, dict[str, Any]]:
        """Return name and arguments of an agent's call; `Unread` when it is unknown, locked or wrongly written."""
        name = _text(call, "agent_tool_name")
        if name not in agent_tools():
            raise Unread(f"Error: Unknown agent tool '{name}'. This tool is not available.")
        if name not in self._unlocked:
            raise Unread(
                f"Error: Tool '{name}' has not been unlocked. You must first use "
                "`unlock_discoverable_agent_tool` to unlock this tool before calling it."
            )
        given = _arguments(call)
        wrong = spelled(agent_tools()[name], given)
        if wrong is not None:
            raise Unread(f"Error: Invalid arguments: {wrong}")
        return name, given

    async def given(self, call: Call) -> tuple[str, dict[str, Any]]:
        """Return name and arguments of a customer's call; `Unread` when it was not given or is wrongly written."""
        name = _text(call, "discoverable_tool_name")
        if name not in customer_tools():
            raise Unread(f"Error: Unknown discoverable tool '{name}'.")
        entry, given = customer_tools()[name], _arguments(call)
        for one in entry.required:
            if one not in given:
                raise Unread(f"Error: Missing required parameter: {one}")
        _expected(entry, given)
        tools = await self._bank.journal(_GIVEN)
        if all(one["tool_name"] != name for one in tools.values()):
            raise Unread(
                f"Error: Tool '{name}' has not been given to you by the agent. The agent must first use "
                "`give_discoverable_user_tool` to give this tool to you."
            )
        return name, given

    async def called(self, name: str) -> None:
        """Write down that the agent called the tool."""
        record = {"tool_name": name, "status": "CALLED"}
        await self._bank.write_down(_CALLED, number("called_tool", tool_name=name), record)

    async def called_by_customer(self, name: str, given: Mapping[str, Any]) -> None:
        """Write down that the customer called the tool, with what."""
        record = {"tool_name": name, "arguments": given, "called_at": self._today, "status": "CALLED"}
        key = number("user_call", tool_name=name, arguments=json.dumps(given, sort_keys=True))
        await self._bank.write_down(_CALLS, key, record)

    # The calls themselves. ----------------------------------------------------------------------------------

    async def _unlock(self, call: Call) -> str:
        name = _text(call, "agent_tool_name")
        if name not in agent_tools():
            return f"Error: Unknown agent tool '{name}'. This tool is not available."
        self._unlocked.add(name)
        entry = agent_tools()[name]
        return (
            f"Tool unlocked: {name}\nDescription: {entry.about}\n\n"
            f"Tool: {name}\nDescription: {entry.about}\nParameters:\n{_parameters(entry)}\n\n"
            f"You can now use this tool by calling `call_discoverable_agent_tool` with "
            f"agent_tool_name='{name}' and the required arguments."
        )

    async def _give(self, call: Call) -> str:
        name = _text(call, "discoverable_tool_name")
        if name not in customer_tools():
            return f"Error: Unknown discoverable tool '{name}'."
        try:
            given = _arguments(call, floats=False)
            _expected(customer_tools()[name], given)
        except Unread as unread:
            return str(unread)
        record = {"tool_name": name, "status": "GIVEN"}
        await self._bank.write_down(_GIVEN, number("given_tool", tool_name=name), record)
        shown = json.dumps(given, indent=2) if given else "(no arguments)"
        return (
            f"Tool given to user: {name}\nDescription: {customer_tools()[name].about}\nArguments: {shown}\n\n"
            f"The user can now execute this action by calling `call_discoverable_user_tool` with "
            f"discoverable_tool_name='{name}' and the same arguments."
        )

    async def _list_called(self, call: Call) -> str:
        return f"Your called agent tools:\n{table(_CALLED, await self._bank.journal(_CALLED))}"

    async def _list_given(self, call: Call) -> str:
        return f"Tools given to you by the agent:\n{table(_GIVEN, await self._bank.journal(_GIVEN))}"

    async def _request_person(self, call: Call) -> str:
        # A request for a person is the turn's own step in this house; the bank only counts them.
        n = len(await self._bank.journal(_REQUESTS)) + 1
        record = {
            "request_id": f"transfer_request_{n}",
            "request_number": n,
            "requested_at": self._today,
            "status": "PENDING",
        }
        await self._bank.write_down(_REQUESTS, f"transfer_request_{n}", record)
        return f"Transfer request #{n} submitted.\nThe agent will process your request."

    async def _transfer(self, call: Call) -> str:
        reason = call.arguments.get("reason", "other")
        if reason not in _TRANSFERS:
            return f"Error: Invalid transfer reason '{reason}'. Must be one of: {', '.join(_TRANSFERS)}"
        return f"Transfer successful (reason: {reason}). A human agent will assist you shortly."

    async def _time(self, call: Call) -> str:
        return "The current time is 2025-11-14 03:40:00 EST."


def spelled(entry: Entry, given: Mapping[str, Any]) -> str | None:
    """Return what is wrong with the names of the arguments, in the words of a Python call; None if nothing is."""
    owner = f"KnowledgeTools.{entry.name}()"
    for name in given:
        if all(one.name != name for one in entry.takes):
            return f"{owner} got an unexpected keyword argument '{name}'"
    lacking = [repr(name) for name in entry.required if name not in given]
    if not lacking:
        return None
    *first, last = lacking
    comma = "," if len(first) > 1 else ""
    named = f"{', '.join(first)}{comma} and {last}" if first else last
    return f"{owner} missing {len(lacking)} required positional argument{'s' if first else ''}: {named}"


def _expected(entry: Entry, given: Mapping[str, Any]) -> None:
    for name in given:
        if all(one.name != name for one in entry.takes):
            raise Unread(f"Error: Unexpected parameter: {name}")


def _text(call: Call, name: str) -> str:
    value = call.arguments.get(name)
    if not isinstance(value, str):
        raise Unplayable(f"{name} is not a text")
    return value


def _arguments(call: Call, *, floats: bool = True) -> dict[str, Any]:
    """Return the JSON in `arguments`; every number is a float where the official call makes it one."""
    text = call.arguments.get("arguments", "{}")
    if not isinstance(text, str):
        raise Unplayable("arguments are not a text with JSON in it")
    try:
        found = json.loads(text, parse_int=float if floats else int)
    except ValueError as wrong:
        raise Unread(f"Error: Invalid JSON in arguments: {wrong}") from wrong
    if not isinstance(found, dict):
        raise Unplayable("arguments are not a JSON object")
    return found


def _parameters(entry: Entry) -> str:
    lines = [
        f"  - {one.name}: {one.form} ({'optional' if one.optional else 'required'}) - {one.about}"
        for one in entry.takes
    ]
    return "\n".join(lines) or "  (no parameters)"
