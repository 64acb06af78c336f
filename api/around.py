"""Who is about right now: the customer's chat is open, somebody types, a colleague looks on. In memory, for seconds.

```
chat stream ───────► online    ┐
widget's typing ───► typing    ├─► Around ─► what a conversation's watchers see now (`Scene`)
console stream ────► looking   │
reply field ───────► answering ┘
```
A sign is repeated by whoever gives it and fades by itself; nothing of it is ever stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Literal, NamedTuple, get_args

from tools.context import ConversationId

Kind = Literal["online", "typing", "looking", "answering"]
"""`online`, `typing`: the customer; `looking`, `answering`: somebody of the staff, by login."""
KINDS: tuple[Kind, ...] = get_args(Kind)
LASTS: dict[Kind, float] = {"online": 40.0, "typing": 5.0, "looking": 40.0, "answering": 5.0}
"""Seconds after which a sign that was not repeated fades."""
MOST = 20_000
"""Conversations with a sign at once; more than one installation serves, so that nobody can fill the memory."""


class Sign(NamedTuple):
    """One sign of somebody's presence. `source` tells two windows of the same person apart."""

    kind: Kind
    conversation: ConversationId
    who: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is to be seen around a conversation at one moment; logins, never names."""

    online: bool = False
    typing: bool = False
    looking: frozenset[str] = frozenset()
    answering: frozenset[str] = frozenset()


class Around:
    """The signs of this process's time. `changed` is told every conversation whose scene became another."""

    def __init__(
        self,
        *,
        changed: Callable[[ConversationId], None] = lambda conversation: None,
        now: Callable[[], float] = monotonic,
    ) -> None:
        self.changed = changed
        self.spread: Callable[[Sign, bool], None] = lambda sign, there: None
        """Tells other processes of a sign that was given, or taken back, here."""
        self._now = now
        self._until: dict[ConversationId, dict[Sign, float]] = {}

    def show(self, sign: Sign, *, elsewhere: bool = False) -> None:
        """Somebody is there, or still is. `elsewhere`: another process says so."""
        if sign.conversation not in self._until and len(self._until) >= MOST:
            self._tidy()
            if len(self._until) >= MOST:
                return
        before = self.scene(sign.conversation)
        self._until.setdefault(sign.conversation, {})[sign] = self._now() + LASTS[sign.kind]
        self._told(sign, before, there=True, elsewhere=elsewhere)

    def hide(self, sign: Sign, *, elsewhere: bool = False) -> None:
        """Somebody is there no longer."""
        before = self.scene(sign.conversation)
        self._until.get(sign.conversation, {}).pop(sign, None)
        self._told(sign, before, there=False, elsewhere=elsewhere)

    def scene(self, conversation: ConversationId) -> Scene:
        """Return what is to be seen now."""
        signs = self._fresh(conversation)
        return Scene(
            online=any(one.kind == "online" for one in signs),
            typing=any(one.kind == "typing" for one in signs),
            looking=frozenset(one.who for one in signs if one.kind == "looking"),
            answering=frozenset(one.who for one in signs if one.kind == "answering"),
        )

    def fades(self, conversation: ConversationId) -> float | None:
        """Return in how many seconds the next sign fades, None when there is none."""
        signs = self._fresh(conversation)
        return min(signs.values()) - self._now() if signs else None

    def _told(self, sign: Sign, before: Scene, *, there: bool, elsewhere: bool) -> None:
        if not elsewhere:
            self.spread(sign, there)
        if self.scene(sign.conversation) != before:
            self.changed(sign.conversation)

    def _fresh(self, conversation: ConversationId) -> dict[Sign, float]:
        signs, now = self._until.get(conversation, {}), self._now()
        for sign in [one for one, until in signs.items() if until <= now]:
            del signs[sign]
        if not signs:
            self._until.pop(conversation, None)
        return signs

    def _tidy(self) -> None:
        for conversation in list(self._until):
            self._fresh(conversation)
