"""The door that messengers post to. For now there is one: Telegram's webhook."""

import hmac
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header, Request, Response

from api.channels.line import WEBHOOK, TelegramLine, open_line
from api.channels.telegram_updates import Unreadable
from api.errors import Problem
from api.settings import BadSetting, Settings

SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What Telegram accepts as a webhook's secret."""
TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")


def telegram_door(settings: Settings) -> APIRouter:
    """Return the router whose life is the line's: it opens after the house and closes before it.

    Raises `BadSetting` for a token or a secret that cannot be one.
    """
    _check(settings)
    lines: list[TelegramLine] = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_line(app.state.opened, settings) as line:
            lines.append(line)
            try:
                yield
            finally:
                lines.remove(line)

    router = APIRouter(tags=["channels"], lifespan=lifespan)

    @router.post(WEBHOOK, response_class=Response)
    async def webhook(
        request: Request, x_telegram_bot_api_secret_token: Annotated[str, Header()] = ""
    ) -> Response:
        """Take one update of the Bot API. It is stored before this answers."""
        if not settings.telegram_secret:
            raise _off()
        if not _same(x_telegram_bot_api_secret_token, settings.telegram_secret):
            raise _wrong_secret()
        update = await _json(request)
        try:
            await lines[0].posted(update)
        except Unreadable as wrong:
            raise _unreadable() from wrong
        return Response()

    return router


async def _json(request: Request) -> Any:
    try:
        return await request.json()
    except ValueError as wrong:
        raise _unreadable() from wrong


def _same(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode())


def _check(settings: Settings) -> None:
    if not TOKEN.fullmatch(settings.telegram_token):
        raise BadSetting(
            "MAYAK_TELEGRAM_TOKEN is not a bot's token.",
            remedy="Copy it whole from @BotFather: a number, a colon, and about 35 letters.",
        )
    if settings.telegram_secret and not SECRET.fullmatch(settings.telegram_secret):
        raise BadSetting(
            "MAYAK_TELEGRAM_SECRET has characters that Telegram does not accept.",
            remedy="Use 1 to 256 of A-Z, a-z, 0-9, _ and -; or leave it unset: updates are then polled.",
        )


def _off() -> Problem:
    return Problem(
        404,
        "webhook_off",
        "Webhook off",
        detail="This server asks Telegram for updates; it takes none here.",
        remedy="Set MAYAK_TELEGRAM_SECRET and MAYAK_PUBLIC_URL to have them posted.",
    )


def _wrong_secret() -> Problem:
    return Problem(
        401,
        "webhook_refused",
        "Webhook refused",
        detail="The secret of this webhook is missing or wrong.",
        remedy="Only Telegram posts here, with the secret this server gave it.",
    )


def _unreadable() -> Problem:
    return Problem(
        422,
        "not_an_update",
        "Not an update",
        detail="The body is no update of the Bot API.",
        remedy="Post one update as JSON.",
    )
