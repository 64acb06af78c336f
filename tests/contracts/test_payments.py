"""What every payment system keeps to: a link for the owner's own unpaid order, and for nothing else."""

from datetime import timedelta
from decimal import Decimal

import pytest

from agent.domain import Evidence, Sentence
from agent.grounding import verify
from tests.tools.shop import ANNA, SHOP, VERA, Clock, caller, fake_orders
from tests.tools.shop import PHRASES as phrases
from tools.context import CustomerId, OrderId
from tools.errors import NotFound, Rejected
from tools.payments.embedded import EmbeddedPayments, genuine
from tools.payments.fake import FakePayments
from tools.payments.functions import payment_tools
from tools.payments.port import Payments
from tools.toolbox import Toolbox

UNPAID, PAID = OrderId("1090"), OrderId("1051")
PAGE, SECRET = "https://fonar.example/pay", "k" * 32


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["fake", "embedded"])
def payments(request: pytest.FixtureRequest, clock: Clock) -> Payments:
    if request.param == "fake":
        return FakePayments(SHOP.orders, now=clock)
    return embedded(clock)


def embedded(clock: Clock) -> EmbeddedPayments:
    orders = fake_orders(clock)
    return EmbeddedPayments(orders, page=PAGE, secret=SECRET, good_for=timedelta(hours=24), now=clock)


async def test_an_unpaid_order_has_a_link_with_what_is_due(payments: Payments, clock: Clock) -> None:
    link = await payments.link(UNPAID, owner=VERA)
    assert (link.order, link.amount, link.currency) == (UNPAID, Decimal(2230), "RUB")
    assert link.url.startswith("https://")
    assert link.expires > clock()


@pytest.mark.parametrize(
    ("order", "owner"), [(UNPAID, ANNA), (OrderId("9999"), ANNA), (UNPAID, CustomerId("x"))]
)
async def test_a_foreign_order_is_as_absent_as_one_that_is_not_there(
    payments: Payments, order: OrderId, owner: CustomerId
) -> None:
    with pytest.raises(NotFound) as fault:
        await payments.link(order, owner=owner)
    assert str(fault.value) == "not_found"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("paid", "already_paid"), ("delivered", "already_paid"), ("cancelled", "not_payable")],
)
async def test_an_order_that_is_paid_or_over_has_none(payments: Payments, status: str, reason: str) -> None:
    order = next(o for o in SHOP.orders if o.status == status and o.payment.state != "due")
    with pytest.raises(Rejected) as refused:
        await payments.link(order.id, owner=order.owner)
    assert refused.value.reason == reason


async def test_a_link_that_was_changed_or_is_old_is_refused_by_the_page(clock: Clock) -> None:
    link = await embedded(clock).link(UNPAID, owner=VERA)
    assert genuine(link.url, secret=SECRET, now=clock())
    for changed in (
        link.url.replace("amount=2230.00", "amount=1.00"),
        link.url.replace("order=1090", "order=1051"),
        link.url.replace("currency=RUB", "currency=AMD"),
        link.url.replace("until=1", "until=2"),
        link.url.partition("&sign=")[0],
        f"{PAGE}?sign=x",
        link.url + "x",
        link.url.replace("until=", "until=²"),
    ):
        assert not genuine(changed, secret=SECRET, now=clock()), changed
    assert not genuine(link.url, secret="another", now=clock())
    assert not genuine(link.url, secret=SECRET, now=link.expires)


async def test_the_tool_tells_amount_and_link_as_the_system_has_them(clock: Clock) -> None:
    box = Toolbox(payment_tools(embedded(clock), phrases))
    link = await embedded(clock).link(UNPAID, owner=VERA)
    told = await box.call("payment_link", {"order_id": "заказ № 1090"}, caller(VERA))
    assert link.url in told
    assert "2\u00a0230\u00a0₽" in told
    assert set(box.tools()[0].args) == {"order_id"}


@pytest.mark.parametrize(("order", "fault"), [("1090", "not_found"), ("1051", "rejected.already_paid")])
async def test_the_tool_refuses_in_words(clock: Clock, order: str, fault: str) -> None:
    box = Toolbox(payment_tools(embedded(clock), phrases))
    for language in ("ru", "en"):
        told = await box.call("payment_link", {"order_id": order}, caller(ANNA, language=language))
        assert f'"fault": "{fault}"' in told
        assert PAGE not in told


async def test_no_sentence_leaves_with_another_amount_or_another_link(clock: Clock) -> None:
    link = (await embedded(clock).link(UNPAID, owner=VERA)).url
    said = f"Оплатить заказ 1090 на 2 230 ₽ можно по ссылке: {link}"
    given = Evidence(ref="tool:payment_link:1", kind="tool", title="payment_link", text=said)

    def leaves(text: str) -> bool:
        return verify(Sentence(text=text, refs=(given.ref,)), {given.ref: given}).ok

    assert leaves(said)
    signed = link.partition("sign=")[2]
    for before, after in (
        ("2230.00", "1.00"),
        ("=1090", "=1051"),
        ("2 230 ₽", "1 ₽"),
        (signed, signed[::-1]),
    ):
        assert not leaves(said.replace(before, after)), after
