"""What a pack says of one tool of a plugged-in system: what it may do, for whom, and in which words."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from tools.context import Assurance, Language
from tools.errors import ToolFault

PUBLIC = "public"
"""The scope of a tool that touches nobody's data."""
Words = dict[Language, str]
Lines = dict[Language, tuple[str, ...]]
FromCaller = Literal["customer", "language"]
"""What an argument may be filled with besides what the model writes: the customer's id, the conversation's language."""


class Unusable(ToolFault):
    """A server or a tool cannot be plugged in like this; `where` is the place below the system's table."""

    code = "unusable_tool"

    def __init__(self, message: str, *, where: tuple[str, ...], remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.where = where


def _in_both(words: dict[Language, Any]) -> dict[Language, Any]:
    missing = [language for language in ("ru", "en") if language not in words]
    if words and missing:
        raise ValueError(f"the text is absent in “{missing[0]}”; give ru and en")
    return words


Both = Annotated[Words, AfterValidator(_in_both)]
BothLines = Annotated[Lines, AfterValidator(_in_both)]


class Part(BaseModel):
    """A table of the pack: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Assigned(Part):
    """One tool of the system."""

    scope: str = Field(min_length=1)
    """A purpose of the pack, or "public"."""
    effect: Literal["read", "write"]
    assurance: Assurance
    name: str = Field(default="", pattern=r"^([a-z][a-z0-9_]{2,47})?$")
    """What the tool is called in this house; default `<system>_<tool>`."""
    describe: str = Field(default="", max_length=600)
    """What the model reads of it in place of the system's own description."""
    from_caller: dict[str, FromCaller] = Field(default_factory=dict)
    fixed: dict[str, str | int | float | bool] = Field(default_factory=dict)
    hide: tuple[str, ...] = ()
    """Optional arguments that are never sent."""
    recipients: tuple[str, ...] = ()
    idempotency: str = ""
    """The argument that takes the key of a confirmed write."""
    status: Both = Field(default_factory=dict)
    cues: BothLines = Field(default_factory=dict)
    slots: dict[str, BothLines] = Field(default_factory=dict)
    say: Both = Field(default_factory=dict)
    """How a structured result is told; its placeholders are the result's fields."""
    confirm: Both = Field(default_factory=dict)
    done: Both = Field(default_factory=dict)
    unknown: Both = Field(default_factory=dict)
    unreached: Both = Field(default_factory=dict)
    """What could not be done while the system is silent: goes on from "Right now I can't …"; no placeholders."""

    @property
    def purpose(self) -> str | None:
        """The scope as a rule has it: None for public data."""
        return None if self.scope == PUBLIC else self.scope

    @property
    def whose(self) -> bool:
        """Whether the tool is bound to the customer who asks."""
        return "customer" in self.from_caller.values()

    @property
    def nobodys(self) -> str:
        """What to say of personal data that is bound to nobody."""
        return (
            "personal data, but nothing tells the server whose: name the argument that takes the "
            'customer\'s id, from_caller = { <argument> = "customer" }'
        )

    @model_validator(mode="after")
    def _safe(self) -> "Assigned":
        if self.purpose is None and (self.whose or self.effect == "write"):
            raise ValueError('scope = "public" fits no write and no customer\'s data; name a purpose')
        if self.purpose is not None and not self.whose:
            raise ValueError(self.nobodys)
        if self.purpose is not None and self.assurance == "anonymous":
            raise ValueError("personal data need a known customer; set assurance to channel or more")
        if self.effect == "write" and not self.confirm:
            raise ValueError("a write is confirmed by the customer; give `confirm` with ru and en")
        if self.effect == "read" and (self.confirm or self.done or self.unknown or self.idempotency):
            raise ValueError("confirm, done, unknown and idempotency belong to writes")
        return self
