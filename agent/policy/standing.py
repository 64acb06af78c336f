"""How sure we still are of a customer whom a one-time code proved. Pure.

```
code ─► verified ── verified_for ──► channel       the chat still knows them, and a change needs another code
a further code while verified ─► stepped_up ── stepped_up_for ──► verified ─► …
```
What a signed token proved lasts as long as its conversation.
"""

from datetime import datetime, timedelta

from tools.context import Assurance

SURE: frozenset[Assurance] = frozenset({"verified", "stepped_up"})


def standing(
    assurance: Assurance,
    *,
    proved: datetime | None,
    now: datetime,
    verified_for: timedelta,
    stepped_up_for: timedelta,
) -> Assurance:
    """Return the assurance that counts at `now`; `proved` is when a code told who it is, None when none did."""
    if proved is None or assurance not in SURE:
        return assurance
    if now >= proved + verified_for:
        return "channel"
    if assurance == "stepped_up" and now >= proved + stepped_up_for:
        return "verified"
    return assurance


def after_code(assurance: Assurance) -> Assurance:
    """Return what a code makes of a customer: who was verified already has stepped up."""
    return "stepped_up" if assurance in SURE else "verified"
