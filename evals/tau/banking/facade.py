"""The official calls of the bank, each done by Mayak's own tools as the verified customer.

    a call ─► its entry in official/*.toml ─► who it names is the bound customer? ─► tool ─► the desk ─► the official words

Discovery (unlock, give, list), requests for a person and the bank's clock are the benchmark's own bookkeeping: they use
no customer's data and are kept in the bank's journal.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from evals.tau.banking import official
from evals.tau.banking.discovery import Discovery, Unread, spelled
from evals.tau.banking.interface import WHO, Entry, agent_tools, customer_tools, form, open_tools
from evals.tau.banking.port import Holdings
from evals.tau.banking.readings import READINGS
from evals.tau.banking.store import SqlBank
from evals.tau.desk import Desk
from evals.tau.domain import Call, Json, Unplayable
from tools.context import CustomerId

_FACTORS = ("date_of_birth", "email", "phone_number", "address")
_FACTORS_NEEDED = 2
_NO_SUCH_USER = "Error: User with ID '{user_id}' not found."
_SHUT = ("not_identified", "no_basis", "not_found")


class BankWorld:
    """One run over one bank; `owners` says whose each record was before it, for the harness alone."""

    def __init__(
        self, *, bank: SqlBank, desk: Desk, engine: AsyncEngine, owners: Mapping[str, str], today: str
    ) -> None:
        self._bank = bank
        self._desk = desk
        self._engine = engine
        self._owners = owners
        self._today = today
        self._discovery = Discovery(bank, today=today)
        own: Mapping[str, Callable[[Call], Awaitable[str]]] = {
            "log_verification": self._verified,
            "call_discoverable_agent_tool": self._by_agent,
            "call_discoverable_user_tool": self._by_customer,
        }
        self._own = {**own, **self._discovery.calls}

    def owner_of(self, call: Call) -> str | None:
        named = (self._owners.get(text) for text in _texts(call.arguments))
        return next((owner for owner in named if owner is not None), None)

    async def bind(self, owner: str) -> None:
        await self._desk.bind(owner)

    async def call(self, call: Call) -> Json:
        if call.name in self._own:
            return await self._own[call.name](call)
        entry = open_tools().get(call.name)
        if entry is None or entry.by != call.by:
            raise Unplayable(f"the bank has no tool {call.name!r} for the {call.by}")
        wrong = spelled(entry, call.arguments)
        if wrong is not None:
            raise Unplayable(wrong)
        return await self._done(entry, dict(call.arguments))

    async def database(self) -> Mapping[str, Json]:
        async with self._engine.connect() as connection:
            return await official.database(connection)

    async def close(self) -> None:
        await self._engine.dispose()

    # Who it is. ---------------------------------------------------------------------------------------------

    async def _verified(self, call: Call) -> str:
        """Verify by two of four factors and write it down; the official call only writes down."""
        named = ("name", WHO, "address", "email", "phone_number", "date_of_birth", "time_verified")
        claim = {name: str(call.arguments.get(name, "")) for name in named}
        if set(call.arguments) != set(named):
            raise Unplayable("a verification has seven arguments: " + ", ".join(named))
        record = await self._bank.identity(claim[WHO])
        right = sum(record is not None and record.get(name) == claim[name] for name in _FACTORS)
        if right < _FACTORS_NEEDED or self._desk.owner not in (None, claim[WHO]):
            return form(_NO_SUCH_USER, claim)
        if self._desk.owner is None:
            await self._desk.bind(claim[WHO])
        key = f"{claim[WHO]}_{claim['time_verified'].replace(' ', '_').replace(':', '').replace('-', '')}"
        owner = CustomerId(claim[WHO])
        if not await self._bank.write_down("verification_history", key, claim, owner=owner):
            return "Failed to log verification: Record may already exist."
        return (
            f"Verification logged successfully.\n  - User: {claim['name']} (ID: {claim[WHO]})\n"
            f"  - Verified at: {claim['time_verified']}"
        )

    # Calls that were discovered. ----------------------------------------------------------------------------

    async def _by_agent(self, call: Call) -> str:
        try:
            name, given = self._discovery.unlocked(call)
        except Unread as unread:
            return str(unread)
        said = await self._done(agent_tools()[name], given)
        await self._discovery.called(name)
        return said

    async def _by_customer(self, call: Call) -> str:
        try:
            name, given = await self._discovery.given(call)
        except Unread as unread:
            return str(unread)
        await self._discovery.called_by_customer(name, given)
        return await self._done(customer_tools()[name], given)

    # One call of the interface. -----------------------------------------------------------------------------

    async def _done(self, entry: Entry, given: dict[str, Any]) -> str:
        if entry.constant:
            return entry.constant
        lacking = entry.first_lacking(given)
        if lacking is not None:
            return form(entry.words["missing"], {"first": lacking})
        context = {**entry.defaults, **given, "today": self._today, "arguments": _listed(entry, given)}
        if entry.reads:
            return await self._read(entry, given, context)
        if WHO in given and given[WHO] != self._desk.owner:
            return form(entry.words.get("foreign", _NO_SUCH_USER), context)
        if "whole" in entry.refused and not entry.whole(given):
            return entry.error("whole", context)
        said = await self._desk.ask(entry.action, entry.arguments(given))
        facts = {**context, **said.facts}
        if said.fault in _SHUT:
            return self._shut(entry, context)
        if said.fault is None:
            return entry.tell(facts)
        return entry.error(said.fault, {**facts, "right_tool": _right_tool(entry, facts)})

    def _shut(self, entry: Entry, context: Mapping[str, Any]) -> str:
        """Return what somebody unknown hears: nothing of theirs is there."""
        absent = next((key for key in entry.refused if key.startswith("absent.")), "")
        return form(entry.refused.get(absent, _NO_SUCH_USER), {WHO: "", **context})

    async def _read(self, entry: Entry, given: Mapping[str, Any], context: Mapping[str, Any]) -> str:
        if any(one.form == "string" and not isinstance(given[one.name], str) for one in entry.takes):
            raise Unplayable(f"{entry.name} takes texts")
        holdings = await self._mine(entry, given)
        return READINGS[entry.how](entry, context, holdings)

    async def _mine(self, entry: Entry, given: Mapping[str, Any]) -> Holdings:
        """Return the bound customer's holdings once the gate let them read; nothing for anybody else."""
        nobody = Holdings(owner=CustomerId(""), tables={}, settings={}, today=official.TODAY.date())
        owner = self._desk.owner
        if owner is None or given.get(WHO, owner) != owner:
            return nobody
        said = await self._desk.ask("my_records", {"kind": entry.reads})
        return nobody if said.fault else await self._bank.holdings(owner=owner)


def _right_tool(entry: Entry, facts: Mapping[str, Any]) -> str:
    """Return the official name of the tool that does the same for another kind, "unknown" where none does."""
    same = (one for one in agent_tools().values() if one.action == entry.action)
    return next((one.name for one in same if one.sets.get("kind") == facts.get("right", "")), "unknown")


def _listed(entry: Entry, given: Mapping[str, Any]) -> str:
    return json.dumps({one.name: given[one.name] for one in entry.takes if one.name in given}, indent=2)


def _texts(value: Any) -> list[str]:
    """Return every text among the arguments, those inside of JSON in a text as well."""
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _texts(one)]
    if not isinstance(value, str):
        return []
    try:
        inside = json.loads(value) if value.startswith("{") else None
    except ValueError:
        inside = None
    return [value, *_texts(inside)]
