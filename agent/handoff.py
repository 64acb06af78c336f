"""Who holds the conversation: a small state machine, pure.

```
            ask_person            claim              return
   ai ───────────────► queued ───────────► person ───────────► ai
   ▲ ▲                   │                   │
   │ └──── ai_resume ────┘                   │ close
   │                                         ▼
   └──────────── customer_writes ───────── closed  ◄── close from ai, queued
```

| holder | ask_person | claim  | return | close  | ai_resume | customer_writes |
|--------|------------|--------|--------|--------|-----------|-----------------|
| ai     | queued     | person | –      | closed | –         | ai              |
| queued | queued     | person | ai     | closed | ai        | queued          |
| person | person     | person | ai     | closed | –         | person          |
| closed | queued     | person | –      | closed | –         | ai              |

A dash is refused. In `queued` and `person` the AI is silent; a customer who writes after `closed` starts
with the AI again, so a closed case can never answer with another hand-off. `claim` by a second person
while somebody holds the conversation is decided by the caller's compare-and-set, not here.
"""

from typing import Literal

from agent.domain import Holder
from agent.errors import AgentFault

Event = Literal["ask_person", "claim", "return", "close", "ai_resume", "customer_writes"]

TABLE: dict[Holder, dict[Event, Holder]] = {
    "ai": {"ask_person": "queued", "claim": "person", "close": "closed", "customer_writes": "ai"},
    "queued": {
        "ask_person": "queued",
        "claim": "person",
        "return": "ai",
        "close": "closed",
        "ai_resume": "ai",
        "customer_writes": "queued",
    },
    "person": {
        "ask_person": "person",
        "claim": "person",
        "return": "ai",
        "close": "closed",
        "customer_writes": "person",
    },
    "closed": {"ask_person": "queued", "claim": "person", "close": "closed", "customer_writes": "ai"},
}


class NotPossible(AgentFault):
    """The event does not fit who holds the conversation now."""

    code = "not_possible"


def step(holder: Holder, event: Event) -> Holder:
    """Return who holds the conversation after `event`. Raises `NotPossible`."""
    after = TABLE[holder].get(event)
    if after is None:
        raise NotPossible(
            f"The conversation is held by “{holder}”; “{event}” does not fit.",
            remedy="Reload the conversation: somebody may have acted on it meanwhile.",
        )
    return after
