"""A write before and after the customer's «да»: `Proposal` is what was asked, `Effect` is what happened.

propose_… ──► Proposal ──(shown, confirmed)──► execute(key) ──► Effect: done | already_done | refused | unknown
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from tools.context import CustomerId, ProposalId
from tools.errors import Expired, NotFound, Rejected, Unconfirmed

Fact = str | int | float
EffectState = Literal["done", "already_done", "refused", "unknown"]

EXPIRES_AFTER = timedelta(minutes=10)


def digest(*, tool: str, owner: CustomerId, arguments: Mapping[str, str], version: str) -> str:
    """Return the sha256 (hex) of who asks for what in which state of the thing."""
    bound = {"tool": tool, "owner": owner, "arguments": dict(arguments), "version": version}
    canonical = json.dumps(bound, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A write that waits for its customer's own confirmation.

    `arguments` are exact and bound by `digest`, with the `version` of the thing they were made for;
    `facts` fill the confirmation text: amounts in major units, days as ISO dates.
    """

    id: ProposalId
    tool: str
    owner: CustomerId
    arguments: Mapping[str, str]
    facts: Mapping[str, Fact]
    created: datetime
    expires: datetime
    digest: str
    version: str = ""

    @classmethod
    def made(
        cls,
        tool: str,
        *,
        owner: CustomerId,
        arguments: Mapping[str, str],
        facts: Mapping[str, Fact],
        version: str,
        now: datetime,
        expires_after: timedelta = EXPIRES_AFTER,
    ) -> "Proposal":
        """Return a proposal bound to exactly these arguments and this version."""
        bound = digest(tool=tool, owner=owner, arguments=arguments, version=version)
        return cls(
            id=ProposalId("p-" + hashlib.sha256(f"{bound} {now.isoformat()}".encode()).hexdigest()[:24]),
            tool=tool,
            owner=owner,
            arguments=dict(arguments),
            facts=dict(facts),
            created=now,
            expires=now + expires_after,
            digest=bound,
            version=version,
        )

    def intact(self) -> bool:
        """Whether tool, owner, arguments and version are still the ones the digest was made of."""
        fresh = digest(tool=self.tool, owner=self.owner, arguments=self.arguments, version=self.version)
        return fresh == self.digest

    def to_dict(self) -> dict[str, object]:
        return asdict(self) | {"created": self.created.isoformat(), "expires": self.expires.isoformat()}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> "Proposal":
        """Read back what `to_dict` gave; `Unconfirmed` if it is not such a thing or was altered."""
        try:
            times = {name: datetime.fromisoformat(str(raw[name])) for name in ("created", "expires")}
            proposal = cls(**{**raw, **times})  # type: ignore[arg-type]
            intact = proposal.intact()
        except (KeyError, TypeError, ValueError) as wrong:
            raise Unconfirmed("not a proposal") from wrong
        if not intact:
            raise Unconfirmed("the proposal was altered")
        return proposal

    @classmethod
    def from_json(cls, text: str) -> "Proposal":
        """Read back what `to_json` gave; `Unconfirmed` if it is not such a thing or was altered."""
        try:
            raw = json.loads(text)
        except ValueError as wrong:
            raise Unconfirmed("not a proposal") from wrong
        if not isinstance(raw, dict):
            raise Unconfirmed("not a proposal")
        return cls.from_dict(raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What came of a confirmed proposal.

    `already_done` repeats the facts of the first time; `refused` has `facts["reason"]`;
    `unknown` means the other system may or may not have done it: a person must look.
    """

    proposal: Proposal
    state: EffectState
    facts: Mapping[str, Fact]


def admit(proposal: Proposal, *, owner: CustomerId, kinds: frozenset[str]) -> None:
    """Raise unless `proposal` is this owner's (`NotFound`), unaltered and of one of the kinds (`Unconfirmed`)."""
    if proposal.owner != owner:
        raise NotFound()
    if not proposal.intact() or proposal.tool not in kinds:
        raise Unconfirmed()


def in_time(proposal: Proposal, *, now: datetime) -> None:
    """Raise `Expired` when the confirmation came too late. What is done already stays done: ask the key first."""
    if now >= proposal.expires:
        raise Expired()


def same_as_before(proposal: Proposal, *, digest: str) -> None:
    """Raise `Rejected("key_reused")` when the key was used for something else."""
    if proposal.digest != digest:
        raise Rejected("key_reused")
