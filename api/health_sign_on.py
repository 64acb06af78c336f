"""What `mayak doctor` asks others that people's sign-in and messages depend on: OpenID provider, mail server, Telegram.

Each is asked only where it is set, and nothing is sent to anybody.
"""

import asyncio
from collections.abc import Awaitable, Callable

import httpx

from api.health import Finding, finding
from api.settings import Settings

SECONDS = 10.0


class Unreached(Exception):
    """A service is not as the settings say; `remedy` says what to look at."""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


Transport = httpx.AsyncBaseTransport | None


async def examine_beside(settings: Settings, *, transport: Transport = None) -> tuple[Finding, ...]:
    """Look at every service that is set."""

    async def provider(settings: Settings) -> str:
        return await _provider(settings, transport)

    async def telegram(settings: Settings) -> str:
        return await _telegram(settings, transport)

    looks: list[tuple[str, Callable[[Settings], Awaitable[str]]]] = []
    if settings.oidc_issuer or settings.oidc_only:
        looks.append(("sign-on", provider))
    if settings.sender.startswith("smtp"):
        looks.append(("mail", _mail))
    if settings.telegram_token:
        looks.append(("telegram", telegram))
    return tuple([await finding(name, look, settings) for name, look in looks])


async def _provider(settings: Settings, transport: Transport) -> str:
    """Fetch the discovery document and the keys, as the first who signs in would. Raises `BadSetting` for the settings."""
    from api.sign_on.choose import provider_of
    from api.sign_on.provider import NoProvider, Provider

    known = provider_of(settings)
    assert known is not None, "there is an issuer, or the settings were refused"
    back = known.client.back
    try:
        keys = await Provider(known.client, transport=transport).examined()
    except NoProvider as fault:
        raise Unreached(
            f"{settings.oidc_issuer}: {fault}.",
            remedy=(
                "Compare MAYAK_OIDC_ISSUER, letter by letter, with “issuer” in its "
                f"/.well-known/openid-configuration, and see that this machine reaches it. Register {back} there."
            ),
        ) from fault
    return f"{settings.oidc_issuer} answers, {keys} keys; people come back to {back}, which must be registered there"


async def _mail(settings: Settings) -> str:
    from smtplib import SMTPException

    from api.settings import BadSetting
    from tools.sender.smtp import Server, greeted

    try:
        server = Server.read(settings.sender)
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_SENDER cannot be used: {wrong}.",
            remedy="Write smtp://user:password@host:587, smtps://… for TLS from the first byte, or outbox.",
        ) from wrong
    try:
        await asyncio.to_thread(greeted, server)
    except (OSError, SMTPException) as fault:
        # What the server said may repeat a name or a password.
        raise Unreached(
            f"{server.host}:{server.port} does not take us: {type(fault).__name__}.",
            remedy="Check host, port, user and password in MAYAK_SENDER, and that this machine may connect there.",
        ) from None
    return f"{server.host}:{server.port} lets us send"


async def _telegram(settings: Settings, transport: Transport) -> str:
    address = f"{settings.telegram_api}/bot{settings.telegram_token}/getMe"
    remedy = "Take the token from @BotFather into MAYAK_TELEGRAM_TOKEN, and see that this machine reaches MAYAK_TELEGRAM_API."
    try:
        async with httpx.AsyncClient(transport=transport, timeout=SECONDS) as client:
            answer = await client.get(address)
        told = answer.json() if answer.is_success else {}
    except (httpx.HTTPError, ValueError) as fault:
        # The address holds the token, and the fault's words the address.
        what = f"{settings.telegram_api} does not answer: {type(fault).__name__}."
        raise Unreached(what, remedy=remedy) from None
    if not told.get("ok"):
        raise Unreached(
            f"{settings.telegram_api} does not take the token ({answer.status_code}).", remedy=remedy
        )
    return f"@{told['result']['username']} answers"
