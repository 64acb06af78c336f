"""Sends letters beside the turn that wrote them: whether one leaves, and how long it takes, nobody can tell by waiting."""

import asyncio
import logging

from tools.sender.port import Letter, Sender, Undelivered

logger = logging.getLogger("mayak.sender")

SECONDS = 15.0
"""How long letters on their way are waited for at the end."""


class Post:
    """Hands letters to a sender; `close` waits for those on their way."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._going: set[asyncio.Task[None]] = set()

    def hand(self, letter: Letter) -> None:
        """Take a letter. Returns at once; one that does not leave is logged without a word of it."""
        task = asyncio.create_task(self._send(letter))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def close(self) -> None:
        """Wait for the letters on their way, for a while."""
        if self._going:
            _, late = await asyncio.wait(tuple(self._going), timeout=SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _send(self, letter: Letter) -> None:
        try:
            await self._sender.send(letter)
        except Undelivered as fault:
            logger.error("a code did not leave: %s %s", fault, fault.remedy)
        except Exception as fault:
            # Its own words might hold the address.
            logger.error("a code did not leave: %s", type(fault).__name__)
