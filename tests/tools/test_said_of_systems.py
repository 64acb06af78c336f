"""What customers hear of orders and profiles of systems that know less than the shop: only what they know."""

import json
from dataclasses import replace
from typing import get_args

import pytest

from tests.tools.shop import ANNA, PHRASES, SHOP, Clock, caller, fake_orders, toolbox
from tools.context import OrderId
from tools.crm.fake import FakeCRM
from tools.errors import Unsent
from tools.orders.facts import order_facts, order_sentences, summary
from tools.orders.fake import FakeOrders
from tools.orders.port import CANCELLABLE, Address, Change, Order, OrderStatus, PaymentState
from tools.phrases import LANGUAGES
from tools.proposal import Proposal

ORDER = next(order for order in SHOP.orders if order.id == "1051")


def said(order: Order, language: str = "ru") -> str:
    now = ORDER.placed
    return " ".join(order_sentences(order, phrases=PHRASES, language=language, now=now))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("payment", get_args(PaymentState))
@pytest.mark.parametrize("status", get_args(OrderStatus))
def test_every_state_has_its_words(status: OrderStatus, payment: PaymentState, language: str) -> None:
    order = replace(ORDER, status=status, payment=replace(ORDER.payment, state=payment))
    assert said(order, language).count("1051") >= 3
    assert "1051" in summary(order, phrases=PHRASES, language=language)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("offered", "words"),
    [
        ({"cancel", "address"}, "его можно отменить или сменить адрес доставки"),
        ({"cancel"}, "ещё можно отменить"),
        ({"address"}, "можно сменить адрес доставки"),
        (set(), ""),
    ],
)
def test_only_what_the_system_lets_be_changed_is_promised(offered: set[Change], words: str) -> None:
    for status in sorted(CANCELLABLE):
        order = replace(ORDER, status=status, offered=frozenset(offered))
        told = said(order)
        assert words in told
        assert ("отменить" in told) == ("cancel" in offered)
        assert order_facts(order, phrases=PHRASES, language="ru")["can_change"] == bool(offered)
    gone = replace(ORDER, status="shipped", offered=frozenset(offered))
    assert "отменить" not in said(gone)


def test_a_state_allows_its_own_changes_of_those_offered() -> None:
    order = replace(ORDER, status="modified")
    assert order.changes == {"address", "payment"}
    assert "1051 ещё не отправлен: можно сменить адрес доставки." in said(order)
    assert order_facts(order, phrases=PHRASES, language="ru")["can_change"]
    assert "адрес" not in said(replace(order, offered=frozenset({"payment"}), address=Address(line="")))
    there = replace(ORDER, status="delivered", offered=frozenset({"cancel", "return"}))
    assert there.changes == {"return"}
    assert not order_facts(there, phrases=PHRASES, language="ru")["can_change"]
    assert replace(ORDER, status="unclear").changes == frozenset()


async def test_a_write_the_system_never_does_is_refused_before_any_detail_is_asked_for() -> None:
    order = next(order for order in SHOP.orders if order.id == "1019")
    orders = FakeOrders(
        [replace(order, offered=frozenset({"cancel", "address"}))], SHOP.products, now=Clock()
    )
    box = toolbox(orders)
    asked = {
        "return_items": {"items": ["фонарь"]},
        "exchange_items": {"new_items": ["другой"]},
        "change_items": {"new_items": ["другой"]},
    }
    for tool, words in asked.items():
        told = json.loads(await box.call(tool, {"order_id": "1019", **words}, caller()))
        assert (told["kind"], told["fault"]) == ("fault", "rejected.not_offered"), tool
        assert told["sentences"] == ["Через чат этого сделать нельзя: поможет сотрудник."]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("payment", get_args(PaymentState))
