"""The model-and-tools loop: a brief goes in, a draft comes out. The only caller of langchain's `create_agent`.

```
system.md ┐
history   ├─► model ─► tools ─► model ─► … ─► text          ─► Draft(answer)
question ─┘                            └────► control call  ─► Draft(clarify | need | decline)
                       └─► a prepared change ────────────────► Draft(answer, proposal)
```
There is no checkpointer: the graph's state is scratch paper. What must survive a crash is in the steps that
`middleware.ledger` runs every call through.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.tools import BaseTool

from agent.controls import SIGN_IN, Offer, controls
from agent.domain import Doubt, Draft, Message, Sentence
from agent.errors import WriterFailed
from agent.kept import Kept
from agent.middleware.book import Book, Status, opened
from agent.middleware.consent import Consent
from agent.middleware.evidence import Evidence
from agent.middleware.fallback import Fallback
from agent.middleware.faults import Faults
from agent.middleware.ledger import Ledger
from agent.models import ModelChain
from agent.pack import Pack
from agent.ports import Bases, Brief, Steps, Writer
from agent.privacy.detect import thorough
from agent.privacy.vault import Vault
from agent.privacy.veil import Veil, veiled
from agent.prompts import full_question, prompts
from agent.reading import read_answer
from agent.recall import recent
from agent.spending import Purse
from tools.context import Caller

KEPT = 64
"""Compiled graphs kept: one for each offer of tools, language and day in use."""


class Loop(Writer):
    """Drafts answers with a chain of models and the company's tools. Nothing of a turn is kept for the next one."""

    def __init__(self, models: ModelChain, *, toolbox: Offer, pack: Pack, purse: Purse, gate: Bases) -> None:
        self.models = models
        self.toolbox = toolbox
        self.pack = pack
        self.purse = purse
        self.gate = gate
        self._spoken: Kept[Mapping[str, BaseTool]] = Kept(most=KEPT)
        self._agents: Kept[Any] = Kept(most=KEPT)

    async def write(self, brief: Brief, *, steps: Steps, status: Status) -> Draft:
        """Run the loop for one brief. Raises `WriterFailed` when no model of the chain answers."""
        began = time.perf_counter()
        book = self._book(brief, steps=steps, status=status)
        before = history(brief.history)
        book.said_before = len(before)
        asked = HumanMessage(full_question(brief))
        try:
            with opened(book):
                state = await self._agent(book).ainvoke({"messages": [*before, asked]}, context=brief.caller)
        except WriterFailed as failure:
            failure.tools = tuple(book.used)
            failure.reads = tuple(book.given.values())
            raise
        finally:
            await book.ahead.stop()
        return _draft(state["messages"], book, ms=round(1000 * (time.perf_counter() - began), 3))

    def _book(self, brief: Brief, *, steps: Steps, status: Status) -> Book:
        limits, caller = self.pack.limits, brief.caller
        return Book(
            caller=caller,
            steps=steps,
            status=status,
            models=self.models,
            offered={tool.name: tool for tool in self.toolbox.offered(caller)},
            controls=self._controls(caller, brief.refused),
            tool_calls=limits.tool_calls_per_turn,
            deadline=time.monotonic() + limits.turn_seconds,
            prompts=prompts(self.pack.company, brief),
            listener=brief.listener,
            said=brief.listener.said if brief.listener is not None else (),
            veil=self._veil(brief),
            day=caller.now.astimezone(ZoneInfo(self.pack.timezone)).date(),
        )

    def _veil(self, brief: Brief) -> Veil | None:
        privacy = self.pack.policy.privacy
        if not veiled(self.pack, self.models.links):
            return None
        never = frozenset(word.lower() for word in privacy.never)
        return Veil(Vault(thorough(frozenset(privacy.also), never)), brief=brief, company=self.pack.company)

    def _controls(self, caller: Caller, refused: frozenset[str]) -> Mapping[str, BaseTool]:
        # What one consent would open is part of the key: tools of other systems come and go.
        needed = self.toolbox.needed(caller)
        key = (caller.customer_id is not None, caller.assurance, caller.purposes, refused, needed)
        return self._spoken.get(
            key, lambda: {tool.name: tool for tool in controls(self.toolbox, caller, refused=refused)}
        )

    def _agent(self, book: Book) -> Any:
        """Return the graph for these tools and rules; compiling one costs more than running it."""
        tools: list[BaseTool] = [*book.offered.values(), *book.controls.values()]
        system = book.prompts["large"].system
        # The graph holds its tools, so that none of these ids is given to another one while it is kept.
        key = (id(self.models.last), system, *map(id, tools))
        return self._agents.get(key, lambda: self._compiled(tools, system))

    def _compiled(self, tools: list[BaseTool], system: str) -> Any:
        return create_agent(
            self.models.last,
            tools,
            system_prompt=system,
            middleware=[
                Ledger(),
                Fallback(purse=self.purse, caps=self.pack.policy.caps, gate=self.gate),
                Evidence(),
                Consent(),
                Faults(),
            ],
            context_schema=Caller,
        )


def history(messages: Sequence[Message]) -> list[AnyMessage]:
    """Return what was said last as chat messages, oldest first, bounded; neighbours of one side are joined."""
    turns: list[tuple[str, str]] = []
    for message in recent(messages):
        side = "customer" if message.author == "customer" else "company"
        text = message.text
        if turns and turns[-1][0] == side:
            text = f"{turns.pop()[1]}\n{text}"
        turns.append((side, text))
    return [HumanMessage(text) if side == "customer" else AIMessage(text) for side, text in turns]


def _draft(messages: Sequence[AnyMessage], book: Book, *, ms: float) -> Draft:
    last = next(message for message in reversed(messages) if isinstance(message, AIMessage))
    control = last.tool_calls[0] if last.tool_calls else None
    shared: dict[str, Any] = {
        "tools": tuple(book.used),
        "model": book.model,
        "cost": book.cost,
        "withheld": tuple(book.withheld),
        "streamed": book.streamed,
        "after": book.after,
        "reads": tuple(book.given.values()),
        "ms": ms,
        "model_ms": round(book.model_ms, 3),
    }
    if book.proposal is not None:
        return Draft(kind="answer", proposal=book.proposal, **shared)
    if control is None:
        told = last.response_metadata.get("doubt")
        doubt = Doubt(**told) if told else None
        return Draft(kind="answer", sentences=read_answer(last.text), doubt=doubt, **shared)
    return Draft(**_control(control), **shared)


def _control(call: ToolCall) -> dict[str, Any]:
    """Return what a control call makes of the draft; its arguments were checked when it was made."""
    arguments = call["args"]
    match call["name"]:
        case "ask_back":
            question = " ".join(str(arguments.get("question", "")).split())
            sentences = (Sentence(text=question),) if question else ()
            return {"kind": "clarify", "sentences": sentences, "options": tuple(arguments.get("options", ()))}
        case "ask_consent":
            return {"kind": "need", "need": arguments["purpose"]}
        case "ask_sign_in":
            return {"kind": "need", "need": SIGN_IN}
        case "decline":
            return {"kind": "decline"}
        case _:
            return {"kind": "answer"}
