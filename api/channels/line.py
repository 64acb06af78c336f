"""Telegram's line into the house: everything that runs while it is open.

```
webhook or poll ─► InOrder ─► Letterbox ─► inbox ─► worker ─► outbox ─► Courier ─► Telegram
                                    └─► Presence («typing…») ──────────────────────────┘
```
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from agent.domain import Conversation
from api.channels.delivery import Courier, Deliveries, wait_after
from api.channels.letterbox import BY_PEOPLE, Letterbox
from api.channels.port import Came, Undelivered
from api.channels.presence import Presence
from api.channels.sequence import InOrder
from api.channels.speaker import speaker
from api.channels.telegram import NAME, TelegramChannel
from api.channels.telegram_updates import Unreadable, came_of, number_of
from api.opened import Opened
from api.settings import Settings

LONGEST_WAIT = 60.0
"""Seconds between two tries to reach Telegram for updates."""
WEBHOOK = "/v1/channels/telegram/webhook"

T = TypeVar("T")

logger = logging.getLogger("mayak.telegram")


class TelegramLine:
    """One open line. `after`, the number of the last update, lives in Telegram: it keeps what was not asked past."""

    def __init__(self, house: Opened, channel: TelegramChannel, deliveries: Deliveries) -> None:
        building = house.building
        self.house = house
        self.channel = channel
        self.settings = building.settings
        self.courier = Courier(
            records=building.records,
            channel=channel,
            deliveries=deliveries,
            alone=building.engine.dialect.name == "sqlite",
        )
        self.presence = Presence(
            records=building.records,
            notices=building.notices,
            show=channel.typing,
            stirred=self.courier.wake,
        )
        self.letterbox = Letterbox(house, channel=NAME, came_in=self._came_in)
        self._order = InOrder()
        self._aside: set[asyncio.Task[None]] = set()
        self._closing = asyncio.Event()

    async def posted(self, raw: Any) -> None:
        """Take one update from the webhook; returns when it is stored. Raises `Unreadable`."""
        number, came = number_of(raw), came_of(raw)
        async with self._order.place(number, came[0].address if came else ""):
            await self._take(came)

    async def hear(self) -> None:
        """Take updates until the line closes: posted ones where the webhook has a secret, else polled ones."""
        try:
            await (self._listen() if self.settings.telegram_secret else self._poll())
        except _Closing:
            return

    async def _listen(self) -> None:
        """Tell Telegram to post updates to this server, until it agrees."""
        url = f"{self.settings.base_url}{WEBHOOK}"
        await self._until(lambda: self.channel.listen_at(url, secret=self.settings.telegram_secret))
        logger.info("telegram: updates come to %s", url)

    async def _poll(self) -> None:
        """Ask for updates for ever. The next question, which confirms the last ones, comes after their commit."""
        await self._until(self.channel.stop_listening)
        logger.info("telegram: updates are polled")
        after = failed = 0
        while True:
            try:
                for number, update in await self._unless_closing(self.channel.updates(after=after)):
                    await self._take_polled(number, update)
                    after = number
                failed = 0
            except (Undelivered, SQLAlchemyError, Unreadable) as fault:
                failed += 1
                await self._wait(fault, failed)

    async def _take_polled(self, number: int, update: Any) -> None:
        try:
            await self._take(came_of(update))
        except SQLAlchemyError:
            # Nothing of it is stored, so it is asked for again.
            raise
        except Exception as fault:
            # It would come back for ever and hold up everybody else's.
            logger.error("telegram: update %d is left out: %r", number, fault, exc_info=fault)

    async def _take(self, came: Sequence[Came]) -> None:
        for each in came:
            line = await self.letterbox.take(each)
            if each.tap:
                self._beside(self.channel.tapped(each.tap, text=line))
            elif line:
                self._beside(self.channel.say(each.address, line))
        self.courier.wake()

    def _came_in(self, conversation: Conversation, address: str) -> None:
        if conversation.holder not in BY_PEOPLE:
            self.presence.begin(conversation.id, address)

    async def _until(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        failed = 0
        while True:
            try:
                return await self._unless_closing(call())
            except Undelivered as fault:
                failed += 1
                await self._wait(fault, failed)

    async def _wait(self, fault: Exception, failed: int) -> None:
        seconds = getattr(fault, "seconds", None) or min(LONGEST_WAIT, wait_after(failed - 1))
        text = str(fault) if isinstance(fault, Undelivered) else type(fault).__name__
        logger.warning("telegram: %s; again in %g s", text, seconds)
        await self._unless_closing(asyncio.sleep(seconds))

    async def _unless_closing(self, call: Coroutine[Any, Any, T]) -> T:
        """Wait for the other side, but not beyond the end. What is being stored is never cut off."""
        calling, closing = asyncio.ensure_future(call), asyncio.ensure_future(self._closing.wait())
        await asyncio.wait((calling, closing), return_when=asyncio.FIRST_COMPLETED)
        if not calling.done():
            calling.cancel()
            await asyncio.gather(calling, return_exceptions=True)
            raise _Closing
        closing.cancel()
        return await calling

    def _beside(self, call: Coroutine[Any, Any, None]) -> None:
        """Do what may fail without harm, and what nobody waits for."""
        task = asyncio.create_task(_tolerant(call))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def close(self) -> None:
        """Stop what was begun."""
        self._closing.set()
        await self.presence.stop()
        await self.courier.stop()
        for task in tuple(self._aside):
            task.cancel()
        await asyncio.gather(*self._aside, return_exceptions=True)


class _Closing(Exception):
    """The line closes."""


async def _tolerant(call: Awaitable[None]) -> None:
    try:
        await call
    except Undelivered as fault:
        logger.info("telegram: not shown: %s", fault)


@asynccontextmanager
async def open_line(house: Opened, settings: Settings) -> AsyncIterator[TelegramLine]:
    """Open the line while the block runs; that Telegram cannot be reached does not keep the house closed."""
    channel = TelegramChannel(
        settings.telegram_token,
        api=settings.telegram_api,
        speaker=partial(speaker, phrases=house.building.phrases),
    )
    deliveries = Deliveries()
    deliveries.shown_in(house.metrics.registry)
    line = TelegramLine(house, channel, deliveries)
    await line.courier.start()
    hearing = asyncio.create_task(line.hear())
    hearing.add_done_callback(_heard)
    try:
        yield line
    finally:
        await line.close()
        await asyncio.gather(hearing, return_exceptions=True)
        await channel.close()
        deliveries.hidden_from(house.metrics.registry)


def _heard(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        logger.error("telegram: no more updates are taken: %r", fault, exc_info=fault)
