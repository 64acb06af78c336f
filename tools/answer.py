"""What a tool gives a model: one JSON object of bounded size, the same for every model.

    {"ok": true, "kind": "order", "sentences": ["Заказ 1045-А в пути."], "facts": {"order": "1045-А"}}
    {"ok": false, "kind": "fault", "sentences": [...], "facts": {}, "fault": "not_found"}

A proposal has kind "proposal" and the proposal itself under "proposal".
"""

import functools
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.assurance import Rule, admit
from tools.confirm import confirmation
from tools.context import Caller, Language
from tools.errors import NoBasis, NotIdentified, Rejected, ToolFault
from tools.phrases import Phrases
from tools.proposal import Proposal

Kind = Literal[
    "order",
    "orders",
    "products",
    "methods",
    "profile",
    "record",
    "records",
    "text",
    "proposal",
    "fault",
    "payment",
]
"""`record` and `records` are one thing and several things of a business that has no kind of its own here; `text`
is what another system says in its own way."""

MAX_SENTENCES = 24
MAX_CHARS = 400
MAX_ENTRIES = 12
"""Bounds of one result: sentences, characters of any text, entries of any list. Together ≤ 64 KB of JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One tool result: ready sentences in the caller's language and the facts they were made of."""

    kind: Kind
    sentences: tuple[str, ...]
    facts: Mapping[str, object] = field(default_factory=dict)
    proposal: Proposal | None = None
    fault: str | None = None
    choices: Mapping[str, list[dict[str, str]]] = field(default_factory=dict)
    """What was listed as values of other tools' arguments: `{"argument": [{"value", "label"}]}`."""
    unreached: tuple[str, ...] = ()
    """What of it could not be known now, as it goes on after "I can't": "see where order 1051 is"."""

    def as_json(self) -> str:
        body: dict[str, object] = {
            "ok": self.fault is None,
            "kind": self.kind,
            "sentences": [sentence[:MAX_CHARS] for sentence in self.sentences[:MAX_SENTENCES]],
            "facts": _bounded(self.facts),
        }
        if self.fault is not None:
            body["fault"] = self.fault
        if self.proposal is not None:
            body["proposal"] = self.proposal.to_dict()
        if self.choices:
            body["choices"] = _bounded(self.choices)
        if self.unreached:
            body["unreached"] = _bounded(self.unreached)
        return json.dumps(body, ensure_ascii=False)


def failed(fault: ToolFault, *, phrases: Phrases, language: Language) -> Answer:
    """Return the answer for a fault. It names nothing that was asked for, so absent and foreign look the same."""
    code = f"rejected.{fault.reason}" if isinstance(fault, Rejected) else fault.code
    key = f"fault.{code}"
    known = key if phrases.has(key, language) else "fault.tool_fault"
    return Answer(kind="fault", sentences=(phrases.say(known, language),), fault=code)


def proposed(proposal: Proposal, caller: Caller, phrases: Phrases) -> Answer:
    """Return the answer of a tool that prepared a write: the question to confirm and the proposal itself."""
    question = confirmation(proposal, phrases=phrases, language=caller.language)
    return Answer(kind="proposal", sentences=(question,), facts=proposal.facts, proposal=proposal)


def answering(
    phrases: Phrases, rule: Rule
) -> Callable[[Callable[..., Awaitable[Answer]]], Callable[..., Awaitable[str]]]:
    """Make a function `(…, runtime) -> Answer` a tool body: gate first, JSON last, faults in words.

    The gate's own `NotIdentified` and `NoBasis` are raised, not told: such a tool was never offered.
    """

    def wrap(body: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[str]]:
        @functools.wraps(body)
        async def tool_body(*args: Any, **kwargs: Any) -> str:
            caller: Caller = kwargs["runtime"].context
            admit(caller, rule)
            try:
                return (await body(*args, **kwargs)).as_json()
            except (NotIdentified, NoBasis):
                raise
            except ToolFault as fault:
                return failed(fault, phrases=phrases, language=caller.language).as_json()

        return tool_body

    return wrap


def _bounded(value: object) -> object:
    if isinstance(value, str):
        return value[:MAX_CHARS]
    if isinstance(value, Mapping):
        return {
            str(name)[:MAX_CHARS]: _bounded(item) for name, item in list(value.items())[: 2 * MAX_ENTRIES]
        }
    if isinstance(value, list | tuple):
        return [_bounded(item) for item in value[:MAX_ENTRIES]]
    return value
