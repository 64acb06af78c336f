"""`policy.toml` as typed tables: what the agent may do for a company, what it must ask first, where it stops.

A value that cannot be used is refused when the pack is read (`agent.pack`), with file, line and remedy.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from agent.policy.hosts import listed
from tools.codes.port import CodeRules
from tools.contacts import By
from tools.context import Assurance, Language
from tools.mcp.plug import Plug

Words = dict[Language, str]


class Part(BaseModel):
    """A table of the pack: frozen, nothing unknown in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Promised(Part):
    """Of answers sent without a person, at most this share may be wrong, with this confidence."""

    at_most_wrong: float = Field(gt=0, lt=1)
    confidence: float = Field(gt=0, lt=1)


class Thresholds(Part):
    """A threshold set by hand in place of the one the promise asks for: for a company without labelled questions."""

    answer: float | None = Field(default=None, ge=0, le=1)


class WriteLimits(Part):
    """What a customer's own yes is enough for; above any of these a person approves. Absent: no such limit.

    `amount` in the company's currency, major units; `per_day` changes of one customer in 24 hours; `order_age_days`
    since the order was placed.
    """

    amount: Decimal | None = Field(default=None, gt=0)
    per_day: int | None = Field(default=None, ge=0)
    order_age_days: int | None = Field(default=None, ge=0)


class Limits(Part):
    """Bounds of one message, one turn, and of what happens without a person."""

    message_chars: int = Field(ge=100)
    tool_calls_per_turn: int = Field(ge=1)
    turn_seconds: float = Field(gt=0)
    messages_per_minute: int = Field(ge=1)
    writes: WriteLimits = WriteLimits()


class Caps(Part):
    """What must not grow without somebody noticing."""

    notices_per_day: int = Field(default=3, ge=0)
    marketing_per_week: int = Field(default=1, ge=0)
    usd_per_turn: float = Field(default=0.1, ge=0)
    usd_per_conversation: float = Field(default=0.5, ge=0)
    usd_per_day: float = Field(default=20.0, ge=0)
    tokens_per_turn: int = Field(default=60_000, ge=0)
    tokens_per_conversation: int = Field(default=400_000, ge=0)
    tokens_per_day: int = Field(default=20_000_000, ge=0)


class Purpose(Part):
    """Why personal data may be touched; `text` is what the customer agrees to, kept with the consent."""

    name: str
    basis: Literal["consent", "contract", "legal"]
    version: str
    text: Words
    gives: Words


class Links(Part):
    """Where links, images and e-mail addresses in answers may lead, besides the company's site and mailboxes."""

    hosts: tuple[Annotated[str, AfterValidator(listed)], ...] = ()


class OneTimeCodes(Part):
    """How one-time codes are sent and kept, and how long what they proved counts."""

    by: By = "email"
    expires_minutes: int = Field(default=10, ge=1, le=60)
    failures: int = Field(default=5, ge=1, le=10)
    lock_minutes: int = Field(default=30, ge=1)
    per_conversation: int = Field(default=3, ge=1)
    per_contact: int = Field(default=3, ge=1)
    per_hour: int = Field(default=300, ge=1)
    verified_hours: int = Field(default=24, ge=1)
    stepped_up_minutes: int = Field(default=15, ge=1)

    @property
    def rules(self) -> CodeRules:
        """The rules the tools room keeps codes by."""
        return CodeRules(**self.model_dump(exclude={"verified_hours", "stepped_up_minutes"}))

    @property
    def verified_for(self) -> timedelta:
        """How long a code makes a customer verified."""
        return timedelta(hours=self.verified_hours)

    @property
    def stepped_up_for(self) -> timedelta:
        """How long a code is a fresh one."""
        return timedelta(minutes=self.stepped_up_minutes)


class Identity(Part):
    """What may tell who a customer is, and which tools ask for more than they do by themselves.

    Other factors exist (`tools.identity`); a conversation collects these two alone.
    """

    factors: tuple[Literal["token", "code"], ...] = ("token",)
    codes: OneTimeCodes = OneTimeCodes()
    tools: dict[str, Assurance] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _reachable(self) -> "Identity":
        if "stepped_up" in self.tools.values() and "code" not in self.factors:
            raise ValueError('a tool asks for "stepped_up", which only a code gives; add "code" to `factors`')
        return self

    @property
    def by_code(self) -> OneTimeCodes | None:
        """How one-time codes are kept, None where they do not count."""
        return self.codes if "code" in self.factors else None


class Payments(Part):
    """Where orders are paid: the page that payment links lead to; empty where there is none.

    `hours`: how long a link is good for.
    """

    url: str = Field(default="", pattern=r"^(https://[^\s?#]+)?$")
    hours: int = Field(default=24, ge=1)

    @property
    def good_for(self) -> timedelta:
        """How long a link is good for."""
        return timedelta(hours=self.hours)


ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Policy(Part):
    """`policy.toml`."""

    promise: Promised
    thresholds: Thresholds = Thresholds()
    limits: Limits
    caps: Caps = Caps()
    quiet_hours: dict[str, Any] = Field(default_factory=dict)
    confirmation: dict[str, int] = Field(default_factory=dict)
    links: Links = Links()
    assurance: Identity = Identity()
    payments: Payments = Payments()
    purposes: dict[str, Purpose]
    mcp: dict[ServerName, Plug] = Field(default_factory=dict)
