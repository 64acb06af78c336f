"""`[[webhooks]]` of `company.toml`: which systems of the company are told what happens here, and how much of it.

```
company.toml [[webhooks]] ─► wants("turn.answered")? ─► one row of `hooks` in the transaction of the fact itself
```
By default an event names things by their ids and says what came of them; words and customers are asked for.
"""

from typing import Literal, get_args
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from agent.terms import Part

EventType = Literal[
    "message.received",
    "message.sent",
    "turn.answered",
    "turn.clarify",
    "turn.declined",
    "turn.escalated",
    "turn.held",
    "turn.waiting",
    "write.proposed",
    "write.confirmed",
    "write.done",
    "write.refused",
    "write.unknown",
    "write.handed_over",
    "write.expired",
    "consent.granted",
    "consent.refused",
    "consent.withdrawn",
    "handoff.queued",
    "handoff.claimed",
    "handoff.returned",
    "handoff.closed",
    "handoff.reopened",
]
EVENTS: tuple[EventType, ...] = get_args(EventType)
FAMILIES = tuple(sorted({event.partition(".")[0] for event in EVENTS}))
Included = Literal["text", "customer"]
"""What an event may carry beyond ids: the words of messages, and which customer it is about."""


class Webhook(Part):
    """One address that is told. `name` is also the name of its secrets in `MAYAK_WEBHOOK_SECRETS`."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")
    url: str
    events: tuple[str, ...] = Field(default=("*",), min_length=1)
    include: tuple[Included, ...] = ()
    give_up_hours: float = Field(default=24, gt=0, le=24 * 14)
    """An event that could not be delivered for so long is given up: kept, seen by staff, sent again on request."""
    keep_days: int = Field(default=7, ge=1, le=90)
    """How long a delivered or given up event is kept."""

    @model_validator(mode="after")
    def _usable(self) -> "Webhook":
        found = urlsplit(self.url)
        if found.scheme not in ("http", "https") or not found.hostname:
            raise ValueError(f"“{self.url}” is no address; write https://crm.example.com/mayak")
        if found.username or found.password:
            raise ValueError("the address holds a password; events are signed instead")
        for wanted in self.events:
            family, _, rest = wanted.partition(".")
            if not (wanted == "*" or wanted in EVENTS or (rest == "*" and family in FAMILIES)):
                raise ValueError(
                    f"there is no event “{wanted}”; there are: *, "
                    f"{', '.join(f'{family}.*' for family in FAMILIES)}, {', '.join(EVENTS)}"
                )
        return self

    def wants(self, event: EventType) -> bool:
        """Return whether this address is told of such events."""
        return bool({"*", event, f"{event.partition('.')[0]}.*"}.intersection(self.events))
