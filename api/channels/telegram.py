"""Telegram as a channel: the Bot API through python-telegram-bot; the only file that imports it.

```
Bot API ─► updates                  raw, read by telegram_updates, stored by the letterbox
Bot API ◄─ sendMessage ◄─ Message   in parts, with buttons; faults become Later | Refused | Uncertain
```
The token is part of every address this file calls, so no address and no text of the library reaches a log unmasked.
"""

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import urlencode

import httpx
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.constants import ChatAction, ParseMode
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)
from telegram.request import HTTPXRequest

from agent.domain import Message
from api.channels.port import Later, Refused, Uncertain, Undelivered
from api.channels.telegram_text import formatted, parts, rows
from api.channels.telegram_updates import WANTED, number_of

NAME = "telegram"
POLL_SECONDS = 25
"""How long Telegram may hold an empty poll."""
SECONDS = 8.0
"""For the answer to one call; connecting and writing have five each."""
CONNECTIONS = 16
MISCONFIGURED_SECONDS = 60.0
"""A wrong token is put right by a person: until then it is tried again this often."""
KNOWN_PARTS = 1000
"""Messages whose first parts are remembered as sent; the oldest is forgotten."""
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)

T = TypeVar("T")


class TelegramChannel:
    """Implements `agent.ports.Channel`, and the receiving half for the door.

    `api` is the server's address; `speaker` says in words who speaks, for the line over a message.
    """

    name = NAME

    def __init__(self, token: str, *, api: str, speaker: Callable[[Message], str]) -> None:
        _be_quiet()
        self._token = token
        self._speaker = speaker
        self._wires = (_Wire(connection_pool_size=1), _Wire(connection_pool_size=CONNECTIONS))
        self._bot = Bot(
            token,
            base_url=f"{api.rstrip('/')}/bot",
            get_updates_request=self._wires[0],
            request=self._wires[1],
        )
        self._sent: dict[str, int] = {}

    async def close(self) -> None:
        """Close the connections."""
        for wire in self._wires:
            await wire.shutdown()

    async def deliver(self, address: str, message: Message, *, key: str) -> None:
        """Send one message, in as many parts as it needs. Raises `Later`, `Refused`, `Uncertain`.

        The Bot API takes no key: what this process knows to have arrived of a message is not sent again, what a
        crash made uncertain is.
        """
        texts = parts(message, speaker=self._speaker(message))
        for n, text in enumerate(texts):
            if n < self._sent.get(key, 0):
                continue
            keyboard = rows(message) if n == len(texts) - 1 else []
            await self._send(address, text, keyboard=keyboard)
            self._sent[key] = n + 1
        self._sent.pop(key, None)
        while len(self._sent) > KNOWN_PARTS:
            del self._sent[next(iter(self._sent))]

    async def say(self, address: str, text: str) -> None:
        """Send a plain line that belongs to no conversation."""
        await self._send(address, formatted(text, author="system"))

    async def _send(
        self, address: str, html: str, *, keyboard: list[list[tuple[str, str]]] | None = None
    ) -> None:
        buttons = [
            [InlineKeyboardButton(label, callback_data=data) for label, data in row] for row in keyboard or ()
        ]
        await self._call(
            self._bot.send_message(
                chat_id=address,
                text=html,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=InlineKeyboardMarkup(buttons) if buttons else None,
            )
        )

    async def typing(self, address: str) -> None:
        """Show for about five seconds that an answer is being written."""
        await self._call(self._bot.send_chat_action(chat_id=address, action=ChatAction.TYPING))

    async def tapped(self, tap: str, *, text: str = "") -> None:
        """Tell the customer's client that the press arrived; `text` is shown over the chat."""
        await self._call(self._bot.answer_callback_query(tap, text=text or None))

    async def who(self) -> str:
        """Return the bot's name; the first call that shows whether the token is right."""
        return (await self._call(self._bot.get_me())).name

    async def listen_at(self, url: str, *, secret: str) -> None:
        """Have updates posted to `url`, one after the other so that they keep their order."""
        await self._call(
            self._bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED, max_connections=1)
        )

    async def stop_listening(self) -> None:
        """Have updates kept for `updates`; those that wait are not dropped."""
        await self._call(self._bot.delete_webhook(drop_pending_updates=False))

    async def updates(self, *, after: int) -> list[tuple[int, Any]]:
        """Wait for updates with a higher number than `after`; return them raw, in order. Asking confirms the rest.

        They are asked for past the library, which reads all or none: one odd update would hold up all others.
        """
        fields = {"timeout": str(POLL_SECONDS), "allowed_updates": json.dumps(WANTED)}
        if after:
            fields["offset"] = str(after + 1)
        url = f"{self._bot.base_url}/getUpdates?{urlencode(fields)}"
        found: Any = await self._call(self._wires[0].post(url, read_timeout=SECONDS + POLL_SECONDS))
        return sorted(((number_of(update), update) for update in found), key=lambda pair: pair[0])

    async def _call(self, call: Awaitable[T]) -> T:
        try:
            return await call
        except TelegramError as error:
            # Without the cause: its text may hold the address, and the address holds the token.
            raise self._fault(error) from None

    def _fault(self, error: TelegramError) -> Undelivered:
        text = f"{type(error).__name__}: {error.message}".replace(self._token, "***")
        match error:
            case _Flood():
                return Later(text, seconds=error.seconds)
            case InvalidToken() | Conflict():
                return Later(text, seconds=MISCONFIGURED_SECONDS)
            case BadRequest() | Forbidden() | ChatMigrated():
                return Refused(text)
            case NetworkError() if isinstance(error.__cause__, NOT_SENT):
                return Later(text)
        return Uncertain(text)


class _Flood(TelegramError):
    """The Bot API asks to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Flood control exceeded. Retry in {seconds:g} seconds")
        self.seconds = seconds


class _Wire(HTTPXRequest):
    """The library's HTTP client; it reads the waiting time itself, the library's own way of that is deprecated."""

    def __init__(self, *, connection_pool_size: int) -> None:
        super().__init__(connection_pool_size=connection_pool_size, read_timeout=SECONDS)

    async def do_request(self, *args: Any, **named: Any) -> tuple[int, bytes]:
        """See the library; raises `_Flood` for status 429."""
        code, payload = await super().do_request(*args, **named)
        if code == 429:
            raise _Flood(_seconds(payload))
        return code, payload


def _seconds(payload: bytes) -> float:
    try:
        return max(1.0, float(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, KeyError, TypeError):
        return 1.0


def _be_quiet() -> None:
    """Keep the libraries from writing down addresses, which hold the token, and what customers wrote."""
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore"):
        logger = logging.getLogger(name)
        logger.setLevel(max(logger.level, logging.WARNING))
