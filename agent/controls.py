"""Control tools: how a model says that it cannot answer yet. Calling one ends its work for this turn.

```
ask_back      one detail is missing            ─► Draft(kind="clarify")
ask_consent   a fitting tool needs a purpose   ─► Draft(kind="need", need=<purpose>)
ask_sign_in   a fitting tool needs a customer  ─► Draft(kind="need", need="sign_in")
decline       not the company's business       ─► Draft(kind="decline")
hand_over     its business, but not answerable ─► Draft(kind="answer") without sentences: a person is called
```
They have no effect and return nothing; `agent.loop` reads the call itself. Those that stand for other tools carry
the cues of these in `extras`, so that a planner without a provider finds them as it finds the tools:
`{"cues": {language: [phrase]}, "purposes": {purpose: {language: [phrase]}}}`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol, get_args

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, ConfigDict, Field, create_model

from tools.context import Assurance, Caller, Language

Cues = dict[Language, list[str]]
LANGUAGES: tuple[Language, ...] = get_args(Language)
SIGN_IN = "sign_in"
CONTROLS = frozenset({"ask_back", "ask_consent", "ask_sign_in", "decline", "hand_over"})


class Offer(Protocol):
    """The tools room as the loop sees it: what exists for this caller, and what one consent would open."""

    def tools(self) -> list[BaseTool]:
        """Return every tool, whoever asks."""

    def offered(self, caller: Caller) -> list[BaseTool]:
        """Return the tools that exist for this caller."""

    def needed(self, caller: Caller) -> tuple[tuple[str, str], ...]:
        """Return (tool, purpose) for each tool that one granted purpose would open."""


class _Arguments(BaseModel):
    model_config = ConfigDict(extra="forbid")


class AskBack(_Arguments):
    """Arguments of `ask_back`."""

    question: str = Field(
        default="", max_length=300, description="One short question, in the customer's language"
    )
    options: list[Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=list, max_length=6, description="Possible answers to choose from, taken from evidence"
    )


class Decline(_Arguments):
    """Arguments of `decline` and `hand_over`."""

    reason: str = Field(default="", max_length=500, description="Why, for the company's staff")


class AskSignIn(_Arguments):
    """Arguments of `ask_sign_in`: none."""


def controls(offer: Offer, caller: Caller, *, refused: frozenset[str] = frozenset()) -> list[BaseTool]:
    """Return the control tools that make sense for this caller; `refused` purposes are not asked for again."""
    tools = [
        _control(
            "ask_back", "Ask the customer for the one detail without which no answer is possible.", AskBack
        ),
        _control("decline", "The question is not about this company's business at all.", Decline),
        _control(
            "hand_over",
            "The question is the company's business, but neither evidence nor tools answer it: call a person.",
            Decline,
        ),
    ]
    by_name = {tool.name: tool for tool in offer.tools()}
    purposes = _purposes(offer.needed(caller), by_name, refused=refused)
    if purposes:
        tools.append(_ask_consent(purposes))
    locked = _locked(by_name, caller)
    if locked:
        tools.append(
            _control(
                "ask_sign_in",
                "The customer wants their own data or orders, and is not signed in.",
                AskSignIn,
                extras={"cues": _merged([cues_of(tool) for tool in locked])},
            )
        )
    return tools


def cues_of(tool: BaseTool) -> Cues:
    """Return the phrases by which customers ask for the tool, by language."""
    cues: Mapping[str, Sequence[str]] = (tool.extras or {}).get("cues") or {}
    return {language: list(cues.get(language, ())) for language in LANGUAGES}


def _purposes(
    needed: Sequence[tuple[str, str]], by_name: Mapping[str, BaseTool], *, refused: frozenset[str]
) -> dict[str, Cues]:
    behind: dict[str, list[Cues]] = {}
    for name, purpose in needed:
        if purpose not in refused and name in by_name:
            behind.setdefault(purpose, []).append(cues_of(by_name[name]))
    return {purpose: _merged(cues) for purpose, cues in behind.items()}


def _locked(by_name: Mapping[str, BaseTool], caller: Caller) -> list[BaseTool]:
    """Return the tools that no consent opens because we do not know the customer well enough."""
    ladder = get_args(Assurance)
    reached = ladder.index(caller.assurance) if caller.customer_id is not None else 0
    return [
        tool
        for tool in by_name.values()
        if (tool.extras or {}).get("scope") is not None
        and reached < ladder.index((tool.extras or {}).get("assurance", "verified"))
    ]


def _ask_consent(purposes: Mapping[str, Cues]) -> BaseTool:
    names = tuple(purposes)
    arguments = create_model(
        "AskConsent",
        __base__=_Arguments,
        purpose=(Literal[names], Field(description="The purpose whose tools would answer the question")),  # type: ignore[arg-type]
    )
    return _control(
        "ask_consent",
        "The customer's request needs personal data of this purpose, which they have not allowed yet.",
        arguments,
        extras={"cues": _merged(purposes.values()), "purposes": dict(purposes)},
    )


def _control(
    name: str, description: str, arguments: type[BaseModel], *, extras: dict[str, Any] | None = None
) -> BaseTool:
    def spoken(**_: Any) -> str:
        return "{}"

    return StructuredTool.from_function(
        func=spoken,
        name=name,
        description=description,
        args_schema=arguments,
        return_direct=True,
        extras={"control": True, **(extras or {})},
    )


def _merged(many: Iterable[Cues]) -> Cues:
    return {
        language: list(dict.fromkeys(cue for cues in many for cue in cues.get(language, ())))
        for language in LANGUAGES
    }
