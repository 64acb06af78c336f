"""The container's choices about orders and customers: kept in Mayak's own database, or in the company's Tryton."""

from contextlib import AsyncExitStack
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from agent.pack import Pack
from agent.ports import Clock
from api.settings import BadSetting, Settings
from tools.crm.embedded import EmbeddedCRM
from tools.crm.port import CRM
from tools.crm.tryton import TrytonCRM
from tools.http_client import Limits
from tools.intents.sql import SqlIntents
from tools.orders.embedded import EmbeddedOrders
from tools.orders.port import Orders
from tools.orders.tryton import TrytonOrders
from tools.tryton.client import Tryton
from tools.tryton.customers import PartyLink
from tools.tryton.states import Done

SYSTEMS = ("embedded", "tryton")
"""Where orders and customers may be kept."""


def tryton(settings: Settings) -> Tryton | None:
    """Return the company's Tryton, to be closed by the caller, or None where nothing is kept there.

    Raises `BadSetting`.
    """
    for name in ("orders", "crm"):
        if getattr(settings, name) not in SYSTEMS:
            raise BadSetting(
                f"MAYAK_{name.upper()}={getattr(settings, name)!r} is no system.",
                remedy=f"Use one of: {', '.join(SYSTEMS)}.",
            )
    if "tryton" not in (settings.orders, settings.crm):
        return None
    for name in ("tryton_url", "tryton_database", "tryton_key"):
        if not getattr(settings, name):
            raise BadSetting(
                f"MAYAK_{name.upper()} is not set.",
                remedy="Tryton needs its URL, database and key: docs/systems.md.",
            )
    if not settings.tryton_url.startswith(("https://", "http://")):
        raise BadSetting("MAYAK_TRYTON_URL is no address.", remedy="Write https://erp.example.com.")
    if settings.system_timeout <= 0:
        raise BadSetting("MAYAK_SYSTEM_TIMEOUT must be positive.", remedy="It is in seconds, such as 5.")
    _party_link(settings)
    _done(settings)
    limits = Limits(call=settings.system_timeout, attempt=settings.system_timeout / 2)
    return Tryton(
        settings.tryton_url, database=settings.tryton_database, key=settings.tryton_key, limits=limits
    )


def systems(
    settings: Settings, *, engine: AsyncEngine, pack: Pack, clock: Clock, stack: AsyncExitStack
) -> tuple[Orders, CRM]:
    """Return where orders and customers are kept; `stack` closes what they hold. Raises `BadSetting`."""
    orders: Orders = EmbeddedOrders(engine, now=clock.now)
    crm: CRM = EmbeddedCRM(engine)
    system = tryton(settings)
    if system is None:
        return orders, crm
    stack.push_async_callback(system.close)
    link, done = _party_link(settings), _done(settings)
    if settings.orders == "tryton":
        intents, zone = SqlIntents(engine), ZoneInfo(pack.timezone)
        orders = TrytonOrders(system, link=link, intents=intents, zone=zone, done=done, now=clock.now)
    if settings.crm == "tryton":
        crm = TrytonCRM(system, link=link, language=pack.languages[0])
    return orders, crm


def _party_link(settings: Settings) -> PartyLink:
    try:
        return PartyLink.read(settings.tryton_customer)
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_TRYTON_CUSTOMER={settings.tryton_customer!r} names nothing of a party.",
            remedy="Use code, identifier, or identifier:TYPE.",
        ) from wrong


def _done(settings: Settings) -> Done:
    if settings.tryton_done not in ("sent", "delivered"):
        raise BadSetting(
            f"MAYAK_TRYTON_DONE={settings.tryton_done!r} is no state.", remedy="Use sent or delivered."
        )
    return cast(Done, settings.tryton_done)
