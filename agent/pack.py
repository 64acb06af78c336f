"""A company pack: the folder that makes an installation somebody's. Read once, checked, frozen.

```
pack/
  company.toml     name, voice, languages, hours, calendar, departments, webhooks
  policy.toml      promise, thresholds, limits, assurance, purposes, tools of MCP servers (`agent.terms`)
  systems/         systems behind HTTP: NAME.toml maps what NAME.openapi.yaml defines
  mcp/             those tools as their servers defined them when they were assigned
  knowledge/       documents by language, documents.toml
  shop/            data of the embedded shop, where it is used
  replies.toml     answers staff have ready (`agent.canned`), where there are any
  questions.yaml   questions with their gold, for evals and previews
  labelled.yaml    further ones in two halves, for fitting and judging confidence; not read here
```
A pack that cannot be used is refused with file, line and remedy (`BadPack`); unknown keys are refused
too, because a misspelt limit that silently falls back to a default is worse than a start that fails.
"""

import re
from collections.abc import Mapping
from datetime import date, time
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import Field, model_validator

from agent.canned import Canned, canned_replies
from agent.contrast import contrast
from agent.errors import BadPack
from agent.mapped import mapped_systems
from agent.pack_files import line_of, model_of, toml_of
from agent.plugged import plugged_tools
from agent.policy.hosts import foreign, host_of
from agent.promise import Promise
from agent.terms import Caps as Caps
from agent.terms import Knowledge, Limits, OneTimeCodes, Part, Policy, Purpose, Thresholds, Words
from agent.webhooks import Webhook
from tools.context import Language
from tools.openapi.system import System
from tools.outside.plugged import Plugged

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Span = tuple[time, time]
Journey = Literal["paying", "under_way", "received"]
"""Where a customer is with an order: not paid yet, on its way, in their hands."""


class Voice(Part):
    """How the company speaks; the prompts quote it, and every sentence is held against it before it leaves."""

    formality: Literal["вы", "ты"] = "вы"
    tone: Words
    forbidden: tuple[str, ...] = ()
    emoji: Literal["never", "few", "free"] = "never"
    exclamation: bool = True


class Contacts(Part):
    """How customers reach people."""

    phone: str = ""
    phone_local: str = ""
    email: str = ""
    returns_email: str = ""
    wholesale_email: str = ""
    privacy_email: str = ""
    address: Words = Field(default_factory=dict)

    @property
    def mailboxes(self) -> tuple[str, ...]:
        """E-mail addresses customers write to."""
        return tuple(filter(None, (self.email, self.returns_email, self.wholesale_email, self.privacy_email)))


class Helpline(Part):
    """Whom somebody in distress can call; `phone` as it is dialled."""

    phone: str = Field(min_length=2)
    name: Words


class Appearance(Part):
    """What the chat shows; `accent` is #RRGGBB and must carry white text at 4.5 : 1."""

    accent: str = Field(default="#0B5FA5", pattern=r"^#[0-9A-Fa-f]{6}$")
    avatar: Words

    @model_validator(mode="after")
    def _readable(self) -> "Appearance":
        if contrast(self.accent, "#FFFFFF") < 4.5:
            raise ValueError("white text on `accent` has a contrast below 4.5 : 1; choose a darker colour")
        return self


class Greeting(Part):
    """Buttons under the first message."""

    quick_replies: dict[Language, tuple[str, ...]] = Field(default_factory=dict)


class Week(Part):
    """Spans "HH:MM-HH:MM" a day; an empty list is a day off."""

    mon: tuple[str, ...] = ()
    tue: tuple[str, ...] = ()
    wed: tuple[str, ...] = ()
    thu: tuple[str, ...] = ()
    fri: tuple[str, ...] = ()
    sat: tuple[str, ...] = ()
    sun: tuple[str, ...] = ()

    def on(self, day: date) -> tuple[Span, ...]:
        """Return the spans of the weekday of `day`."""
        return tuple(span(text) for text in getattr(self, DAYS[day.weekday()]))

    @model_validator(mode="after")
    def _spans(self) -> "Week":
        for name in DAYS:
            for text in getattr(self, name):
                span(text)
        return self


