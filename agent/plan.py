"""What the provider-free model knows at one call, and what it may do next."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from agent.intents import Offer
from tools.context import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One earlier message of the conversation."""

    author: Literal["customer", "company"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One finished tool call of this turn; `ref` names it as evidence."""

    ref: str
    tool: str
    arguments: Mapping[str, Any]
    ok: bool
    sentences: tuple[str, ...]
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """Argument to (value, label) of what the tool listed."""
    empty: bool = False
    """Whether the tool ran well and found nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All the model knows at one call."""

    question: str
    language: Language
    history: tuple[Said, ...]
    offers: tuple[Offer, ...]
    results: tuple[Result, ...]
    controls: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One tool call to make."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How one part is answered: by these results, or by the documents when there are none."""

    part: str
    results: tuple[Result, ...] = ()
    context: str = ""
    personal: bool = False
    """Whether the results are about the customer's own things: then the documents do not stand in for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compose:
    """Nothing more to call: answer every part, in order."""

    answers: tuple[Answer, ...]
