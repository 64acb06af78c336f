"""One webhook's events on their way: each conversation's in order, until the other side has them or they are given up.

```
due ─► take ─► sign ─► post ─┬─► delivered ─► the conversation's next one
                             ├─ not taken      again in 1, 2, 4 … 900 s, or when the other side said; the next one waits
                             ├─ 410, or tried for `give_up_hours` ─► dead: kept, shown, the next one follows
                             └─ crash          due again at the next start, under the same id
```
At least once: an event whose end nobody recorded is sent again; the receiver knows it by its id.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from agent.ports import Clock
from agent.records.hooks import Hook
from agent.webhooks import Webhook
from api.channels.delivery import ended
from api.webhooks.counts import Counts
from api.webhooks.envelope import posted, signed
from api.webhooks.port import Hooks, Post, Transcripts, Undelivered
from tools.context import ConversationId

POLL_SECONDS = 0.5
"""How often the table is looked at: turns, operators and other processes write to it without a word to us."""
CLAIM_SECONDS = 60.0
"""An event that was taken is nobody else's for this long; an attempt takes far less."""
AT_ONCE = 4
"""Conversations whose events one webhook is sent at the same time."""
IN_A_ROW = 20
"""Events of one conversation after which others that wait have their turn."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 900.0
LONGEST_REST = 3600.0
"""Seconds a receiver may ask for at most."""
STOP_SECONDS = 5.0
FORGET_SECONDS = 3600.0
LOOK_AFTER_SECONDS = 5.0
FAULT_CHARS = 300

logger = logging.getLogger("mayak.webhooks")


class Postman:
    """Carries the events of one webhook. `alone`: no other process sends from this database."""

    def __init__(
        self,
        webhook: Webhook,
        *,
        secrets: Sequence[str],
        hooks: Hooks,
        transcripts: Transcripts,
        post: Post,
        counts: Counts,
        clock: Clock,
        source: str,
        alone: bool,
        lot: Callable[[], float] = random.random,
    ) -> None:
        self.webhook, self.name = webhook, webhook.name
        self._secrets, self._source = tuple(secrets), source
        self._hooks, self._transcripts, self._post = hooks, transcripts, post
        self._counts, self._clock, self._lot = counts, clock, lot
        self._alone = alone
        self._tasks: dict[ConversationId, asyncio.Task[None]] = {}
        self._woken = asyncio.Event()
        self._looking: list[asyncio.Task[None]] = []
        self._rests_until = clock.now()
        self._stopping = False

    async def start(self) -> None:
        """Take up what an earlier process left, and look for more from now on."""
        if self._alone and (left := await self._hooks.reopen(self.name)):
            logger.warning("%s: %d events were cut off; they are sent again", self.name, left)
        self._looking = [asyncio.create_task(self._look()), asyncio.create_task(self._look_after())]

    async def stop(self) -> None:
        """Let attempts end for a moment; the rest is due at the next start."""
        self._stopping = True
        self._woken.set()
        for task in self._looking[1:]:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)
        await ended(self._tasks.values(), seconds=STOP_SECONDS)
        await self._post.close()

    async def _look(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                await self._begin()
            except Exception as fault:
                # The outermost layer of the task: whatever breaks, the next look must come.
                logger.error("%s: what waits cannot be read: %r", self.name, fault)
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _look_after(self) -> None:
        """Keep the figures fresh, and forget what ended long ago."""
        forgets = 0.0
        while not self._stopping:
            now = self._clock.now()
            try:
                self._counts.standing(await self._hooks.backlog(self.name), now=now)
                if forgets <= 0:
                    kept = timedelta(days=self.webhook.keep_days)
                    await self._hooks.forget(self.name, before=now - kept)
                    forgets = FORGET_SECONDS
            except Exception as fault:
                logger.error("%s: the backlog cannot be read: %r", self.name, fault)
            forgets -= LOOK_AFTER_SECONDS
            await asyncio.sleep(LOOK_AFTER_SECONDS)

    async def _begin(self) -> None:
        """Start one task for every conversation that something is due for, as many as there may be."""
        free = AT_ONCE - len(self._tasks)
        if free <= 0 or self._clock.now() < self._rests_until:
            return
        due = await self._hooks.due(self.name, limit=AT_ONCE + free)
        for conversation in [id for id in due if id not in self._tasks][:free]:
            task = asyncio.create_task(self._carry(conversation))
            self._tasks[conversation] = task
            task.add_done_callback(partial(self._ended, conversation))

    def _ended(self, conversation: ConversationId, task: asyncio.Task[None]) -> None:
        del self._tasks[conversation]
        if not task.cancelled() and (fault := task.exception()) is not None:
            # Its event is due again when the claim runs out.
            logger.error("%s: conversation %s: %r", self.name, conversation, fault, exc_info=fault)
        self._woken.set()

    async def _carry(self, conversation: ConversationId) -> None:
        """Send in order; what is not taken now holds up what comes after it."""
        for _ in range(IN_A_ROW):
            if self._stopping or self._clock.now() < self._rests_until:
                return
            hook = await self._hooks.take(self.name, conversation, seconds=CLAIM_SECONDS)
            if hook is None or not await self._deliver(hook):
                return

    async def _deliver(self, hook: Hook) -> bool:
        """Return whether the next event of the conversation may follow."""
        if hook.repeated:
            self._counts.count(self.name, "repeated")
            if self._patience_is_over(hook):
                # Not even its failures can be recorded: it must not hold up its conversation for ever.
                return await self._undelivered(
                    hook, Undelivered("it breaks the sender: see the log", final=True)
                )
        began = self._clock.now()
        try:
            body = posted(hook, source=self._source, more=await self._more(hook))
            headers = signed(body, event=hook.event, at=began, secrets=self._secrets)
            await self._post.send(body, headers)
        except Undelivered as fault:
            return await self._undelivered(hook, fault)
        await self._hooks.delivered(hook.id)
        self._counts.took(self.name, seconds=(self._clock.now() - began).total_seconds())
        self._counts.count(self.name, "delivered")
        return True

    async def _undelivered(self, hook: Hook, fault: Undelivered) -> bool:
        now, why = self._clock.now(), str(fault)[:FAULT_CHARS]
        if fault.final or self._patience_is_over(hook):
            await self._hooks.given_up(hook.id, fault=why)
            self._tell(hook, "dead", why)
            return True
        asked = min(fault.seconds, LONGEST_REST)
        if asked:
            # It was said of the receiver, not of this event.
            self._rests_until = max(self._rests_until, now + timedelta(seconds=asked))
        wait = max(asked, wait_after(hook.attempts, lot=self._lot()))
        await self._hooks.postponed(hook.id, seconds=wait, fault=why)
        self._tell(hook, "later", why)
        return False

    def _patience_is_over(self, hook: Hook) -> bool:
        return self._clock.now() - hook.since >= timedelta(hours=self.webhook.give_up_hours)

    async def _more(self, hook: Hook) -> dict[str, object]:
        """Return what the webhook includes beyond ids, as the records have it now."""
        more: dict[str, object] = {}
        if "text" in self.webhook.include and "seq" in hook.data:
            message = await self._transcripts.message(hook.conversation, int(hook.data["seq"]))
            more["text"] = "" if message is None else message.text
        if "customer" in self.webhook.include:
            more["customer"] = (await self._transcripts.conversation(hook.conversation)).customer_id
        return more

    def _tell(self, hook: Hook, result: str, why: str) -> None:
        self._counts.count(self.name, result)
        logger.warning(
            "%s: event %s (%s, %d of conversation %s, attempt %d): %s: %s",
            self.name,
            hook.event,
            hook.type,
            hook.n,
            hook.conversation,
            hook.attempts,
            result,
            why,
        )


def wait_after(attempts: int, *, lot: float) -> float:
    """Return the seconds to wait after so many attempts, the failed one included; `lot` (0..1) spreads them."""
    longest = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(attempts - 1, 20))
    return longest * (0.5 + lot / 2)
