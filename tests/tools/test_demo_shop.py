"""The demo shop's data: made by a deterministic generator, complete, consistent and fresh."""

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.tools.loaded import FOLDER, NOW
from tests.tools.shop import ANNA, BORIS, JOHN, PHRASES, SHOP, VERA
from tools.orders.port import ACTIVE, CANCELLABLE, order_number

SCRIPT = Path(__file__).parents[2] / "scripts" / "demo_shop.py"
FILES = ("products.json", "customers.json", "orders.json")


def test_the_generator_writes_the_committed_files_byte_for_byte(tmp_path: Path) -> None:
    subprocess.run([sys.executable, SCRIPT, tmp_path], check=True, env={"PYTHONHASHSEED": "7"})
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_there_are_sixty_products_of_nine_kinds() -> None:
    assert len(SHOP.products) == len({product.code for product in SHOP.products}) == 60
    assert len({product.category for product in SHOP.products}) == 9
    variants = [variant for product in SHOP.products for variant in product.variants]
    assert len({variant.code for variant in variants}) == len(variants)
    assert all(re.fullmatch(r"FN-\d{3}-\w+", variant.code) for variant in variants)
    assert 0 < sum(variant.stock == 0 for variant in variants) < len(variants) / 4


def test_most_products_have_two_to_six_reviews_of_their_own() -> None:
    counts = [len(product.reviews) for product in SHOP.products]
    assert sum(2 <= count <= 6 for count in counts) >= 40
    assert max(counts) <= 6
    for product in SHOP.products:
        texts = [review.text for review in product.reviews]
        assert len(set(texts)) == len(texts)
        assert all(review.day < NOW.date() for review in product.reviews)


def test_every_attribute_has_its_words() -> None:
    slugs = {slug for product in SHOP.products for slug in product.attributes}
    assert {slug for slug in slugs if not PHRASES.has(f"attribute.{slug}", "ru")} == set()


def test_customers_are_invented_and_cannot_be_reached() -> None:
    assert len(SHOP.customers) == len({customer.name for customer in SHOP.customers}) == 120
    assert [customer.login for customer in SHOP.customers[:4]] == ["anna", "boris", "vera", "john"]
    assert all(customer.email.endswith("@example.com") for customer in SHOP.customers)
    assert all(re.fullmatch(r"\+7 900 000-\d\d-\d\d", customer.phone) for customer in SHOP.customers)
    assert len({customer.phone for customer in SHOP.customers}) == 120
    assert Counter(customer.language for customer in SHOP.customers)["en"] >= 10
    assert len({customer.level.ru for customer in SHOP.customers}) == 3


def test_there_are_four_hundred_orders_in_every_state() -> None:
    assert len(SHOP.orders) == len({order.id for order in SHOP.orders}) == 400
    states = Counter(order.status for order in SHOP.orders)
    assert set(states) == {"pending", "paid", "packed", "shipped", "delivered", "cancelled", "returned"}
    assert min(states.values()) >= 10
    assert all(order_number(order.id) == order.id for order in SHOP.orders)
    assert 4 <= sum("-" in order.id for order in SHOP.orders) <= 12
    owners = {customer.id for customer in SHOP.customers}
    assert {order.owner for order in SHOP.orders} <= owners


def test_every_order_adds_up_and_its_days_follow_each_other() -> None:
    prices = {variant.code: variant.price for product in SHOP.products for variant in product.variants}
    for order in SHOP.orders:
        goods = sum((item.price * item.quantity for item in order.items), Decimal(0))
        assert order.total == goods + order.delivery_price == order.payment.amount, order.id
        assert all(item.price == prices[item.code] for item in order.items)
        parcel = order.fulfilment
        days = [moment for moment in (order.placed, parcel.shipped, parcel.delivered) if moment]
        assert days == sorted(days), order.id
        assert all(moment < NOW for moment in days), order.id
        assert (parcel.tracking is not None) == (parcel.shipped is not None), order.id


def test_money_and_parcel_agree_with_the_state() -> None:
    for order in SHOP.orders:
        parcel, paid = order.fulfilment, order.payment
        assert (parcel.shipped is None) == (order.status in CANCELLABLE | {"cancelled"}), order.id
        assert (parcel.delivered is not None) == (order.status in ("delivered", "returned")), order.id
        assert (
            bool(order.refunds) == (order.status in ("cancelled", "returned")) == (paid.state == "refunded")
        ), order.id
        if order.status == "pending":
            assert paid.state == "due"
        assert sum(refund.amount for refund in order.refunds) <= paid.amount
        assert paid.method != "cash" or paid.amount <= 30_000


def test_the_demo_customers_have_the_orders_their_stories_need() -> None:
    orders = {order.id: order for order in SHOP.orders}
    active = [order.id for order in SHOP.orders if order.owner == ANNA and order.status in ACTIVE]
    assert active == ["1045-А", "1051"]
    assert orders["1045-А"].fulfilment.eta == NOW.date() + timedelta(days=2)
    assert (orders["1051"].status, orders["1051"].total, orders["1051"].payment.masked) == (
        "paid",
        4290,
        "··12",
    )
    assert (orders["1077"].owner, orders["1077"].status) == (BORIS, "shipped")
    assert [order.id for order in SHOP.orders if order.owner == JOHN and order.status in ACTIVE] == ["1093"]
    late = orders["1084"].fulfilment.eta
    assert orders["1084"].owner == VERA
    assert late is not None
    assert late < NOW.date()


@pytest.mark.parametrize("name", FILES)
def test_the_files_are_plain_json_with_a_record_a_line(name: str) -> None:
    text = (FOLDER / name).read_text("utf-8")
    rows = json.loads(text)[name.removesuffix(".json")]
    assert sum(line.startswith("  {") for line in text.splitlines()) == len(rows)
