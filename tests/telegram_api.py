"""A Bot API on this machine for tests: real HTTP, one bot, and every call held against the published description.

```
customer.says / edits / presses ─► updates ─► getUpdates (long poll, offset) or the webhook
chat(…) ◄─ sendMessage …                      faults: 429, 500, 403, a connection that breaks before or after
```
"""

import asyncio
import json
import random
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from html import unescape
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx

from tests.listening import listening
from tests.telegram_spec import spec

TOKEN = "4200:AAE-secret_of_the_test_bot_0123456789abc"
LONGEST = 4096
Trouble = Literal["flood", "error", "blocked", "drop", "late", "hang", "pass"]
"""`drop`: the connection breaks before the call counts; `late`: after; `hang`: it counts and is never answered; `pass`:
nothing happens to this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message as the customer sees it; `html` as it was sent."""

    id: int
    text: str
    html: str
    buttons: tuple[tuple[str, str], ...]
    rows: int
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the bot's."""

    method: str
    fields: Mapping[str, str]
    at: float


@dataclass(slots=True)
class Fault:
    trouble: Trouble
    seconds: int = 1
    method: str = "sendMessage"
    times: int = 1


class Refusal(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.body = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters
        self.code = code


class Broken(Exception):
    """The connection ends here."""


@dataclass
class TelegramApi:
    """The server's state; `violations` is what did not fit the description and must stay empty."""

    url: str = ""
    shown: dict[int, list[Shown]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    taps: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    webhook: Mapping[str, str] = field(default_factory=dict)
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    last_update: int = 700_000
    last_message: int = 100
    languages: dict[int, str] = field(default_factory=dict)
    confirmed: int = 0
    chance: random.Random = field(default_factory=lambda: random.Random(20261122))

    def __post_init__(self) -> None:
        self.spec = spec()
        self.news = asyncio.Condition()

    # What customers do.

    async def says(self, chat: int, text: str = "", **more: Any) -> dict[str, Any]:
        """Write a message; `more` are further fields of it, such as a photo."""
        letter = self.letter(chat, **({"text": text} if text else {}), **more)
        return await self.send(message=letter)

    async def edits(self, letter: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Edit an earlier message."""
        return await self.send(edited_message={**letter, "text": text, "edit_date": letter["date"] + 5})

    async def presses(self, chat: int, label: str, *, data: str = "") -> str:
        """Press the newest button with this label; `data` is what a manipulated client sends instead."""
        for shown in reversed(self.chat(chat)):
            for known, carried in shown.buttons:
                if known == label:
                    id = str(self.last_update * 31)
                    letter = {**self.letter(chat, text=shown.text), "message_id": shown.id, "from": BOT}
                    query = {"id": id, "from": self.person(chat), "chat_instance": "1", "message": letter}
                    await self.send(callback_query={**query, "data": data or carried})
                    return id
        raise AssertionError(f"no button {label!r}")

    def letter(self, chat: int, *, kind: str = "private", **more: Any) -> dict[str, Any]:
        """Return a Message from this chat's customer."""
        self.last_message += 1
        whose = {"first_name": "Anna"} if kind == "private" else {"title": "A group"}
        return {
            "message_id": self.last_message,
            "date": int(time.time()),
            "chat": {"id": chat, "type": kind, **whose},
            "from": self.person(chat),
            **more,
        }

    def person(self, chat: int) -> dict[str, Any]:
        """Return who writes in a private chat."""
        told = {"language_code": self.languages[chat]} if self.languages.get(chat) else {}
        return {"id": abs(chat), "is_bot": False, "first_name": "Anna", **told}

    async def send(self, **what: Any) -> dict[str, Any]:
        """Number an update and put it where the bot finds it."""
        update = self.numbered(**what)
        await self.put(update)
        return update

    def numbered(self, **what: Any) -> dict[str, Any]:
        """Return an update."""
        self.last_update += 1
        update = {"update_id": self.last_update, **what}
        self.violations += self.spec.result("Update", update)
        return update

    async def put(self, *updates: dict[str, Any]) -> None:
        """Put updates into the queue as they are, doubles and disorder included."""
        async with self.news:
            self.waiting.extend(updates)
            self.news.notify_all()

    # What customers see.

    def chat(self, chat: int) -> list[Shown]:
        """Return everything the bot wrote in a chat."""
        return self.shown.setdefault(chat, [])

    def texts(self, chat: int) -> list[str]:
        """Return the words alone, without the line that says that an AI speaks."""
        return [shown.text.removeprefix("AI\n").removeprefix("ИИ\n") for shown in self.chat(chat)]

    async def tapped(self, tap: str) -> str:
        """Wait until the press is answered; return what was shown."""
        async with asyncio.timeout(10), self.news:
            await self.news.wait_for(lambda: tap in self.taps)
        return self.taps[tap]

    async def until(self, chat: int, count: int, *, seconds: float = 20) -> list[str]:
        """Wait until the chat has so many messages; return their texts."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self.news:
                await self.news.wait_for(lambda: len(self.chat(chat)) >= count)
        assert len(self.chat(chat)) >= count, f"only {self.texts(chat)}; {self.violations}"
        return self.texts(chat)

    def made(self, method: str) -> list[Call]:
        """Return the bot's calls of one method."""
        return [call for call in self.calls if call.method == method]

    # The server.

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        with suppress(Broken):
            while line := await reader.readline():
                headers = {}
                while header := (await reader.readline()).decode().strip():
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                answer = await self._answer(line.decode().split(" ")[1], dict(parse_qsl(body.decode())))
                writer.write(answer)
                await writer.drain()

    async def _answer(self, path: str, fields: dict[str, str]) -> bytes:
        try:
            path, _, query = path.partition("?")
            fields |= dict(parse_qsl(query))
            _, bot, method = path.split("/")
            if bot != f"bot{TOKEN}":
                raise Refusal(401, "Unauthorized")
            self.calls.append(Call(method=method, fields=fields, at=time.monotonic()))
            self.violations += self.spec.call(method, fields)
            after = self._trouble(method, fields)
            result = await getattr(self, f"_{method}")(fields)
            self.violations += self.spec.answer(method, result)
            if after == "late":
                raise Broken
            if after == "hang":
                await asyncio.Event().wait()
            code, told = 200, {"ok": True, "result": result}
        except Refusal as refusal:
            code, told = refusal.code, refusal.body
        body = json.dumps(told).encode()
        head = f"HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def _trouble(self, method: str, fields: Mapping[str, str]) -> str:
        for fault in self.faults:
            if fault.method != method or fault.times <= 0:
                continue
            fault.times -= 1
            match fault.trouble:
                case "flood":
                    raise Refusal(429, "Too Many Requests: retry later", retry_after=fault.seconds)
                case "error":
                    raise Refusal(500, "Internal Server Error")
                case "blocked":
                    raise Refusal(403, "Forbidden: bot was blocked by the user")
                case "drop":
                    raise Broken
                case after:
                    return after
        return ""

    async def _getMe(self, fields: Mapping[str, str]) -> Any:
        return BOT

    async def _getUpdates(self, fields: Mapping[str, str]) -> Any:
        if self.webhook:
            raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
        offset = int(fields.get("offset", "0"))
        async with self.news:
            self.confirmed = max(self.confirmed, offset - 1)
            self.waiting = deque(u for u in self.waiting if u["update_id"] > self.confirmed)
            with suppress(TimeoutError):
                async with asyncio.timeout(float(fields.get("timeout", "0"))):
                    await self.news.wait_for(lambda: bool(self.waiting))
            batch = sorted(self.waiting, key=lambda u: u["update_id"])[: int(fields.get("limit", "100"))]
            self.chance.shuffle(batch)
            return batch

    async def _setWebhook(self, fields: Mapping[str, str]) -> Any:
        self.webhook = dict(fields)
        return True

    async def _deleteWebhook(self, fields: Mapping[str, str]) -> Any:
        self.webhook = {}
        return True

    async def _sendMessage(self, fields: Mapping[str, str]) -> Any:
        chat, html = int(fields["chat_id"]), fields["text"]
        text = plain(html) if fields.get("parse_mode") == "HTML" else html
        if not text.strip():
            raise Refusal(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST:
            raise Refusal(400, "Bad Request: message is too long")
        keyboard = json.loads(fields.get("reply_markup", "{}")).get("inline_keyboard", [])
        buttons = tuple((b["text"], b["callback_data"]) for row in keyboard for b in row)
        if any(not 1 <= len(data.encode()) <= 64 for _, data in buttons):
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
        letter = {**self.letter(chat, text=text), "from": BOT}
        self.chat(chat).append(
            Shown(
                id=letter["message_id"],
                text=text,
                html=html,
                buttons=buttons,
                rows=len(keyboard),
                at=time.monotonic(),
            )
        )
        async with self.news:
            self.news.notify_all()
        return letter

    async def _sendChatAction(self, fields: Mapping[str, str]) -> Any:
        return True

    async def _answerCallbackQuery(self, fields: Mapping[str, str]) -> Any:
        self.taps[fields["callback_query_id"]] = fields.get("text", "")
        async with self.news:
            self.news.notify_all()
        return True

    async def post(self, client: httpx.AsyncClient, update: Mapping[str, Any], *, secret: str = "") -> int:
        """Post one update to the webhook, as the Bot API does; return the status."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret or self.webhook.get("secret_token", "")}
        return (await client.post(self.webhook["url"], json=update, headers=headers)).status_code


BOT = {"id": 4200, "is_bot": True, "first_name": "Lamp", "username": "lamp_bot"}
ALLOWED_TAG = re.compile(r"<(/?)(b|i|u|s|code|pre|a|blockquote)>")


def plain(html: str) -> str:
    """Return the text of a message's HTML. Raises `Refusal` where the Bot API would."""
    stack: list[str] = []
    for closing, tag in ALLOWED_TAG.findall(html):
        if not closing:
            stack.append(tag)
        elif not stack or stack.pop() != tag:
            raise Refusal(400, "Bad Request: can't parse entities: unexpected end tag")
    text = ALLOWED_TAG.sub("", html)
    if stack or "<" in text:
        raise Refusal(400, "Bad Request: can't parse entities: unsupported start tag")
    return unescape(text)


@asynccontextmanager
async def telegram_api() -> AsyncIterator[TelegramApi]:
    """Run the server while the block runs; nothing may have broken the description."""
    api = TelegramApi()
    async with listening(api.serve) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield api
    assert api.violations == []
