"""What a pledge is: somebody of ours said that they would act later and let the customer know.

```
"Уточню и вернусь до 18:00"   Pledge(words, due) ─► a row of `promises`: Owed ─┬─ answered, or marked ──► kept
                                                                               ├─ the time has passed ──► late ─► kept
                                                                               └─ mistaken, put off, over ► withdrawn
```
A pledge is no `agent.promise.Promise`: that one is about answers, says how many of them may be wrong, and is kept by a
threshold; this one is about an act, has an owner and a time, and is kept by somebody. How one is recognised is
`agent.pledging`, how its time is read `agent.due`, what happens when that has passed `agent.overdue`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, NewType

from tools.context import ConversationId, CustomerId, Language

PledgeId = NewType("PledgeId", str)
Owner = Literal["person", "department"]
"""Whose it is: one person's, by login, or a department's, by id. The AI has none: nobody would keep it."""
State = Literal["open", "kept", "late", "withdrawn"]
End = Literal["", "answered", "marked", "mistaken", "renewed", "case_closed"]
"""How it came to its end: a person answered, or said that it is done; it was none; a later one took its place; the case
it belonged to was closed."""
Told = Literal["", "due", "late", "nothing"]
"""What the customer was told of its lateness: nothing yet, that with a new time, that alone; `nothing` for good."""
SOON = timedelta(minutes=15)
"""So long before it is due its owner is reminded."""
MARKS: Mapping[End, State] = {"marked": "kept", "mistaken": "withdrawn", "": "open"}
"""What somebody of ours may say of a promise: that it is kept, that it was none, that it stands after all."""
STANDING: tuple[State, ...] = ("open", "late")
"""States in which somebody still has to act."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """Words that promise, and until when. `exact`: the words say when; otherwise it is the department's usual time."""

    words: str
    due: datetime
    exact: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """One row of the ledger of promises. `seq` is the message that made it, `renews` the promise it took the place of.

    `name` is the login of a person or the id of a department; `said` is where the customer was told that it is late.
    """

    id: PledgeId
    conversation: ConversationId
    seq: int
    owner: Owner
    name: str
    department: str
    words: str
    language: Language
    due: datetime
    exact: bool
    state: State
    made: datetime
    late: datetime | None = None
    ended: datetime | None = None
    end: End = ""
    told: Told = ""
    renews: str = ""
    customer: CustomerId | None = None

    def haste(self, now: datetime) -> Literal["calm", "near", "late", "over"]:
        """Return how urgent it is now."""
        if self.state not in STANDING:
            return "over"
        if self.state == "late" or now >= self.due:
            return "late"
        return "near" if now >= self.due - SOON else "calm"
