"""Who holds the conversation: a state machine, pure. The stages, their one owner, and every way between them.

```
        offer                ask_person            claim              return
   ai ─────────► offered ───────────────► queued ─────────► person ─────────► returned ───► ai
   ▲                │ customer_writes       │ ▲ ▲             │ │ ▲              ai_speaks
   │◄───────────────┘                       │ │ └─────────────┘ │ │ wake, customer_writes
   │◄──────────── ai_resume, return ────────┘ │  not_answered,  │ └────── snoozed ◄── snooze ── person
   │                                          │  transfer       │ close
   │                             not_accepted, transfer         ▼
   └───────────────────── customer_writes ─────────────────── closed  ◄── close from everywhere
```

| stage    | owner  | offer   | ask_person | claim  | not_accepted | out_of_hours | not_answered | transfer | snooze  | wake   | return   | ai_resume | ai_speaks | close  | customer_writes | customer_leaves | crash    |
|----------|--------|---------|------------|--------|--------------|--------------|--------------|----------|---------|--------|----------|-----------|-----------|--------|-----------------|-----------------|----------|
| ai       | ai     | offered | queued     | person | –            | –            | –            | –        | –       | –      | –        | –         | ai        | closed | ai              | ai              | ai       |
| offered  | ai     | offered | queued     | person | –            | –            | –            | –        | –       | –      | –        | –         | ai        | closed | ai              | offered         | offered  |
| queued   | queued | –       | queued     | person | queued       | queued       | –            | queued   | –       | –      | ai       | ai        | –         | closed | queued          | queued          | queued   |
| person   | person | –       | person     | person | –            | –            | queued       | queued   | snoozed | –      | returned | –         | –         | closed | person          | person          | person   |
| snoozed  | person | –       | person     | person | –            | –            | –            | queued   | snoozed | person | returned | –         | –         | closed | person          | snoozed         | snoozed  |
| returned | ai     | offered | queued     | person | –            | –            | –            | –        | –       | –      | –        | –         | ai        | closed | returned        | returned        | returned |
| closed   | closed | –       | queued     | person | –            | –            | –            | –        | –       | –      | –        | –         | –         | closed | ai              | closed          | closed   |

A dash is refused. What each stage means, and what comes next in it by itself:

- `ai`: the AI answers. Whatever a customer writes is a turn, and every turn has an outcome.
- `offered`: the AI's last words held the way to a person and nobody has taken it; the next words of the customer,
  whatever they are, end the offer. A customer who leaves has lost nothing: nobody was promised.
- `queued`: a person is called and the customer knows it; the AI is silent. There is always a next event
  (`agent.routing`): the chosen operator did not accept, nobody accepts, the hours end or begin. A customer who leaves
  stays in the queue, because the question was passed on. A person passes a conversation on through it (`transfer`).
- `person`: a person speaks and the AI is silent. Until their first words there is a next event: `not_answered`.
- `snoozed`: the person put it aside until a time and owns it still; the AI is silent. The next event is that time
  (`wake`); the customer's words come before it.
- `returned`: a person gave it back. The AI's next words say again what it is, and end the stage.
- `closed`: the case is over; whoever writes again starts with the AI, so a closed case can never answer with a
  hand-off by itself. Only a turn that had begun before, with no person in between, may still pass its question on.

A crash changes nothing: every transition is one transaction with its cause, and the next event is a row, not a task.
`claim` by a second person while somebody holds the conversation is decided by the caller's compare-and-set, not here.
"""

from typing import Literal

from agent.domain import Holder, Reason, Stage
from agent.errors import AgentFault

Event = Literal[
    "offer",
    "ask_person",
    "claim",
    "not_accepted",
    "out_of_hours",
    "not_answered",
    "transfer",
    "snooze",
    "wake",
    "return",
    "ai_resume",
    "ai_speaks",
    "close",
    "customer_writes",
    "customer_leaves",
    "crash",
]
Why = Literal["other_topic", "needs_expert", "needs_language", "shift_ends", "customer_wishes"]
"""Why a person passes a conversation on."""
Cause = (
    Reason
    | Literal[
        "offered",
        "claimed",
        "not_accepted",
        "nobody_in",
        "not_answered",
        "given_back",
        "customer_chose_ai",
        "spoke",
        "case_closed",
        "customer_wrote",
        "put_aside",
        "time_came",
        "taken_up",
        "person_spoke",
    ]
    | Why
)
"""Why a transition happened: for a call for a person its `Reason`. A closed set, written beside each transition."""

OWNER: dict[Stage, Holder] = {
    "ai": "ai",
    "offered": "ai",
    "queued": "queued",
    "person": "person",
    "snoozed": "person",
    "returned": "ai",
    "closed": "closed",
}
TIMED: frozenset[Stage] = frozenset(("queued", "person", "snoozed"))
"""Stages that a clock watches: a conversation enters them with its next event set."""
CLOCKED: frozenset[Event] = frozenset(("not_accepted", "out_of_hours", "not_answered", "wake"))
"""What the clock does."""
WRITTEN: frozenset[Event] = CLOCKED | {"transfer", "snooze"}
"""What is written down although the stage stays."""

TABLE: dict[Stage, dict[Event, Stage]] = {
    "ai": {
        "offer": "offered",
        "ask_person": "queued",
        "claim": "person",
        "ai_speaks": "ai",
        "close": "closed",
        "customer_writes": "ai",
        "customer_leaves": "ai",
        "crash": "ai",
    },
    "offered": {
        "offer": "offered",
        "ask_person": "queued",
        "claim": "person",
        "ai_speaks": "ai",
        "close": "closed",
        "customer_writes": "ai",
        "customer_leaves": "offered",
        "crash": "offered",
    },
    "queued": {
        "ask_person": "queued",
        "claim": "person",
        "not_accepted": "queued",
        "out_of_hours": "queued",
        "transfer": "queued",
        "return": "ai",
        "ai_resume": "ai",
        "close": "closed",
        "customer_writes": "queued",
        "customer_leaves": "queued",
        "crash": "queued",
    },
    "person": {
        "ask_person": "person",
        "claim": "person",
        "not_answered": "queued",
        "transfer": "queued",
        "snooze": "snoozed",
        "return": "returned",
        "close": "closed",
        "customer_writes": "person",
        "customer_leaves": "person",
        "crash": "person",
    },
    "snoozed": {
        "ask_person": "person",
        "claim": "person",
        "transfer": "queued",
        "snooze": "snoozed",
        "wake": "person",
        "return": "returned",
        "close": "closed",
        "customer_writes": "person",
        "customer_leaves": "snoozed",
        "crash": "snoozed",
    },
    "returned": {
        "offer": "offered",
        "ask_person": "queued",
        "claim": "person",
        "ai_speaks": "ai",
        "close": "closed",
        "customer_writes": "returned",
        "customer_leaves": "returned",
        "crash": "returned",
    },
    "closed": {
        "ask_person": "queued",
        "claim": "person",
        "close": "closed",
        "customer_writes": "ai",
        "customer_leaves": "closed",
        "crash": "closed",
    },
}


class NotPossible(AgentFault):
    """The event does not fit who holds the conversation now."""

    code = "not_possible"


def step(stage: Stage, event: Event) -> Stage:
    """Return where the conversation is after `event`. Raises `NotPossible`."""
    after = TABLE[stage].get(event)
    if after is None:
        raise NotPossible(
            f"The conversation is at “{stage}”; “{event}” does not fit.",
            remedy="Reload the conversation: somebody may have acted on it meanwhile.",
        )
    return after
