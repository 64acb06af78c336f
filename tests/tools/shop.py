"""What the tests of this room share: the demo shop read for a fixed day, and callers."""

from datetime import datetime

from tests.tools.loaded import FOLDER, NOW
from tools.context import Assurance, Caller, ConversationId, CustomerId, Language, TurnId
from tools.crm.fake import FakeCRM
from tools.crm.functions import crm_tools
from tools.orders.fake import FakeOrders
from tools.orders.functions import order_tools
from tools.phrases import Phrases
from tools.shop_files import read_shop
from tools.toolbox import TEXTS, Toolbox

SHOP = read_shop(FOLDER, now=NOW)
PHRASES = Phrases(TEXTS, timezone="Europe/Moscow")

ANNA, BORIS, VERA, JOHN = (CustomerId(f"c-{n:03}") for n in range(1, 5))
ALL_PURPOSES = frozenset({"orders:read", "orders:write", "profile:read", "profile:write"})


class Clock:
    """A shop clock that moves only when told."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


def caller(
    customer: CustomerId | None = ANNA,
    *,
    language: Language = "ru",
    purposes: frozenset[str] = ALL_PURPOSES,
    assurance: Assurance = "verified",
    now: datetime = NOW,
) -> Caller:
    return Caller(
        conversation=ConversationId("talk"),
        turn=TurnId("turn"),
        language=language,
        channel="widget",
        customer_id=customer,
        assurance=assurance,
        purposes=purposes,
        now=now,
    )


def fake_orders(clock: Clock | None = None) -> FakeOrders:
    return FakeOrders(
        SHOP.orders,
        SHOP.products,
        terms=SHOP.terms,
        methods=SHOP.methods,
        return_days=SHOP.return_days,
        now=clock or Clock(),
    )


def toolbox(orders: FakeOrders | None = None, crm: FakeCRM | None = None) -> Toolbox:
    return Toolbox(
        order_tools(orders or fake_orders(), PHRASES), crm_tools(crm or FakeCRM(SHOP.customers), PHRASES)
    )
