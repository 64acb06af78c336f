"""Tryton as settings describe it."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import cast

from api.settings import BadSetting, Settings
from api.systems.limits import limits_of
from tools.context import Language
from tools.crm.port import CRM
from tools.crm.tryton import TrytonCRM
from tools.intents.port import Intents
from tools.orders.port import Orders
from tools.orders.tryton import TrytonOrders
from tools.tryton.client import Tryton
from tools.tryton.customers import PartyLink
from tools.tryton.examine import examined
from tools.tryton.states import Done


class TrytonSystem:
    """One database of a Tryton server."""

    def __init__(self, tryton: Tryton, *, link: PartyLink, done: Done) -> None:
        self.tryton, self._link, self._done = tryton, link, done

    @classmethod
    def opened(cls, settings: Settings) -> "TrytonSystem":
        """Return the one the settings name. Raises `BadSetting`."""
        for name in ("tryton_url", "tryton_database", "tryton_key"):
            if not getattr(settings, name):
                raise BadSetting(
                    f"MAYAK_{name.upper()} is not set.",
                    remedy="Tryton needs its URL, database and key: docs/systems.md.",
                )
        if not settings.tryton_url.startswith(("https://", "http://")):
            raise BadSetting("MAYAK_TRYTON_URL is no address.", remedy="Write https://erp.example.com.")
        link, done = _link(settings), _done(settings)
        tryton = Tryton(
            settings.tryton_url,
            database=settings.tryton_database,
            key=settings.tryton_key,
            limits=limits_of(settings),
        )
        return cls(tryton, link=link, done=done)

    def orders(self, *, intents: Intents, zone: tzinfo, now: Callable[[], datetime]) -> Orders:
        return TrytonOrders(
            self.tryton, link=self._link, intents=intents, zone=zone, done=self._done, now=now
        )

    def crm(self, *, language: Language) -> CRM:
        return TrytonCRM(self.tryton, link=self._link, language=language)

    async def examined(self, *, orders: bool, customers: bool) -> str:
        return await examined(self.tryton, orders=orders, customers=customers)

    async def close(self) -> None:
        await self.tryton.close()


def _link(settings: Settings) -> PartyLink:
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
