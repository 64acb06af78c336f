"""Rows of the shop's tables as orders and products, and amounts as kopecks."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import RowMapping

from tools.bilingual import Bilingual
from tools.context import CustomerId, OrderId
from tools.orders.port import Address, Fulfilment, Order, OrderItem, Payment, Product, Refund, Review, Variant


def kopecks(amount: Decimal) -> int:
    """Return whole kopecks; an amount with a part of a kopeck is a `ValueError`."""
    whole = amount * 100
    if whole != whole.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of kopecks")
    return int(whole)


def roubles(amount: int) -> Decimal:
    return Decimal(amount) / 100


def order_of(head: RowMapping, *, items: Sequence[RowMapping], refunds: Sequence[RowMapping]) -> Order:
    """Return the order of one joined row and its item and refund rows."""
    return Order(
        id=OrderId(head["id"]),
        owner=CustomerId(head["owner"]),
        status=head["status"],
        placed=head["placed"],
        version=str(head["version"]),
        items=tuple(_item(row) for row in items),
        delivery_price=roubles(head["delivery_price"]),
        total=roubles(head["total"]),
        currency=head["currency"],
        payment=Payment(
            method=head["payment_method"],
            state=head["payment_state"],
            amount=roubles(head["payment_amount"]),
            masked=head["payment_masked"],
            at=head["payment_at"],
        ),
        fulfilment=Fulfilment(
            method=head["parcel_method"],
            carrier=head["parcel_carrier"],
            tracking=head["parcel_tracking"],
            shipped=head["parcel_shipped"],
            eta=head["parcel_eta"],
            delivered=head["parcel_delivered"],
        ),
        address=Address(
            line=head["address_line"], city=head["address_city"], postcode=head["address_postcode"]
        ),
        refunds=tuple(_refund(row) for row in refunds),
    )


def product_of(head: RowMapping, *, variants: Sequence[RowMapping], reviews: Sequence[RowMapping]) -> Product:
    """Return the product of one row and its variant and review rows."""
    return Product(
        code=head["code"],
        category=head["category"],
        title=Bilingual(ru=head["title_ru"], en=head["title_en"]),
        category_title=Bilingual(ru=head["category_ru"], en=head["category_en"]),
        attributes=head["attributes"],
        variants=tuple(
            Variant(
                code=row["code"],
                title=Bilingual(ru=row["title_ru"], en=row["title_en"]),
                price=roubles(row["price"]),
                stock=row["stock"],
            )
            for row in variants
        ),
        reviews=tuple(
            Review(
                rating=row["rating"],
                text=row["text"],
                language=row["language"],
                author=row["author"],
                day=row["day"],
            )
            for row in reviews
        ),
    )


def _item(row: RowMapping) -> OrderItem:
    return OrderItem(
        code=row["code"],
        title=Bilingual(ru=row["title_ru"], en=row["title_en"]),
        quantity=row["quantity"],
        price=roubles(row["price"]),
    )


def _refund(row: RowMapping) -> Refund:
    return Refund(
        amount=roubles(row["amount"]),
        method=row["method"],
        masked=row["masked"],
        state=row["state"],
        created=row["created"],
        days_min=row["days_min"],
        days_max=row["days_max"],
    )
