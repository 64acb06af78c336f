"""`policy.toml` as typed tables: what the agent may do for a company, what it must ask first, where it stops.

A value that cannot be used is refused when the pack is read (`agent.pack`), with file, line and remedy.
"""

from datetime import time, timedelta
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from agent.basis import BasisKind
from agent.notes import NoteKind
from agent.policy.hosts import listed
from tools.codes.port import CodeRules, KnowledgeRules
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


CONSENT_ALONE = frozenset({"marketing", "memory", "personalisation", "model:external"})
"""Purposes that no contract and no law stands in for: only the customer's own yes."""


class Purpose(Part):
    """Why personal data may be touched; `text` is what the customer agrees to, kept with the consent.

    `stops`: what happens no more once it is taken back, as it goes on after “from now on”.
    """

    name: str
    basis: BasisKind
    version: str = Field(min_length=1, max_length=64)
    text: Words
    gives: Words
    stops: Words = Field(default_factory=dict)

    @field_validator("basis")
    @classmethod
    def _allowed(cls, basis: BasisKind, info: ValidationInfo) -> BasisKind:
        name = info.data.get("name")
        if name in CONSENT_ALONE and basis != "consent":
            raise ValueError(f'“{name}” rests on the customer\'s consent alone; write `basis = "consent"`')
        return basis


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


class Knowledge(Part):
    """How claims by full name and postcode are rationed, and what one that is true makes of a customer."""

    level: Literal["channel", "verified"] = "channel"
    failures: int = Field(default=5, ge=1, le=10)
    lock_minutes: int = Field(default=30, ge=1)
    per_hour: int = Field(default=60, ge=1)

    @property
    def rules(self) -> KnowledgeRules:
        """The rules the tools room hears claims by."""
        return KnowledgeRules(**self.model_dump(exclude={"level"}))


class Identity(Part):
    """What may tell who a customer is, and which tools ask for more than they do by themselves.

    Other factors exist (`tools.identity`); a conversation collects these alone.
    """

    factors: tuple[Literal["token", "code", "name_postcode"], ...] = ("token",)
    codes: OneTimeCodes = OneTimeCodes()
    knowledge: Knowledge = Knowledge()
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

    @property
    def by_name(self) -> Knowledge | None:
        """How claims by name and postcode are heard, None where they do not count."""
        return self.knowledge if "name_postcode" in self.factors else None


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


Followed = Annotated[str, Field(pattern=r"^https://[^\s{}]*\{number\}[^\s{}]*$")]
"""The page where a parcel can be followed; `{number}` becomes its tracking number."""
ServerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class Privacy(Part):
    """What of a customer's words a model outside the company reads.

    `model_external`: plain, as they are; masked, with placeholders for personal data. `also`: numbers that count as
    personal data here besides. `never`: words that look like names and are goods or brands.
    """

    model_external: Literal["plain", "masked"] = "plain"
    also: tuple[Literal["order", "contract"], ...] = ()
    never: tuple[Annotated[str, Field(min_length=2)], ...] = ()


Days = Annotated[int, Field(ge=1)]


class Retention(Part):
    """After how many days what is held goes by itself; without a number it stays until its customer is forgotten.

    `conversations` counts from the last thing that happened in one; what a person holds or waits for stays. `records`
    of turns lose their words and keep how it was decided. `evidence` counts from the day a customer was forgotten.
    """

    conversations: Days | None = None
    records: Days | None = None
    events: Days | None = None
    deliveries: Days | None = None
    charges: Days | None = None
    codes: Days | None = None
    writes: Days | None = None
    files: Days | None = None
    evidence: Days | None = None

    @model_validator(mode="after")
    def _codes_count(self) -> "Retention":
        if self.charges is not None and self.charges < 2:
            raise ValueError("`charges` must be at least 2: the caps of a day are counted from them")
        return self


class Memory(Part):
    """What is remembered of customers who allowed it: which kinds of facts, for how many days.

    `things`: by language, how words begin that name goods a customer may have at home («люстр», "pendant").
    """

    kinds: tuple[NoteKind, ...] = get_args(NoteKind)
    days: int = Field(default=365, ge=1, le=1095)
    things: dict[Language, tuple[Annotated[str, Field(min_length=3)], ...]] = Field(default_factory=dict)


class Measure(Part):
    """What of a customer may be said unasked: `say` names attributes, each with the purpose it is said under."""

    say: dict[NoteKind, str] = Field(default_factory=dict)


class StaffTerms(Part):
    """What is asked of people of the company: `second_factor` names the roles that sign in with one."""

    second_factor: tuple[Literal["operator", "curator", "admin"], ...] = ()


class QuietHours(Part):
    """When the company begins no conversation, on the customer's clock: from `from` to `to`, for these purposes."""

    begins: Annotated[time, Field(alias="from")] = time(21)
    ends: Annotated[time, Field(alias="to")] = time(9)
    applies_to: tuple[str, ...] = ("notices", "marketing")


class Policy(Part):
    """`policy.toml`."""

    promise: Promised
    thresholds: Thresholds = Thresholds()
    limits: Limits
    caps: Caps = Caps()
    quiet_hours: QuietHours = QuietHours()
    measure: Measure = Measure()
    confirmation: dict[str, int] = Field(default_factory=dict)
    links: Links = Links()
    assurance: Identity = Identity()
    payments: Payments = Payments()
    tracking: dict[str, Followed] = Field(default_factory=dict)
    """Where parcels are followed, by carrier as the order system names it."""
    privacy: Privacy = Privacy()
    retention: Retention = Retention()
    memory: Memory = Memory()
    staff: StaffTerms = StaffTerms()
    purposes: dict[str, Purpose]
    mcp: dict[ServerName, Plug] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _purposes(self) -> "Policy":
        for where, named in (
            ("quiet_hours.applies_to", self.quiet_hours.applies_to),
            ("measure.say", self.measure.say.values()),
        ):
            unknown = sorted(set(named) - self.purposes.keys())
            if unknown and where in self._written():
                raise ValueError(f"`{where}` names “{unknown[0]}”, which is no purpose of [purposes]")
        return self

    def _written(self) -> frozenset[str]:
        """Return what the company wrote itself: a default names purposes that it need not have."""
        tables = {"quiet_hours": self.quiet_hours, "measure": self.measure}
        return frozenset(f"{name}.{key}" for name, part in tables.items() for key in part.model_fields_set)
