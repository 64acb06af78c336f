"""The life of a version, and which version counts when. Pure.

             ┌──── reject ────┐
             ▼                │        publish            another takes over
  saved ─► draft ─ submit ─► review ─────────────► published ─────────────► superseded
             │ ▲                                    │  ▲  │                     │
             │ └──────── withdraw (not begun) ──────┘  │  └─ retire ─► retired  │
             └────────────────── publish ──────────────┴── publish, rollback ◄──┴─ (both)

 step       from                                            to
 submit     draft                                           review
 reject     review                                          draft
 publish    draft, review, superseded, retired, published   published      (approve and rollback, too)
 withdraw   published, not begun                            draft
 overtake   published; drafts and reviews older than it     superseded
 retire     published, draft, review                        retired

Published versions of a document lie on one line of time. Each counts from its beginning until the next one begins:

   v2 ══════════════╗ T
                    ╚══ v3, published ahead with effective_from = T ═══►

Nothing has to happen at T: who reads asks the line where the moment lies.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from knowledge.errors import WrongDates, WrongState
from knowledge.types import State, Status

Step = Literal["submit", "reject", "publish", "withdraw", "overtake", "retire"]

STEPS: Mapping[Step, Mapping[State, State]] = {
    "submit": {"draft": "review"},
    "reject": {"review": "draft"},
    "publish": {
        "draft": "published",
        "review": "published",
        "superseded": "published",
        "retired": "published",
        "published": "published",
    },
    "withdraw": {"published": "draft"},
    "overtake": {"published": "superseded", "draft": "superseded", "review": "superseded"},
    "retire": {"published": "retired", "draft": "retired", "review": "retired"},
}
"""Where each step leads from each state it may begin in."""

_EVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A published version on the line of time; `begins` None means since ever."""

    version: int
    begins: datetime | None

    def begun(self, now: datetime) -> bool:
        """Say whether its time has come."""
        return self.begins is None or self.begins <= now


def after(step: Step, state: State) -> State:
    """Return the state a step leads to. Raises `WrongState` where it does not begin."""
    led = STEPS[step].get(state)
    if led is None:
        begins = " or ".join(STEPS[step])
        raise WrongState(
            f"A version in {state} cannot take the step {step}.", remedy=f"It begins in {begins}."
        )
    return led


def line(slots: Iterable[Slot]) -> dict[int, datetime | None]:
    """Return for each version when the next one begins, None for the last. Beginnings differ."""
    ordered = sorted(slots, key=lambda slot: slot.begins or _EVER)
    following = [slot.begins for slot in ordered[1:]]
    return {slot.version: then for slot, then in zip(ordered, [*following, None], strict=False)}


def counting(slots: Iterable[Slot], *, now: datetime) -> Slot | None:
    """Return the version that counts at a moment: the one that began last."""
    begun = [slot for slot in slots if slot.begun(now)]
    return max(begun, key=lambda slot: slot.begins or _EVER, default=None)


def overtaken(slots: Iterable[Slot], *, by: Slot, now: datetime) -> list[int]:
    """Return the versions that a newly published one replaces in this commit.

    One that counts at once replaces all that have begun; one to come replaces what was to begin at the same moment.
    """
    others = [slot for slot in slots if slot.version != by.version]
    if by.begun(now):
        return [slot.version for slot in others if slot.begun(now)]
    return [slot.version for slot in others if slot.begins == by.begins]


def check_dates(*, begins: datetime | None, ends: datetime | None, now: datetime) -> None:
    """Refuse what would never count. Raises `WrongDates`, also for a moment without a zone."""
    for moment in (begins, ends):
        if moment is not None and moment.tzinfo is None:
            raise WrongDates("The moment has no time zone.", remedy="Write 2026-12-01T00:00+03:00.")
    if ends is not None and ends <= max(begins or _EVER, now):
        raise WrongDates("It would end before it begins.", remedy="Give an end that lies later.")


def state_at(state: State, superseded_from: datetime | None, *, now: datetime) -> State:
    """Return how a version stands at a moment: a published one is superseded once the next has begun."""
    over = state == "published" and superseded_from is not None and superseded_from <= now
    return "superseded" if over else state


def status_of(states: Sequence[State]) -> Status:
    """Return where a document stands by its versions' states, newest first."""
    if "published" in states:
        return "published"
    if "retired" in states:
        return "retired"
    return "review" if states[:1] == ["review"] else "draft"
