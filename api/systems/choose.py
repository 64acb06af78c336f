"""Opens the systems that settings name: `SYSTEMS` is the table of all there are."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncEngine

from agent.pack import Pack
from agent.ports import Clock
from api.attached import Attached
from api.settings import BadSetting, Settings
from api.systems.bitrix24 import Bitrix24System
from api.systems.port import CompanySystem, Opener
from api.systems.tryton import TrytonSystem
from tools.crm.embedded import EmbeddedCRM
from tools.crm.http import HttpCRM
from tools.crm.port import CRM
from tools.intents.sql import SqlIntents
from tools.orders.embedded import EmbeddedOrders
from tools.orders.port import Orders
from tools.trial.systems import Lines, TrialCRM, TrialOrders

EMBEDDED = "embedded"
TRIAL = "trial"
"""The embedded shop over lines that can be made to fail: where a throw-away house keeps both."""
HTTP = "http:"
"""Before the name of a system that the pack describes."""
SYSTEMS: Mapping[str, Opener] = {"tryton": TrytonSystem.opened, "bitrix24": Bitrix24System.opened}
"""What may keep orders and customers besides Mayak's own database."""


def named(settings: Settings) -> tuple[str, ...]:
    """Return the names of the systems that are to be used, each once, whether there are such or not.

    Those that the pack describes are not among them: `api.attached` opens them.
    """
    kept = [settings.orders, *([] if settings.crm.startswith(HTTP) else [settings.crm])]
    return tuple(name for name in dict.fromkeys(kept) if name not in (EMBEDDED, TRIAL))


def opened(name: str, settings: Settings) -> CompanySystem:
    """Return a system of the company, to be closed by the caller. Raises `BadSetting`."""
    if name not in SYSTEMS:
        setting, more = ("MAYAK_ORDERS", ()) if settings.orders == name else ("MAYAK_CRM", (f"{HTTP}NAME",))
        known = ", ".join((EMBEDDED, *SYSTEMS, *more))
        raise BadSetting(f"{setting}={name!r} is no system.", remedy=f"Use one of: {known}.")
    if settings.system_timeout <= 0:
        raise BadSetting("MAYAK_SYSTEM_TIMEOUT must be positive.", remedy="It is in seconds, such as 5.")
    return SYSTEMS[name](settings)


def systems(
    settings: Settings,
    described: Mapping[str, Attached],
    *,
    engine: AsyncEngine,
    pack: Pack,
    clock: Clock,
    stack: AsyncExitStack,
    trial: Lines,
) -> tuple[Orders, CRM]:
    """Return where orders and customers are kept; `stack` closes what they hold. Raises `BadSetting`.

    `trial` are the lines of a throw-away house.
    """
    zone = ZoneInfo(pack.timezone)

    def here() -> datetime:
        return clock.now().astimezone(zone)

    if settings.orders == TRIAL:
        stack.push_async_callback(trial.close)
        return TrialOrders(engine, trial, now=here), TrialCRM(engine, trial)
    found: dict[str, CompanySystem] = {}
    for name in named(settings):
        found[name] = opened(name, settings)
        stack.push_async_callback(found[name].close)
    orders: Orders = EmbeddedOrders(engine, now=here)
    crm: CRM = EmbeddedCRM(engine)
    if settings.orders in found:
        orders = found[settings.orders].orders(intents=SqlIntents(engine), zone=zone, now=here)
    if settings.crm in found:
        crm = found[settings.crm].crm(language=pack.languages[0])
    elif settings.crm.startswith(HTTP):
        crm = _http_crm(settings.crm.removeprefix(HTTP), described, pack=pack)
    return orders, crm


def _http_crm(name: str, described: Mapping[str, Attached], *, pack: Pack) -> CRM:
    found = described.get(name)
    if found is None or not found.system.customers:
        able = sorted(each for each, system in pack.systems.items() if system.customers)
        raise BadSetting(
            f"MAYAK_CRM=http:{name}: the pack describes no customers of such a system.",
            remedy=f"Add [customers] to systems/{name}.toml (docs/http-adapter.md); described are: "
            f"{', '.join(able) or 'none'}.",
        )
    return HttpCRM(found.system, found.asking, language=pack.languages[0])
