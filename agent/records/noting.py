"""What webhooks are told of turns, writes and consents: read from the records in the transaction that writes them.

```
TurnRecord ─► turn.<outcome>
closed proposal ─┬─ the customer's no ────────────────────────► write.refused (by: customer)
                 └─ the customer's yes ─► write.confirmed ─┬──► write.done | unknown | handed_over | expired
                                                           └──► write.refused (by: system)
consent ─► granted, withdrawn (it was granted before) or refused (it was not)
```
A yes and what came of it are one commit, so they are told together.
"""

from typing import Any

from sqlalchemy import select

from agent.domain import ConsentChange, Escalated, Outcome, TurnRecord, Waiting, outcome_name
from agent.records.page import Page
from agent.records.tables import proposals
from agent.webhooks import EVENTS, EventType

_TURN: dict[str, EventType] = {
    event.removeprefix("turn."): event for event in EVENTS if event.startswith("turn.")
}
_ENDS: dict[str, EventType] = {
    "done": "write.done",
    "already_done": "write.done",
    "refused": "write.refused",
    "unknown": "write.unknown",
    "handed_over": "write.handed_over",
    "expired": "write.expired",
}
"""Final states of proposals; one that a later proposal took the place of is told by that one."""


def note_turn(page: Page, record: TurnRecord, *, withheld: bool) -> None:
    """Tell how a turn ended. `withheld`: its words did not leave, because a person had taken the conversation."""
    page.note(
        _TURN[outcome_name(record.outcome)],
        turn=record.turn,
        confidence=record.confidence,
        path=record.path,
        withheld=withheld,
        tools=[{"name": use.name, "ok": use.ok} for use in record.tools],
        **_of(record.outcome),
    )


def _of(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Escalated):
        return {"reason": outcome.reason, "partial": outcome.partial}
    if isinstance(outcome, Waiting):
        return {"waiting_for": outcome.what, "target": outcome.target}
    return {}


async def note_write(page: Page, record: TurnRecord, *, proposal: str, state: str) -> None:
    """Tell how a proposal ended, and that it was confirmed where it was."""
    end = _ENDS.get(state)
    if end is None or not page.wanted("write.confirmed", end):
        return
    known = await page.connection.execute(select(proposals.c.data).where(proposals.c.id == proposal))
    data = known.scalar_one_or_none() or {}
    about = {"turn": record.turn, "proposal": proposal, "tool": data.get("tool", "")}
    # A plain no never reaches the tool, a refusal of the system's own comes from it.
    confirmed = state != "refused" or bool(record.tools)
    if confirmed:
        page.note("write.confirmed", **about)
    if end == "write.refused":
        about["by"] = "system" if confirmed else "customer"
    page.note(end, **about)


def note_consent(page: Page, change: ConsentChange, *, by: str, granted: bool) -> None:
    """Tell that a consent was given, taken back (it was `granted` before) or not given."""
    denied: EventType = "consent.withdrawn" if granted else "consent.refused"
    page.note(
        "consent.granted" if change.granted else denied,
        purpose=change.purpose,
        version=change.version,
        by=by,
    )
