"""The official database as a shop of ours: what `tools.shop.fill` writes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from tools.address import Address
from tools.bilingual import Bilingual
from tools.context import CustomerId, MethodId, OrderId
from tools.crm.port import Customer
from tools.orders.money import RefundDays, RefundTerms
from tools.orders.port import (
    Exchange,
    Fulfilment,
    Order,
    OrderItem,
    OrderStatus,
    Parcel,
    Payment,
    PaymentMethod,
    Product,
    Return,
    SavedMethod,
    Transaction,
    Variant,
)
from tools.shop_files import Shop

Raw = Mapping[str, Any]

STATUS: Mapping[str, OrderStatus] = {
    "pending": "paid",
    "pending (item modified)": "modified",
    "processed": "processed",
    "delivered": "delivered",
    "cancelled": "cancelled",
    "return requested": "return_requested",
    "exchange requested": "exchange_requested",
}
"""An official pending order has been paid and has not left: that is `paid` here."""
METHODS: Mapping[str, PaymentMethod] = {"credit_card": "card", "gift_card": "gift_card", "paypal": "wallet"}
WALLET = "PayPal"
MASK = "··"
NUMBER = "#"
BEGAN = datetime(2024, 5, 1, tzinfo=UTC)
"""The official database knows no days: orders are placed a minute after one another, in each customer's own order."""
TERMS: RefundTerms = {
    "card": RefundDays(min=5, max=7),
    "wallet": RefundDays(min=5, max=7),
    "gift_card": RefundDays(min=0, max=0),
}


def shop_of(database: Raw) -> Shop:
    """Return the shop; `KeyError` and `ValueError` for what is no such database."""
    users: Mapping[str, Raw] = database["users"]
    methods = {
        CustomerId(name): tuple(_saved(raw) for raw in user["payment_methods"].values())
        for name, user in users.items()
    }
    placed = {
        number: BEGAN + timedelta(minutes=n)
        for user in users.values()
        for n, number in enumerate(user["orders"])
    }
    return Shop(
        customers=tuple(_customer(user) for user in users.values()),
        products=tuple(_product(raw) for raw in database["products"].values()),
        orders=tuple(
            _order(raw, methods=methods[CustomerId(raw["user_id"])], placed=placed[raw["order_id"]])
            for raw in database["orders"].values()
        ),
        terms=TERMS,
        methods=methods,
    )


def money(amount: float) -> Decimal:
    """Return an official amount, a binary float, as the figure it is printed as."""
    return Decimal(repr(float(amount)))


def full_name(raw: Raw) -> str:
    return f"{raw['first_name']} {raw['last_name']}"


def address_of(raw: Raw) -> Address:
    """Return the address of the official parts `address1`, `address2`, `city`, `state`, `country`, `zip`."""
    return Address(
        line=raw["address1"],
        extra=raw["address2"],
        city=raw["city"],
        region=raw["state"],
        country=raw["country"],
        postcode=raw["zip"],
    )


def _customer(raw: Raw) -> Customer:
    return Customer(
        id=CustomerId(raw["user_id"]),
        login=None,
        name=full_name(raw["name"]),
        email=raw["email"],
        phone="",
        language="en",
        city=raw["address"]["city"],
        level=Bilingual(ru="", en=""),
        points=0,
        address=address_of(raw["address"]),
    )


def _saved(raw: Raw) -> SavedMethod:
    method = METHODS[raw["source"]]
    return SavedMethod(
        id=MethodId(raw["id"]),
        method=method,
        brand=WALLET if method == "wallet" else raw.get("brand", ""),
        masked=f"{MASK}{raw['last_four']}" if method == "card" else "",
        balance=money(raw["balance"]) if method == "gift_card" else None,
    )


def _product(raw: Raw) -> Product:
    return Product(
        code=raw["product_id"],
        category="goods",
        title=_named(raw["name"]),
        category_title=_named(raw["name"]),
        attributes={},
        variants=tuple(_variant(one) for one in raw["variants"].values()),
    )


def _variant(raw: Raw) -> Variant:
    return Variant(
        code=raw["item_id"],
        title=_named(", ".join(raw["options"].values())[:120]),
        price=money(raw["price"]),
        stock=int(raw["available"]),
        options=raw["options"],
        tracked=False,
    )


def _order(raw: Raw, *, methods: tuple[SavedMethod, ...], placed: datetime) -> Order:
    by_id = {one.id: one for one in methods}
    items = tuple(_item(one) for one in raw["items"])
    history = tuple(_transaction(one, by_id) for one in raw["payment_history"])
    parcels = tuple(
        Parcel(tracking=tuple(one["tracking_id"]), codes=tuple(one["item_ids"]))
        for one in raw["fulfillments"]
    )
    status = STATUS[raw["status"]]
    return Order(
        id=OrderId(raw["order_id"].removeprefix(NUMBER)),
        owner=CustomerId(raw["user_id"]),
        status=status,
        placed=placed,
        version="1",
        items=items,
        delivery_price=Decimal(0),
        total=sum((item.price for item in items), Decimal(0)),
        currency="USD",
        payment=_payment(history[0], refunded=status == "cancelled"),
        fulfilment=Fulfilment(method="courier", carrier=""),
        address=address_of(raw["address"]),
        history=history,
        parcels=parcels,
        cancel_reason=raw["cancel_reason"] or "",
        returning=_return(raw),
        exchanging=_exchange(raw),
    )


def _item(raw: Raw) -> OrderItem:
    return OrderItem(
        code=raw["item_id"],
        title=_named(raw["name"]),
        quantity=1,
        price=money(raw["price"]),
        product=raw["product_id"],
        options=raw["options"],
    )


def _payment(first: Transaction, *, refunded: bool) -> Payment:
    return Payment(
        method=first.method,
        state="refunded" if refunded else "paid",
        amount=first.amount,
        masked=first.masked,
        saved=first.saved,
    )


def _transaction(raw: Raw, methods: Mapping[MethodId, SavedMethod]) -> Transaction:
    method = methods[MethodId(raw["payment_method_id"])]
    return Transaction(
        kind=raw["transaction_type"],
        amount=money(raw["amount"]),
        method=method.method,
        masked=method.masked,
        saved=method.id,
    )


def _return(raw: Raw) -> Return | None:
    if raw["return_items"] is None:
        return None
    return Return(codes=tuple(raw["return_items"]), refund_to=MethodId(raw["return_payment_method_id"]))


def _exchange(raw: Raw) -> Exchange | None:
    if raw["exchange_items"] is None:
        return None
    return Exchange(
        codes=tuple(raw["exchange_items"]),
        new_codes=tuple(raw["exchange_new_items"]),
        difference=money(raw["exchange_price_difference"]),
        paid_with=MethodId(raw["exchange_payment_method_id"]),
    )


def _named(name: str) -> Bilingual:
    return Bilingual(ru=name, en=name)