class SpecialDay(Part):
    """A row of the calendar: replaces the week on that day."""

    date: date
    kind: Literal["holiday", "moved", "short"]
    name: Words
    hours: tuple[str, ...] = ()


class Department(Part):
    """People a conversation may be passed to."""

    id: str
    name: Words
    to: Words
    languages: tuple[Language, ...]
    topics: tuple[str, ...] = ()
    journey: tuple[Journey, ...] = ()
    answer_minutes: int = Field(ge=1)
    hours: Week | None = None
    default: bool = False
    accept_seconds: int = Field(default=120, ge=10)
    answer_seconds: int = Field(default=300, ge=30)
    capacity: int = Field(default=5, ge=1)
    fallback: str = ""


class Company(Part):
    """`company.toml`."""

    name: Words
    legal_name: Words
    about: Words
    site: str
    languages: tuple[Language, ...] = Field(min_length=1)
    timezone: str
    currency: str = "RUB"
    voice: Voice
    contacts: Contacts = Contacts()
    helplines: tuple[Helpline, ...] = ()
    appearance: Appearance
    greeting: Greeting = Greeting()
    hours: Week
    departments: tuple[Department, ...] = Field(min_length=1)
    calendar: tuple[SpecialDay, ...] = ()
    webhooks: tuple[Webhook, ...] = ()

    @model_validator(mode="after")
    def _whole(self) -> "Company":
        if sum(department.default for department in self.departments) != 1:
            raise ValueError("exactly one department must have `default = true`")
        known = {department.id for department in self.departments}
        for department in self.departments:
            if department.fallback and department.fallback not in known:
                raise ValueError(
                    f"`fallback` of “{department.id}” names no department: “{department.fallback}”"
                )
        if len({hook.name for hook in self.webhooks}) < len(self.webhooks):
            raise ValueError("two `webhooks` have the same `name`")
        for language in self.languages:
            if any(language not in line.name for line in self.helplines):
                raise ValueError(f"a row of `helplines` has no “{language}”, but `languages` names it")
            if language not in self.name:
                raise ValueError(f"`name` has no “{language}”, but `languages` names it")
        return self


class Pack:
    """A checked company pack; attributes are the pack's values, methods answer questions about them."""

    def __init__(
        self,
        folder: Path,
        company: Company,
        policy: Policy,
        *,
        plugged: tuple[Plugged, ...] = (),
        systems: Mapping[str, System] = MappingProxyType({}),
        canned: tuple[Canned, ...] = (),
    ) -> None:
        self.folder = folder
        self.company = company
        self.policy = policy
        self.plugged = plugged
        """The tools of MCP servers, as they are assigned."""
        self.systems = systems
        """The systems behind HTTP that the pack describes, by name."""
        self.canned = canned
        """Answers staff have ready, in the pack's order."""

    @property
    def name(self) -> Mapping[Language, str]:
        """The company's name as customers see it, by language."""
        return self.company.name

    @property
    def languages(self) -> tuple[Language, ...]:
        """Languages the company answers in; the first is the main one."""
        return self.company.languages

    @property
    def timezone(self) -> str:
        """IANA time zone of every hour and date of the pack."""
        return self.company.timezone

    @property
    def appearance(self) -> Appearance:
        """Accent and avatar of the chat."""
        return self.company.appearance

    @property
    def departments(self) -> tuple[Department, ...]:
        """All departments, in the pack's order."""
        return self.company.departments

    @cached_property
    def default_department(self) -> Department:
        """The department that takes what nobody else does."""
        return next(department for department in self.departments if department.default)

    def department(self, id: str) -> Department:
        """Return the department with this id, the default one when there is none."""
        return next((d for d in self.departments if d.id == id), self.default_department)

    @property
    def purposes(self) -> Mapping[str, Purpose]:
        """Purposes by name."""
        return self.policy.purposes

    @property
    def limits(self) -> Limits:
        """Bounds of one message and one turn."""
        return self.policy.limits

    @property
    def thresholds(self) -> Thresholds:
        """Thresholds set by hand."""
        return self.policy.thresholds

    @property
    def promise(self) -> Promise:
        """The promise about answers."""
        return Promise(
            at_most_wrong=self.policy.promise.at_most_wrong, confidence=self.policy.promise.confidence
        )

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Hosts that links and e-mail addresses in answers may lead to; `*.` before one stands for those under it."""
        reached = (self.company.site, *self.company.contacts.mailboxes)
        return frozenset((*filter(None, map(host_of, reached)), *self.policy.links.hosts))

    @property
    def knowing(self) -> Knowledge | None:
        """How customers are known by name and postcode, None where they are not."""
        return self.policy.assurance.by_name

    @property
    def codes(self) -> OneTimeCodes | None:
        """How customers are known by one-time codes, None where they are not."""
        return self.policy.assurance.by_code

    @property
    def confirmation_minutes(self) -> int:
        """Minutes until an unanswered proposal expires."""
        return self.policy.confirmation.get("expires_minutes", 10)

    @property
    def quick_replies(self) -> Mapping[Language, tuple[str, ...]]:
        """Buttons under the first message, by language."""
        return self.company.greeting.quick_replies

    @cached_property
    def special_days(self) -> Mapping[date, tuple[Span, ...]]:
        """Spans of the calendar's days."""
        return {row.date: tuple(span(text) for text in row.hours) for row in self.company.calendar}


