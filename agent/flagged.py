"""An answer that staff flagged, and the eval case it becomes: what was said, masked, in a world of stand-ins. Pure.

    wrong · outdated · ungrounded · rude · other   the flagged sentences must never be said again
    person                                         a person must be called

A case holds nothing of its customer: names and numbers are masked, their orders are stand-ins in the same state.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from agent.domain import Action, ToolUse
from agent.errors import AgentFault
from agent.privacy.hiding import MASK, hidden
from knowledge.text.sentences import sentences
from tools.context import ConversationId, Language, TurnId

FlagReason = Literal["wrong", "outdated", "ungrounded", "rude", "person", "other"]
FlagState = Literal["open", "made", "dismissed"]
"""`made`: a case file was made of it."""
REASONS: tuple[FlagReason, ...] = get_args(FlagReason)
SUITE = "not_yet"
"""What is known to fail: shown, and blocking nothing until the case is moved to a suite that does."""
MOVES = 6
"""Latest messages of the customer that a case says again."""
STATUSES = ("pending", "paid", "packed", "shipped", "delivered", "cancelled", "returned")
"""States of orders that a case's world can have; any other is told as on its way."""
DATA = Path(__file__).with_name("flagged.toml")


class NothingToSay(AgentFault):
    """What the customer did cannot be done again: they only pressed buttons that are gone."""

    code = "nothing_to_say"

    def __init__(self) -> None:
        super().__init__(
            "The flagged answer follows no words of the customer.", remedy="Write the case by hand."
        )


class UnknownFlag(AgentFault):
    """There is no such flag."""

    code = "unknown_flag"

    def __init__(self, flag: str) -> None:
        super().__init__(f"There is no flag {flag!r}.", remedy="See the flags in the console.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One answer somebody of the company found wrong; `wrong` are its sentences, `expected` what it should say."""

    id: str
    conversation: ConversationId
    turn: TurnId
    reason: FlagReason
    note: str
    wrong: tuple[str, ...]
    expected: str
    state: FlagState
    by: str
    at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What led to the flagged answer, as it is in the records: not masked."""

    language: Language
    signed_in: bool
    consents: tuple[str, ...]
    moves: tuple[tuple[str, Action | None], ...]
    """What the customer wrote or pressed, in order, the flagged turn's last."""
    tools: tuple[ToolUse, ...]
    answer: tuple[str, ...]
    """Sentences of the flagged answer."""


def sentences_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the sentences of an answer, once each."""
    return tuple(dict.fromkeys(one for text in texts for one in sentences(text)))


def case_of(flag: Flag, heard: Heard) -> dict[str, Any]:
    """Return the case as plain data, a row of the eval case files. Raises `NothingToSay`."""
    name = f"flag-{flag.id[:8].lower()}"
    orders = _stand_ins(heard.tools, name=name)
    says = [move for text, action in heard.moves if (move := _move(text, action, orders)) is not None]
    if not says:
        raise NothingToSay
    row: dict[str, Any] = {"id": name, "language": heard.language}
    if heard.signed_in:
        row["customer"] = name
        row["world"] = {"customers": {name: {"name": _data()["customer"][heard.language]}}}
        if orders:
            row["world"]["orders"] = {
                number: {"owner": name, "status": status} for number, status in orders.values()
            }
    if heard.consents:
        row["consent"] = list(heard.consents)
    return row | {
        "says": says[-MOVES:],
        "expect": _expected(flag, heard, orders),
        "why": _why(flag),
    }


def _expected(flag: Flag, heard: Heard, orders: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return what must come of it instead; never empty."""
    if flag.reason == "person":
        return {"outcome": "escalated", "ticket": True}
    chosen = flag.wrong or heard.answer
    never = [said for text in chosen if MASK not in (said := _plain(text, orders)) and said]
    found: dict[str, Any] = {"never_says": never} if never else {}
    if flag.expected:
        found["says"] = [_plain(flag.expected, orders)]
    elif flag.reason == "ungrounded" or not found:
        # Without ground there is nothing to answer with; and where no sentence can be named, none may be said.
        found["outcome"] = ["clarify", "declined", "escalated"]
    return found


def _move(text: str, action: Action | None, orders: Mapping[str, tuple[str, str]]) -> Any:
    if action is not None and action.kind == "person":
        return {"action": {"kind": "person"}}
    if action is not None and action.kind != "say":
        return None
    return _plain(text or (action.target if action is not None else ""), orders) or None


def _plain(text: str, orders: Mapping[str, tuple[str, str]]) -> str:
    """Return words without personal data; numbers of orders become their stand-ins'."""
    for known in sorted(orders, key=len, reverse=True):
        text = re.sub(rf"(?<![\w-]){re.escape(known)}(?![\w-])", orders[known][0], text)
    return " ".join(hidden(text).split())


def _stand_ins(tools: Sequence[ToolUse], *, name: str) -> dict[str, tuple[str, str]]:
    """Return (stand-in number, state) of every order that was read, by its own number."""
    found: dict[str, str] = {}
    for use in tools:
        for order, status in _orders(use.result):
            found.setdefault(order, status if status in STATUSES else "shipped")
    # Numbers of two cases must differ: their worlds are put together.
    base = 100_000 + int.from_bytes(name.encode()) % 89_999 * 10
    return {order: (str(base + n), status) for n, (order, status) in enumerate(found.items())}


def _orders(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if isinstance(value.get("order"), str) and isinstance(value.get("status"), str):
            yield value["order"], value["status"]
        for each in value.values():
            yield from _orders(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _orders(each)


def _why(flag: Flag) -> str:
    why = str(_data()["why"][flag.reason])
    note = " ".join(hidden(flag.note).split())
    return f"{why} {note}".strip()


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text("utf-8"))
