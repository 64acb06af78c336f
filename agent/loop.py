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
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolCall
from langchain_core.tools import BaseTool

from agent.controls import SIGN_IN, Offer, controls
from agent.domain import Doubt, Draft, Message, Sentence
from agent.errors import WriterFailed
from agent.middleware.book import Book, Status
from agent.middleware.consent import Consent
from agent.middleware.evidence import Evidence
from agent.middleware.fallback import Fallback
from agent.middleware.faults import Faults
from agent.middleware.ledger import Ledger
from agent.models import ModelChain
from agent.pack import Pack
from agent.policy.consent import may_leave
from agent.ports import Brief, Steps, Writer
from agent.prompts import full_question, prompts
from agent.reading import read_answer
from agent.recall import recent
from agent.spending import Purse
from tools.context import Caller


class Loop(Writer):
    """Drafts answers with a chain of models and the company's tools. Stateless between turns."""

    def __init__(self, models: ModelChain, *, toolbox: Offer, pack: Pack, purse: Purse) -> None:
        self.models = models
        self.toolbox = toolbox
        self.pack = pack
        self.purse = purse

    async def write(self, brief: Brief, *, steps: Steps, status: Status) -> Draft:
        """Run the loop for one brief. Raises `WriterFailed` when no model of the chain answers."""
        began = time.perf_counter()
        book = self._book(brief, steps=steps, status=status)
        before = history(brief.history)
        book.said_before = len(before)
        asked = HumanMessage(full_question(brief))
        try:
            state = await self._agent(brief, book).ainvoke(
                {"messages": [*before, asked]}, context=brief.caller
            )
        except WriterFailed as failure:
            failure.tools = tuple(book.used)
            raise
        return _draft(state["messages"], book, ms=round(1000 * (time.perf_counter() - began), 3))

    def _book(self, brief: Brief, *, steps: Steps, status: Status) -> Book:
        limits = self.pack.limits
        spoken = controls(self.toolbox, brief.caller, refused=brief.refused)
        return Book(
            caller=brief.caller,
            steps=steps,
            status=status,
            models=self.models,
            offered={tool.name: tool for tool in self.toolbox.offered(brief.caller)},
            controls={tool.name: tool for tool in spoken},
            tool_calls=limits.tool_calls_per_turn,
            deadline=time.monotonic() + limits.turn_seconds,
            prompts=prompts(self.pack.company, brief),
            listener=brief.listener,
        )

    def _agent(self, brief: Brief, book: Book) -> Any:
        tools: list[BaseTool] = [*book.offered.values(), *book.controls.values()]
        return create_agent(
            self.models.last,
            tools,
            system_prompt=book.prompts["large"].system,
            middleware=[Ledger(book), self._fallback(book), Evidence(book), Consent(book), Faults(book)],
            context_schema=Caller,
        )

    def _fallback(self, book: Book) -> Fallback:
        caller = book.caller
        return Fallback(
            book,
            purse=self.purse,
            caps=self.pack.policy.caps,
            external=may_leave(self.pack.purposes, caller.purposes),
            day=caller.now.astimezone(ZoneInfo(self.pack.timezone)).date(),
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
        "ms": ms,
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
