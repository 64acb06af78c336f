"""Everything the company can do for a caller: which tools exist for whom, and the writes they confirmed.

A toolbox holds toolkits: one for each system of the company, with its tools, its texts and what does its writes.

Each tool's `extras` hold its rule and its wording:
`{"scope", "effect", "assurance", "recipients"?: [argument that says where something goes], "status": {language: line}, "cues": {language: [phrase]},
"slots": {argument: {language: [expression with a group "value"]}}}`.

caller ──► offered ──► the model calls a tool ──► proposal ──► confirmation ──► execute ──► effect_text
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, wraps
from types import MappingProxyType
from typing import Any, Literal

from langchain.tools import BaseTool, ToolRuntime
from langchain_core.tools import StructuredTool

from tools.assurance import Require, Rule, Watch, admit, as_told, has_basis, known_enough, raised, unwatched
from tools.confirm import confirmation, effect_text
from tools.context import Assurance, Caller, Language
from tools.errors import Expired, NotFound, Rejected, Unavailable, Unconfirmed, Unsent
from tools.phrases import LANGUAGES
from tools.proposal import Effect, Proposal
from tools.texts import TEXTS as TEXTS
from tools.toolkit import Toolkit
from tools.unreached import unreached


class Toolbox:
    """The tools of all toolkits; the name of a tool is its own in the whole box (`ValueError` otherwise).

    `stricter`: tools of which the company asks for more than they do by themselves, and how much; `ValueError` for a tool
    that is not there, and for less. `require` is asked before every call that uses somebody's data, whoever makes it;
    without one, what the caller was told counts.
    """

    def __init__(
        self,
        *kits: Toolkit,
        stricter: Mapping[str, Assurance] = MappingProxyType({}),
        require: Require = as_told,
        watch: Watch = unwatched,
    ) -> None:
        self._require = require
        self._watch = watch
        self._kits: Mapping[str, Toolkit] = MappingProxyType(_by_tool(kits))
        self._tools: Mapping[str, BaseTool] = MappingProxyType(
            {tool.name: self._gated(tool) for kit in kits for tool in kit.tools}
        )
        self._rules = {name: Rule.of(tool.extras or {}) for name, tool in self._tools.items()}
        for name, assurance in stricter.items():
            self._raise(name, assurance)
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
            if rule.scope is not None
            and known_enough(caller, rule)
            and not has_basis(caller, rule)
            and self._kits[name].present()
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
        return self._kit(name).phrases.items(f"cues.{name}", language)

    def slots(self, name: str, argument: str, language: Language) -> tuple[re.Pattern[str], ...]:
        """Return the expressions that find a tool's argument in free text, best first; each has a group `value`."""
        return _compiled(self._kit(name).phrases.items(f"slots.{argument}", language))

    def status(self, name: str, language: Language) -> str:
        """Return the line shown while the tool runs."""
        return self._kit(name).phrases.say(f"status.{name}", language)

    # Where a system does not answer. -------------------------------------------------------------------------

    def unreached(self, name: str, arguments: Mapping[str, object], language: Language) -> str:
        """Return what could not be done where such a call got no answer: "see how order 1051 stands"; "" without words."""
        kit = self._kits.get(name)
        return unreached(name, arguments, phrases=kit.phrases, language=language) if kit else ""

    # Confirmed writes. --------------------------------------------------------------------------------------

    def confirmation(self, proposal: Proposal, language: Language) -> str:
        """Return the question to put to the customer before `execute`."""
        return confirmation(proposal, phrases=self._kit(proposal.tool).phrases, language=language)

    def effect_text(self, effect: Effect, language: Language) -> str:
        """Return what to tell the customer after `execute`."""
        phrases = self._kit(effect.proposal.tool).phrases
        return effect_text(effect, phrases=phrases, language=language)

    async def execute(self, proposal: Proposal, caller: Caller, *, key: str) -> Effect:
        """Do what the customer confirmed, once for each `key` (the proposal's id).

        Checks again basis, identity, owner, digest and expiry: `NoBasis`, `NotIdentified`, `NotFound`,
        `Unconfirmed`, `Expired`. A refusal of the system is an `Effect`, and so is not knowing what it did.
        """
        if proposal.tool not in self._tools or self.effect(proposal.tool) != "write" or not proposal.intact():
            raise Unconfirmed()
        await self._admit(caller, proposal.tool)
        owner = caller.customer()
        if proposal.owner != owner:
            raise NotFound()
        if caller.now >= proposal.expires:
            raise Expired()
        try:
            return await self._kits[proposal.tool].execute(proposal, owner=owner, key=key)
        except Rejected as refusal:
            return Effect(
                proposal=proposal, state="refused", facts={**proposal.facts, "reason": refusal.reason}
            )
        except Unsent:
            return Effect(proposal=proposal, state="refused", facts={**proposal.facts, "reason": "unsent"})
        except Unavailable:
            return Effect(proposal=proposal, state="unknown", facts=proposal.facts)

    def _gated(self, tool: BaseTool) -> BaseTool:
        """Return the tool behind the gate: nothing of it begins before the gate let the call in."""
        if not isinstance(tool, StructuredTool) or tool.coroutine is None:
            raise TypeError(
                f"{tool.name!r} is no asynchronous function: make it one, so that it can be kept."
            )
        body = tool.coroutine

        @wraps(body)
        async def gated(*arguments: Any, **named: Any) -> Any:
            await self._admit(named["runtime"].context, tool.name)
            return await body(*arguments, **named)

        return tool.model_copy(update={"coroutine": gated})

    async def _admit(self, caller: Caller, name: str) -> None:
        rule = self._rule(name)
        admit(caller, rule)
        if rule.scope is not None:
            basis = await self._require(caller, rule.scope)
            await self._watch(caller, name, basis)

    def _wording(self, tool: BaseTool) -> dict[str, object]:
        """What a planner without a provider reads in `extras`: status line, cues, and slots of each argument."""
        phrases = self._kit(tool.name).phrases
        items, say = phrases.items, phrases.say
        return {
            "status": {language: say(f"status.{tool.name}", language) for language in LANGUAGES},
            "cues": {language: list(items(f"cues.{tool.name}", language)) for language in LANGUAGES},
            "slots": {
                argument: {language: list(items(f"slots.{argument}", language)) for language in LANGUAGES}
                for argument in tool.args
            },
        }

    def _raise(self, name: str, assurance: Assurance) -> None:
        rule = self._rules.get(name)
        if rule is None:
            raise ValueError(f"there is no tool “{name}”; there are {', '.join(sorted(self._rules))}")
        self._rules[name] = raised(rule, assurance, name=name)
        tool = self._tools[name]
        tool.extras = {**(tool.extras or {}), "assurance": assurance}

    def _open(self, name: str, caller: Caller) -> bool:
        rule = self._rules[name]
        return known_enough(caller, rule) and has_basis(caller, rule) and self._kits[name].present()

    def _tool(self, name: str) -> BaseTool:
        if name not in self._tools:
            raise KeyError(f"No tool {name!r}; there are {', '.join(self._tools)}")
        return self._tools[name]

    def _kit(self, name: str) -> Toolkit:
        return self._kits[self._tool(name).name]

    def _rule(self, name: str) -> Rule:
        return self._rules[self._tool(name).name]


def _by_tool(kits: Sequence[Toolkit]) -> dict[str, Toolkit]:
    found: dict[str, Toolkit] = {}
    for kit in kits:
        for tool in kit.tools:
            if tool.name in found:
                raise ValueError(f"Two tools are called {tool.name!r}: give one another name.")
            found[tool.name] = kit
    return found


@cache
def _compiled(expressions: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(expression, re.IGNORECASE) for expression in expressions)