def load_pack(folder: Path) -> Pack:
    """Read and check the pack in `folder`. Raises `BadPack` with file, line and remedy."""
    company, policy = load_tables(folder)
    tools = plugged_tools(
        folder,
        policy.mcp,
        purposes=policy.purposes.keys(),
        currency=company.currency,
        timezone=company.timezone,
    )
    systems = mapped_systems(
        folder,
        purposes=policy.purposes.keys(),
        taken=[tool.name for tool in tools],
        currency=company.currency,
        timezone=company.timezone,
    )
    canned = canned_replies(folder, company.languages)
    pack = Pack(folder, company, policy, plugged=tools, systems=systems, canned=canned)
    _reachable(pack, ["payments", "url"], policy.payments.url)
    _worded(pack)
    for carrier, address in policy.tracking.items():
        _reachable(pack, ["tracking", carrier], address)
    return pack


def _reachable(pack: Pack, where: list[str], address: str) -> None:
    """Raise `BadPack` for an address at a host that answers may not lead to."""
    if not foreign(address, allowed=pack.hosts):
        return
    path = pack.folder / "policy.toml"
    raise BadPack(
        f"{path}:{line_of(path, where)}: {'.'.join(where)}: no answer may lead to this host",
        remedy="Add the host to `hosts` under [links] in policy.toml, or correct the address.",
    )


def _worded(pack: Pack) -> None:
    """Raise `BadPack` for a purpose that cannot be asked for in every language of the company."""
    for purpose in pack.purposes.values():
        for key, words in (("text", purpose.text), ("gives", purpose.gives)):
            for language in pack.languages:
                if words.get(language, "").strip():
                    continue
                path = pack.folder / "policy.toml"
                raise BadPack(
                    f"{path}:{line_of(path, ['purposes', purpose.name, key])}: purposes.{purpose.name}.{key}:"
                    f" no words in “{language}”, but `languages` names it",
                    remedy=f'Write {key} = {{ {language} = "…" }} there: consent is asked for in the customer\'s language.',
                )


def load_tables(folder: Path) -> tuple[Company, Policy]:
    """Read the pack's two tables alone: what they say of other systems is not compared with anything yet."""
    if not folder.is_dir():
        raise BadPack(
            f"There is no company pack at {folder}.",
            remedy="Set MAYAK_COMPANY to a folder with company.toml and policy.toml.",
        )
    company, policy = toml_of(folder / "company.toml"), toml_of(folder / "policy.toml")
    for name, table in policy.get("purposes", {}).items():
        if isinstance(table, dict):
            table.setdefault("name", name)
    return (
        model_of(folder / "company.toml", company, Company),
        model_of(folder / "policy.toml", policy, Policy),
    )


def span(text: str) -> Span:
    """Read "09:00-18:00". Raises ValueError."""
    match = re.fullmatch(r"(\d\d:\d\d)-(\d\d:\d\d)", text)
    if match is None:
        raise ValueError(f"“{text}” is no span of hours; write it as 09:00-18:00")
    opens, closes = time.fromisoformat(match[1]), time.fromisoformat(match[2])
    if opens >= closes:
        raise ValueError(f"“{text}” ends before it begins; write the earlier hour first")
    return opens, closes
