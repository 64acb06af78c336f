"""Everything the company can do for a caller: which tools exist for whom, and the writes they confirmed.

Each tool's `extras` hold its rule and its wording:
`{"scope", "effect", "assurance", "recipients"?: [argument that says where something goes], "status": {language: line}, "cues": {language: [phrase]},
"slots": {argument: {language: [expression with a group "value"]}}}`.

caller ──► offered ──► the model calls a tool ──► proposal ──► confirmation ──► execute ──► effect_text
"""

import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Literal

from langchain.tools import BaseTool, ToolRuntime

from tools.assurance import Rule, admit, has_basis, known_enough
from tools.confirm import confirmation, effect_text
from tools.context import Assurance, Caller, Language
from tools.crm.functions import crm_tools
from tools.crm.port import CRM
from tools.errors import Expired, NotFound, Rejected, Unavailable, Unconfirmed
from tools.orders.functions import order_tools
from tools.orders.port import Orders
from tools.phrases import LANGUAGES, Phrases
from tools.proposal import Effect, Proposal
from tools.texts import TEXTS as TEXTS


class Toolbox:
    """The tools over one order system and one customer register."""

    def __init__(self, orders: Orders, crm: CRM, phrases: Phrases) -> None:
        self._orders = orders
        self._phrases = phrases
        self._tools: Mapping[str, BaseTool] = MappingProxyType(
            {tool.name: tool for tool in (*order_tools(orders, phrases), *crm_tools(crm, phrases))}
        )
        self._rules = {name: Rule.of(tool.extras or {}) for name, tool in self._tools.items()}
        for tool in self._tools.values():
            tool.extras = {**(tool.extras or {}), **self._wording(tool)}

    # What exists. -----------------------------------------------------------------------------------------

    def tools(self) -> list[BaseTool]:
        """Return every tool, whoever asks. A model is given `offered`."""
        return list(self._tools.values())

    def scope(self, name: str) -> str | None:
        """Return the purpose of the data the tool uses, None for public data."""
        return self._rule(name).scope

    def effect(self, name: str) -> Literal["read", "write"]:
        return self._rule(name).effect

    def recipients(self, name: str) -> tuple[str, ...]:
        """Return the arguments of the tool that say where something goes."""
        return tuple((self._tool(name).extras or {}).get("recipients", ()))

    def assurance(self, name: str) -> Assurance:
        return self._rule(name).assurance

    def offered(self, caller: Caller) -> list[BaseTool]:
        """Return the tools that exist for this caller; calling any other raises `NoBasis` or `NotIdentified`."""
        return [tool for name, tool in self._tools.items() if self._open(name, caller)]

    def needed(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """Return (tool, purpose) for each tool that one granted purpose would open."""
        return tuple(
            (name, rule.scope)
            for name, rule in self._rules.items()
            if rule.scope is not None and known_enough(caller, rule) and not has_basis(caller, rule)
        )

    async def call(self, name: str, arguments: Mapping[str, object], caller: Caller) -> str:
        """Run one tool outside a model loop, through the same gate; return its JSON."""
        runtime: ToolRuntime[Caller] = ToolRuntime(
            state={},
            context=caller,
            config={},
            stream_writer=lambda _: None,
            tool_call_id=None,
            store=None,
        )
        result = await self._tool(name).ainvoke({**arguments, "runtime": runtime})
        return str(result)

    # How customers ask for it, for planners without a provider. --------------------------------------------

    def cues(self, name: str, language: Language) -> tuple[str, ...]:
        """Return the phrases by which customers ask for the tool."""
        return self._phrases.items(f"cues.{self._tool(name).name}", language)

    def slots(self, argument: str, language: Language) -> tuple[re.Pattern[str], ...]:
        """Return the expressions that find an argument in free text, best first; each has a group `value`."""
        return _compiled(self._phrases.items(f"slots.{argument}", language))

    def status(self, name: str, language: Language) -> str:
        """Return the line shown while the tool runs."""
        return self._phrases.say(f"status.{self._tool(name).name}", language)

    # Confirmed writes. --------------------------------------------------------------------------------------

    def confirmation(self, proposal: Proposal, language: Language) -> str:
        """Return the question to put to the customer before `execute`."""
        return confirmation(proposal, phrases=self._phrases, language=language)

    def effect_text(self, effect: Effect, language: Language) -> str:
        """Return what to tell the customer after `execute`."""
        return effect_text(effect, phrases=self._phrases, language=language)

    async def execute(self, proposal: Proposal, caller: Caller, *, key: str) -> Effect:
        """Do what the customer confirmed, once for each `key` (the proposal's id).

        Checks again basis, identity, owner, digest and expiry: `NoBasis`, `NotIdentified`, `NotFound`,
        `Unconfirmed`, `Expired`. A refusal of the system is an `Effect`, and so is not knowing what it did.
        """
        if proposal.tool not in self._tools or self.effect(proposal.tool) != "write" or not proposal.intact():
            raise Unconfirmed()
        admit(caller, self._rule(proposal.tool))
        owner = caller.customer()
        if proposal.owner != owner:
            raise NotFound()
        if caller.now >= proposal.expires:
            raise Expired()
        try:
            return await self._orders.execute(proposal, owner=owner, key=key)
        except Rejected as refusal:
            return Effect(
                proposal=proposal, state="refused", facts={**proposal.facts, "reason": refusal.reason}
            )
        except Unavailable:
            return Effect(proposal=proposal, state="unknown", facts=proposal.facts)

    def _wording(self, tool: BaseTool) -> dict[str, object]:
        """What a planner without a provider reads in `extras`: status line, cues, and slots of each argument."""
        items, say = self._phrases.items, self._phrases.say
        return {
            "status": {language: say(f"status.{tool.name}", language) for language in LANGUAGES},
            "cues": {language: list(items(f"cues.{tool.name}", language)) for language in LANGUAGES},
            "slots": {
                argument: {language: list(items(f"slots.{argument}", language)) for language in LANGUAGES}
                for argument in tool.args
            },
        }

    def _open(self, name: str, caller: Caller) -> bool:
        rule = self._rules[name]
        return known_enough(caller, rule) and has_basis(caller, rule)

    def _tool(self, name: str) -> BaseTool:
        if name not in self._tools:
            raise KeyError(f"No tool {name!r}; there are {', '.join(self._tools)}")
        return self._tools[name]

    def _rule(self, name: str) -> Rule:
        return self._rules[self._tool(name).name]


@cache
def _compiled(expressions: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(expression, re.IGNORECASE) for expression in expressions)