def test_of_half_an_order_only_the_known_half_is_said(payment: PaymentState, language: str) -> None:
    half = replace(
        ORDER,
        status="unclear",
        payment=replace(ORDER.payment, state=payment),
        unreached=frozenset({"delivery"}),
    )
    told = said(half, language)
    words = {
        "ru": ("собираем", "в пути", "доставят", "привезёт", "отправ", "курьер", "отменить"),
        "en": ("on its way", "warehouse", "courier", "arrive", "cancel", "deliver it"),
    }[language]
    assert told.startswith(("Заказ 1051", "Деньги за заказ 1051", "Order 1051", "The money for order 1051"))
    assert not any(word in told.replace("отправлены обратно", "") for word in words)
    assert order_facts(half, phrases=PHRASES, language="ru")["unreached"] == ["delivery"]
    line = summary(half, phrases=PHRASES, language=language)  # type: ignore[arg-type]
    assert not any(word in line for word in words)
    assert "unreached" not in order_facts(ORDER, phrases=PHRASES, language="ru")


async def test_a_tool_names_the_half_that_is_not_known_and_lists_nothing_as_under_way() -> None:
    half = [
        replace(order, status="unclear", unreached=frozenset({"delivery"}))
        for order in SHOP.orders
        if order.owner == ANNA
    ]
    box = toolbox(FakeOrders(half, SHOP.products, now=Clock()))
    one = json.loads(await box.call("order_status", {"order_id": "1051"}, caller()))
    assert one["ok"]
    assert one["unreached"] == ["узнать, что с доставкой заказа 1051"]
    every = json.loads(await box.call("list_orders", {}, caller()))
    assert every["facts"]["active"] == []
    assert every["sentences"][0].startswith("Ваши заказы: ")
    assert every["unreached"][0].startswith("узнать, что с доставкой заказов ")
    for name, more in (
        ("cancel_order", {}),
        ("change_address", {"new_address": "Казань, ул. Речная, д. 7"}),
        ("return_items", {}),
    ):
        told = json.loads(await box.call(name, {"order_id": "1051", **more}, caller()))
        assert told["fault"] == "unavailable", "a rule would judge half an order"


def test_no_address_and_no_carrier_are_passed_over() -> None:
    parcel = replace(ORDER.fulfilment, method="delivery", carrier="", tracking="T-1", eta=None)
    order = replace(ORDER, status="sent", address=Address(line=""), fulfilment=parcel)
    assert "Трек-номер заказа 1051 — T-1." in said(order)
    assert "адресу: ." not in said(replace(order, status="paid"))


def test_an_order_that_was_never_paid_and_is_cancelled_is_not_asked_to_be_paid() -> None:
    order = replace(ORDER, status="cancelled", payment=replace(ORDER.payment, state="due"))
    assert "не оплачен" not in said(order)


async def test_a_profile_says_what_the_register_knows_and_nothing_of_the_rest() -> None:
    anna = next(customer for customer in SHOP.customers if customer.id == ANNA)
    bare = replace(anna, level=None, points=None, city="", phone="", address=None)
    told = json.loads(await toolbox(crm=FakeCRM([bare])).call("my_profile", {}, caller()))
    assert told["sentences"] == [
        "В профиле вы записаны как Анна Соколова.",
        "Контакт в профиле: a•••@example.com.",
    ]
    assert set(told["facts"]) == {"name", "masked_email"}


async def test_a_write_that_was_never_sent_is_told_so_and_is_no_riddle() -> None:
    orders = fake_orders()
    box = toolbox(orders)
    answer = json.loads(await box.call("cancel_order", {"order_id": "1051"}, caller()))
    proposal = Proposal.from_dict(answer["proposal"])
    orders.fail_with = Unsent()
    effect = await box.execute(proposal, caller(), key=proposal.id)
    assert (effect.state, effect.facts["reason"]) == ("refused", "unsent")
    assert "ничего не изменилось" in box.effect_text(effect, "ru")
    orders.fail_with = None
    assert (await orders.get(OrderId("1051"), owner=ANNA)).status == "paid"
