"""An invented company for the loop's tests: a lending library with its tools and its rules."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.tools import BaseTool, tool

from agent.domain import Evidence
from agent.fake import FakeGate, InlineSteps
from agent.link import Link
from agent.loop import Loop
from agent.models import ModelChain
from agent.pack import Company, Pack, load_pack
from agent.policy.consent import EXTERNAL_MODEL
from agent.ports import Brief
from agent.records.purse import FakePurse
from agent.terms import Privacy
from tests.scripted import ScriptedModel
from tools.context import Assurance, Caller, ConversationId, CustomerId, Language, TurnId

DEMO = Path(__file__).resolve().parents[2] / "demo"
WEEK = {day: ["09:00-19:00"] for day in ("mon", "tue", "wed", "thu", "fri")}

COMPANY = Company.model_validate(
    {
        "name": {"ru": "Полка", "en": "Shelf"},
        "legal_name": {"ru": "АНО «Полка»", "en": "Shelf NPO"},
        "about": {"ru": "Библиотека, которая выдаёт книги на дом.", "en": "A library that lends books."},
        "site": "https://shelf.example",
        "languages": ["ru", "en"],
        "timezone": "Europe/Moscow",
        "voice": {
            "tone": {"ru": "Спокойно и коротко.", "en": "Calm and short."},
            "forbidden": ["ваш звонок очень важен"],
        },
        "appearance": {"avatar": {"ru": "П", "en": "S"}},
        "hours": WEEK,
        "departments": [
            {
                "id": "desk",
                "name": {"ru": "Абонемент", "en": "Desk"},
                "to": {"ru": "на абонемент", "en": "the desk"},
                "languages": ["ru", "en"],
                "answer_minutes": 10,
                "default": True,
            }
        ],
    }
)


def pack(*, tool_calls: int = 4, seconds: float = 20.0, masked: bool = False, **caps: float) -> Pack:
    """The library's pack: its own company, limits and caps, every other rule as in the demo.

    `masked`: whether a model outside the library reads no personal data.
    """
    base = load_pack(DEMO)
    limits = base.limits.model_copy(update={"tool_calls_per_turn": tool_calls, "turn_seconds": seconds})
    privacy = Privacy(model_external="masked" if masked else "plain")
    changed = {
        "privacy": privacy,
        "limits": limits,
        "caps": base.policy.caps.model_copy(update=caps),
    }
    return Pack(base.folder, COMPANY, base.policy.model_copy(update=changed))


ALLOWING = FakeGate(EXTERNAL_MODEL)
"""Every reader lets models outside read."""
LOANS = {
    "scope": "loans:read",
    "effect": "read",
    "assurance": "verified",
    "cues": {"ru": ["мои книги", "что у меня на руках"], "en": ["my loans"]},
    "status": {"ru": "смотрю ваши книги…", "en": "looking at your loans…"},
}


class LibraryTools:
    """The library's tools; `behave` replaces what a tool does, `ran` tells which ran, in order."""

    def __init__(self, **behave: Callable[..., Awaitable[str]]) -> None:
        self.behave = behave
        self.ran: list[str] = []
        self._made: list[BaseTool] = []

    def tools(self) -> list[BaseTool]:
        # Making one is dear; a real toolbox makes each once, too.
        self._made = self._made or self._make()
        return list(self._made)

    def _make(self) -> list[BaseTool]:
        @tool(extras=LOANS)
        async def loan_status(book: str, runtime: ToolRuntime[Caller]) -> str:
            """Look up one of the reader's own loans."""
            return await self._run("loan_status", book, runtime.context)

        @tool(extras={**LOANS, "status": {}})
        async def list_loans(runtime: ToolRuntime[Caller]) -> str:
            """List the reader's own loans."""
            return await self._run("list_loans", "", runtime.context)

        @tool(extras={"scope": None, "effect": "read", "assurance": "anonymous"})
        async def find_book(query: str, runtime: ToolRuntime[Caller]) -> str:
            """Find a book in the public catalogue."""
            return await self._run("find_book", query, runtime.context)

        @tool(
            extras={
                **LOANS,
                "scope": "loans:write",
                "effect": "write",
                "cues": {"ru": ["продлите"], "en": []},
            }
        )
        async def renew(book: str, runtime: ToolRuntime[Caller]) -> str:
            """Prepare to renew a loan."""
            return await self._run("renew", book, runtime.context)

        return [loan_status, list_loans, find_book, renew]

    def offered(self, caller: Caller) -> list[BaseTool]:
        return [tool for tool in self.tools() if self._open(tool, caller)]

    def needed(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        if caller.assurance == "anonymous":
            return ()
        return tuple(
            (tool.name, scope)
            for tool in self.tools()
            if (scope := (tool.extras or {})["scope"]) and scope not in caller.purposes
        )

    def _open(self, tool: BaseTool, caller: Caller) -> bool:
        scope = (tool.extras or {})["scope"]
        return scope is None or (caller.assurance != "anonymous" and scope in caller.purposes)

    async def _run(self, name: str, argument: str, caller: Caller) -> str:
        self.ran.append(name)
        if name in self.behave:
            return await self.behave[name](argument, caller)
        if name == "renew":
            return result(["Продлить книгу?"], kind="proposal", proposal={"id": "p1", "owner": "anna"})
        return result([f"{name}: {argument or 'всё'}."])


def result(sentences: list[str], **more: Any) -> str:
    return json.dumps(
        {"ok": True, "kind": "loan", "sentences": sentences, "facts": {}, **more}, ensure_ascii=False
    )


def caller(
    *purposes: str,
    assurance: Assurance = "verified",
    language: Language = "ru",
    customer: str | None = "anna",
) -> Caller:
    return Caller(
        conversation=ConversationId("c1"),
        turn=TurnId("t1"),
        language=language,
        channel="widget",
        customer_id=CustomerId(customer) if customer and assurance != "anonymous" else None,
        assurance=assurance,
        purposes=frozenset(purposes),
        now=datetime(2026, 11, 24, 12, 0, tzinfo=UTC),
    )


RULES = Evidence(
    ref="rules#2",
    kind="passage",
    title="Правила › Сроки",
    text="Книгу выдают на 21 день. Продлить её можно один раз.",
    document="rules",
    score=0.8,
)


def brief(question: str = "На сколько дают книгу?", *, who: Caller | None = None, **more: Any) -> Brief:
    asking = who or caller("loans:read", "loans:write")
    return Brief(
        question=question,
        language=asking.language,
        history=more.pop("history", ()),
        evidence=more.pop("evidence", (RULES,)),
        caller=asking,
        today="2026-11-24",
        **more,
    )


def scripted_chain(*models: ScriptedModel, timeout: float = 2.0) -> ModelChain:
    """All but the last model are treated as remote: their failures lead to the next one."""
    last = len(models) - 1
    return ModelChain(
        [
            Link(name=f"scripted-{n}", model=model, timeout=timeout, local=n == last, price=(1.0, 2.0))
            for n, model in enumerate(models)
        ]
    )


def loop(*models: ScriptedModel, tools: LibraryTools | None = None, **limits: Any) -> Loop:
    return Loop(
        scripted_chain(*models),
        toolbox=tools or LibraryTools(),
        pack=pack(**limits),
        purse=FakePurse(),
        gate=ALLOWING,
    )


class CountingSteps(InlineSteps):
    """Keeps the order in which steps began, and can die before one of them."""

    def __init__(self, *, die_before: str = "") -> None:
        super().__init__()
        self.began: list[str] = []
        self.die_before = die_before

    async def run(self, name: str, effect: Any, *, of: Any) -> Any:
        if name == self.die_before:
            raise ConnectionError("the process died here")
        self.began.append(name)
        known = name in self.done
        value = await super().run(name, effect, of=of)
        # What a durable engine keeps is JSON: anything else must fail here, not after a crash.
        if not known:
            self.done[name] = json.loads(json.dumps(value))
        return self.done[name]


async def no_status(_: str) -> None:
    """Nobody is watching."""
