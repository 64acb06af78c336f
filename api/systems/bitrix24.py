"""Bitrix24 as settings describe it."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import get_args

from api.settings import BadSetting, Settings
from api.systems.limits import limits_of
from tools.bitrix24.catalogue import Bitrix24Catalogue
from tools.bitrix24.client import Bitrix24, Webhook
from tools.bitrix24.customers import ContactLink
from tools.bitrix24.examine import examined
from tools.bitrix24.states import Done, Meanings, Named
from tools.context import Language
from tools.crm.bitrix24 import Bitrix24CRM
from tools.crm.port import CRM
from tools.intents.port import Intents
from tools.orders.bitrix24 import Bitrix24Orders
from tools.orders.port import Orders


class Bitrix24System:
    """One portal, through one webhook."""

    def __init__(self, portal: Bitrix24, *, link: ContactLink, meanings: Meanings, catalog: int) -> None:
        self.portal, self._link, self._meanings = portal, link, meanings
        self._catalogue = Bitrix24Catalogue(portal, catalog=catalog)

    @classmethod
    def opened(cls, settings: Settings) -> "Bitrix24System":
        """Return the one the settings name. Raises `BadSetting`, which never holds the webhook."""
        link, meanings, webhook = _link(settings), _meanings(settings), _webhook(settings)
        portal = Bitrix24(webhook, limits=limits_of(settings))
        return cls(portal, link=link, meanings=meanings, catalog=settings.bitrix24_catalog)

    def orders(self, *, intents: Intents, zone: tzinfo, now: Callable[[], datetime]) -> Orders:
        # Moments of Bitrix24 bear their offset: it does not matter where the company's days begin.
        return Bitrix24Orders(
            self.portal,
            link=self._link,
            intents=intents,
            meanings=self._meanings,
            catalogue=self._catalogue,
            now=now,
        )

    def crm(self, *, language: Language) -> CRM:
        return Bitrix24CRM(self.portal, link=self._link, language=language)

    async def examined(self, *, orders: bool, customers: bool) -> str:
        return await examined(self.portal, link=self._link, catalogue=self._catalogue, orders=orders)

    async def close(self) -> None:
        await self.portal.close()


def _webhook(settings: Settings) -> Webhook:
    try:
        return Webhook.read(settings.bitrix24_webhook)
    except ValueError:
        # The cause would show nothing of it, and neither may the message: the address is the key.
        raise BadSetting(
            "MAYAK_BITRIX24_WEBHOOK is not the address of an incoming webhook.",
            remedy="Set it to what Bitrix24 shows: https://PORTAL/rest/USER/KEY/. See docs/bitrix24.md.",
        ) from None


def _link(settings: Settings) -> ContactLink:
    try:
        return ContactLink.read(settings.bitrix24_customer)
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_BITRIX24_CUSTOMER={settings.bitrix24_customer!r} names nothing of a contact.",
            remedy="Use contact, or field:UF_CRM_… with a field of contacts.",
        ) from wrong


def _meanings(settings: Settings) -> Meanings:
    if settings.bitrix24_done not in get_args(Done):
        raise BadSetting(
            f"MAYAK_BITRIX24_DONE={settings.bitrix24_done!r} is no state.", remedy="Use sent or delivered."
        )
    try:
        return Meanings.read(settings.bitrix24_states, done=settings.bitrix24_done)
    except ValueError as wrong:
        raise BadSetting(
            f"MAYAK_BITRIX24_STATES: “{wrong}” explains no status.",
            remedy=f"Write STATUS=MEANING, several by commas; meanings: {', '.join(get_args(Named))}.",
        ) from wrong
