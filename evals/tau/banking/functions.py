"""The bank's tools a model may call, made from the table of actions, and the one that reads.

Whose accounts they are comes from the caller, never from an argument: no action has an argument that says who.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from langchain.tools import BaseTool, ToolRuntime
from pydantic import Field

from evals.tau.banking.actions import ACTIONS
from evals.tau.banking.actions.rules import READ
from evals.tau.banking.port import Action, Argument, Bank
from evals.tau.refusals import explaining
from tools.answer import Answer, answering
from tools.confirm import confirmation
from tools.context import Caller
from tools.declared import tool
from tools.phrases import LANGUAGES, Phrases
from tools.toolkit import Toolkit

TEXTS = Path(__file__).with_name("texts")

Kind = Literal[
    "users",
    "accounts",
    "debit_cards",
    "referrals",
    "credit_card_accounts",
    "credit_card_transaction_history",
    "bank_account_transaction_history",
    "credit_card_orders",
    "credit_card_closure_reasons",
    "credit_limit_increase_requests",
    "payment_history",
    "transaction_disputes",
    "debit_card_disputes",
]
_TYPES: Mapping[str, type] = {"text": str, "number": float, "whole": int, "flag": bool}
_SHOWN = 10
_ABOUT = ("account_id", "credit_card_account_id", "transaction_id")


def bank_tools(bank: Bank, phrases: Phrases | None = None) -> Toolkit:
    """Return all the bank's tools over one system."""
    told = phrases or Phrases(TEXTS, currency="USD")
    writes = (_writing(action, bank, told) for action in ACTIONS.values())
    return Toolkit(tools=(_reading(bank, told), *writes), phrases=told, execute=bank.execute)


def _reading(bank: Bank, phrases: Phrases) -> BaseTool:
    help_ = {name: Field(description=_said(phrases, f"argument.{name}")) for name in ("kind", "about")}

    @tool(extras=READ.extras())
    @answering(phrases, READ)
    @explaining(phrases)
    async def my_records(
        kind: Annotated[Kind, help_["kind"]],
        runtime: ToolRuntime[Caller],
        about: Annotated[str, help_["about"]] = "",
    ) -> Answer:
        """Read the customer's own records of one kind, of one account, card or transaction if asked for."""
        holdings = await bank.holdings(owner=runtime.context.customer())
        mine = holdings.of(kind)
        if about:
            mine = {key: one for key, one in mine.items() if key == about or about in _names(one)}
        count = len(mine)
        said = phrases.say(f"records.{'some' if count else 'none'}", runtime.context.language, count=count)
        rows = [dict(one) for one in list(mine.values())[:_SHOWN]]
        return Answer(kind="records", sentences=(said,), facts={"count": count, "records": rows})

    return my_records


def _names(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in _ABOUT)


def _writing(action: Action, bank: Bank, phrases: Phrases) -> BaseTool:
    async def propose(*, runtime: ToolRuntime[Caller], **given: Any) -> Answer:
        caller = runtime.context
        wished = {name: value for name, value in given.items() if value is not None}
        proposal = await bank.propose(action.name, wished, owner=caller.customer())
        question = confirmation(proposal, phrases=phrases, language=caller.language)
        return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)

    body = _shaped(propose, action, phrases)
    return tool(extras=action.rule.extras())(answering(phrases, action.rule)(explaining(phrases)(body)))


def _shaped(
    body: Callable[..., Awaitable[Answer]], action: Action, phrases: Phrases
) -> Callable[..., Awaitable[Answer]]:
    """Give the body the name, the words and the arguments of the action: a tool's schema is read off them."""
    shown = {argument.name: _annotation(argument, phrases) for argument in action.arguments}
    shown["runtime"] = ToolRuntime[Caller]
    empty = inspect.Parameter.empty
    defaults = {argument.name: None for argument in action.arguments if argument.optional}
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name, empty), annotation=annotation
            )
            for name, annotation in shown.items()
        ],
        return_annotation=Answer,
    )
    body.__annotations__ = {**shown, "return": Answer}
    body.__name__ = body.__qualname__ = action.name
    body.__doc__ = f"{action.does} They must confirm it."
    return body


def _annotation(argument: Argument, phrases: Phrases) -> Any:
    words = _said(phrases, f"argument.{argument.name}")
    if argument.choices:
        # Told, not enforced by the schema: what is not among them is refused with a reason the customer can read.
        words = f"{words}: {', '.join(argument.choices)}"
    kind: Any = _TYPES[argument.kind]
    # JSON lets Infinity and NaN through; no sum of money is either.
    told = Field(description=words, allow_inf_nan=False) if kind is float else Field(description=words)
    return Annotated[kind | None if argument.optional else kind, told]


def _said(phrases: Phrases, key: str) -> str:
    """Both languages in one description: customers write in either."""
    return " · ".join(phrases.say(key, language) for language in LANGUAGES)
