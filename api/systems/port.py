"""What a system of the company is to the container and to the doctor."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from typing import Protocol

from api.settings import Settings
from tools.context import Language
from tools.crm.port import CRM
from tools.intents.port import Intents
from tools.orders.port import Orders


class CompanySystem(Protocol):
    """A system of the company, ready to be asked; whoever opened it closes it."""

    def orders(self, *, intents: Intents, zone: tzinfo, now: Callable[[], datetime]) -> Orders:
        """Return its orders; `zone` is where the company's days begin."""

    def crm(self, *, language: Language) -> CRM:
        """Return its customers; `language` is spoken with those it names none for."""

    async def examined(self, *, orders: bool, customers: bool) -> str:
        """Return a line on how it is. Raises `Unavailable` with a remedy where something needed is barred."""

    async def close(self) -> None:
        """Close its connections."""


Opener = Callable[[Settings], CompanySystem]
"""Opens a system as the settings tell; it is not asked yet. Raises `BadSetting`."""
