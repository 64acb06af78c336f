"""Events that wait in memory, and a receiver that can be told what to do, for tests of whoever delivers."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from agent.ports import Clock
from agent.records.hooks import Backlog, Hook
from api.webhooks.port import Undelivered
from tools.context import ConversationId


class FakeHooks:
    """`Hooks` over what it is given."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._numbers: dict[tuple[str, ConversationId], int] = {}
        self._rows: dict[int, Hook] = {}
        self._next: dict[int, datetime] = {}
        self._ended: dict[int, datetime] = {}

    def add(self, webhook: str, conversation: ConversationId, *, type: str, **data: object) -> Hook:
        """Give the webhook one more event of the conversation."""
        self._count += 1
        id, now = self._count, self._clock.now()
        number = self._numbers[webhook, conversation] = self._numbers.get((webhook, conversation), 0) + 1
        hook = Hook(
            id=id,
            webhook=webhook,
            conversation=conversation,
            n=number,
            event=f"evt_{id}",
            type=type,
            data=dict(data),
            state="pending",
            attempts=0,
            fault="",
            at=now,
            since=now,
        )
        self._rows[id], self._next[id] = hook, now
        return hook

    async def due(self, webhook: str, *, limit: int) -> tuple[ConversationId, ...]:
        heads: dict[ConversationId, int] = {}
        for id in self._open(webhook):
            heads.setdefault(self._rows[id].conversation, id)
        now = self._clock.now()
        ready = sorted((self._next[id], id) for id in heads.values() if self._next[id] <= now)
        return tuple(self._rows[id].conversation for _, id in ready)[:limit]

    async def take(self, webhook: str, conversation: ConversationId, *, seconds: float) -> Hook | None:
        head = next((id for id in self._open(webhook) if self._rows[id].conversation == conversation), 0)
        now = self._clock.now()
        if not head or self._next[head] > now:
            return None
        before = self._rows[head]
        self._rows[head] = replace(before, state="sending", attempts=before.attempts + 1)
        self._next[head] = now + timedelta(seconds=seconds)
        return replace(self._rows[head], repeated=before.state in ("sending", "cut"))

    async def delivered(self, hook: int) -> None:
        self._end(hook, state="delivered")

    async def postponed(self, hook: int, *, seconds: float, fault: str) -> None:
        if hook not in self._ended:
            self._rows[hook] = replace(self._rows[hook], state="pending", fault=fault)
            self._next[hook] = self._clock.now() + timedelta(seconds=seconds)

    async def given_up(self, hook: int, *, fault: str) -> None:
        self._end(hook, state="dead", fault=fault)

    async def reopen(self, webhook: str) -> int:
        cut = [id for id in self._open(webhook) if self._rows[id].state == "sending"]
        for id in cut:
            self._rows[id] = replace(self._rows[id], state="cut")
            self._next[id] = self._clock.now()
        return len(cut)

    async def orphan(self, known: Collection[str], *, fault: str) -> int:
        gone = [id for id, h in self._rows.items() if h.webhook not in known and id not in self._ended]
        for id in gone:
            self._end(id, state="dead", fault=fault)
        return len(gone)

    async def revive(self, webhook: str, *, event: str = "") -> int:
        now = self._clock.now()
        dead = [
            id
            for id, hook in self._rows.items()
            if (hook.webhook, hook.state) == (webhook, "dead") and event in ("", hook.event)
        ]
        for id in dead:
            self._rows[id] = replace(self._rows[id], state="pending", attempts=0, since=now)
            self._next[id] = now
            del self._ended[id]
        return len(dead)

    async def forget(self, webhook: str, *, before: datetime) -> int:
        old = [id for id, at in self._ended.items() if at < before and self._rows[id].webhook == webhook]
        for id in old:
            del self._rows[id], self._next[id], self._ended[id]
        return len(old)

    async def backlog(self, webhook: str) -> Backlog:
        waiting = self._open(webhook)
        return Backlog(
            webhook=webhook,
            waiting=len(waiting),
            dead=sum((h.webhook, h.state) == (webhook, "dead") for h in self._rows.values()),
            oldest=min((self._rows[id].since for id in waiting), default=None),
        )

    async def listed(self, webhook: str, *, limit: int = 200) -> tuple[Hook, ...]:
        rows = (h for h in self._rows.values() if h.webhook == webhook and h.fault)
        return tuple(h for h in rows if h.state != "delivered")[:limit]

    def _open(self, webhook: str) -> list[int]:
        return [id for id, h in self._rows.items() if h.webhook == webhook and id not in self._ended]

    def _end(self, hook: int, *, state: str, fault: str | None = None) -> None:
        if hook not in self._ended:
            before = self._rows[hook]
            self._rows[hook] = replace(before, state=state, fault=before.fault if fault is None else fault)
            self._ended[hook] = self._clock.now()


class FakePost:
    """A receiver that takes everything but what `faults` holds for it, one an attempt."""

    def __init__(self) -> None:
        self.faults: list[Undelivered | None] = []
        self.bodies: list[bytes] = []
        self.headers: list[Mapping[str, str]] = []
        self.closed = False

    async def send(self, body: bytes, headers: Mapping[str, str]) -> None:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault
        self.bodies.append(body)
        self.headers.append(headers)

    async def close(self) -> None:
        self.closed = True
