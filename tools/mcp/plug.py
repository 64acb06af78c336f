"""What a pack says of an MCP server: how it is reached, and for each of its tools what it may do for whom."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

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
    """A server or a tool cannot be plugged in like this; `where` is the place below `[mcp.<server>]`."""

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


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Assigned(_Part):
    """One tool of the server: `[mcp.<server>.tools.<tool>]`."""

    scope: str = Field(min_length=1)
    """A purpose of the pack, or "public"."""
    effect: Literal["read", "write"]
    assurance: Assurance
    name: str = Field(default="", pattern=r"^([a-z][a-z0-9_]{2,47})?$")
    """What the tool is called in this house; default `<server>_<tool>`."""
    describe: str = Field(default="", max_length=600)
    """What the model reads of it in place of the server's own description."""
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

    @property
    def purpose(self) -> str | None:
        """The scope as a rule has it: None for public data."""
        return None if self.scope == PUBLIC else self.scope

    @model_validator(mode="after")
    def _safe(self) -> "Assigned":
        personal = "customer" in self.from_caller.values()
        if self.purpose is None and (personal or self.effect == "write"):
            raise ValueError('scope = "public" fits no write and no customer\'s data; name a purpose')
        if self.purpose is not None and not personal:
            raise ValueError(
                "personal data, but nothing tells the server whose: name the argument that takes the "
                'customer\'s id, from_caller = { <argument> = "customer" }'
            )
        if self.purpose is not None and self.assurance == "anonymous":
            raise ValueError("personal data need a known customer; set assurance to channel or more")
        if self.effect == "write" and not self.confirm:
            raise ValueError("a write is confirmed by the customer; give `confirm` with ru and en")
        if self.effect == "read" and (self.confirm or self.done or self.unknown or self.idempotency):
            raise ValueError("confirm, done, unknown and idempotency belong to writes")
        return self


class Plug(_Part):
    """One server: `[mcp.<server>]`, reached at `url` over streamable HTTP, or started by `command` over stdio."""

    url: str = ""
    command: tuple[str, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    """Variables of the command's process; no secrets, for they stand in the pack."""
    token_variable: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """The variable in which the command expects its token; over HTTP it is sent as a bearer token."""
    seconds: float = Field(default=8.0, ge=0.2, le=9.0)
    """Longest wait for one call; below the house's own bound for a tool."""
    tools: dict[str, Assigned] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_way(self) -> "Plug":
        if bool(self.url) == bool(self.command):
            raise ValueError("a server is reached by `url` or by `command`: give one of them, not both")
        if self.url and (self.environment or self.token_variable):
            raise ValueError("environment and token_variable belong to `command`")
        if self.url:
            parts = urlsplit(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"“{self.url}” is no address; write it as https://host/mcp")
            if parts.username or parts.password:
                raise ValueError("no secrets in `url`; put the token into MAYAK_MCP_CLIENT_TOKENS")
        return self
