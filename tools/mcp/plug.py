"""What a pack says of an MCP server: how it is reached, and for each of its tools what it may do for whom."""

from urllib.parse import urlsplit

from pydantic import Field, model_validator

from tools.outside.assignment import Assigned, Part


class Plug(Part):
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
