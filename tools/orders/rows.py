"""Rows of the shop's tables as orders and products and back, and amounts as kopecks."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from tools.address import Address
from tools.bilingual import Bilingual
from tools.context import CustomerId, MethodId, OrderId
from tools.orders.port import (
    Exchange,
    Fulfilment,
    Order,
    OrderItem,
    Parcel,
    Payment,
    Product,
    Refund,
    Return,
    Review,
    SavedMethod,
    Transaction,
    Variant,
)

Row = dict[str, Any]


def kopecks(amount: Decimal) -> int:
    """Return whole kopecks; an amount with a part of a kopeck is a `ValueError`."""
    whole = amount * 100
    if whole != whole.to_integral_value():
        raise ValueError(f"{amount} is not a whole number of kopecks")
    return int(whole)


def roubles(amount: int) -> Decimal:
    return Decimal(amount) / 100


def order_of(
    head: RowMapping,
    *,
    items: Sequence[RowMapping],
    refunds: Sequence[RowMapping],
    history: Sequence[RowMapping],
    parcels: Sequence[RowMapping],
) -> Order:
    """Return the order of one joined row and the rows of its parts, each in order."""
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
            saved=_method(head["payment_saved"]),
        ),
        fulfilment=Fulfilment(
            method=head["parcel_method"],
            carrier=head["parcel_carrier"],
            tracking=head["parcel_tracking"],
            shipped=head["parcel_shipped"],
            eta=head["parcel_eta"],
            delivered=head["parcel_delivered"],
        ),
        address=address_of(head, "address_"),
        refunds=tuple(_refund(row) for row in refunds),
        history=tuple(_transaction(row) for row in history),
        parcels=tuple(Parcel(tracking=tuple(row["tracking"]), codes=tuple(row["codes"])) for row in parcels),
        cancel_reason=head["cancel_reason"],
        returning=_return(head) if head["request_kind"] == "return" else None,
        exchanging=_exchange(head) if head["request_kind"] == "exchange" else None,
    )


def address_of(row: RowMapping, prefix: str = "") -> Address:
    """Return the address whose columns have this prefix."""
    return Address(**{name: row[f"{prefix}{name}"] for name in Address(line="").parts()})


def saved_of(row: RowMapping) -> SavedMethod:
    return SavedMethod(
        id=MethodId(row["id"]),
        method=row["method"],
        brand=row["brand"],
        masked=row["masked"],
        balance=roubles(row["balance"]) if row["balance"] is not None else None,
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
                options=row["options"],
                tracked=row["tracked"],
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


# The other way. ---------------------------------------------------------------------------------------------


def address_row(address: Address, *, name: str, owner: CustomerId) -> Row:
    return {"id": name, "owner": owner, **address.parts()}


def item_row(order_id: OrderId, n: int, item: OrderItem) -> Row:
    return {
        "id": f"{order_id}#{n}",
        "order_id": order_id,
        "n": n,
        "code": item.code,
        "title_ru": item.title.ru,
        "title_en": item.title.en,
        "quantity": item.quantity,
        "price": kopecks(item.price),
        "product": item.product,
        "options": dict(item.options),
    }


def payment_row(paid: Payment) -> Row:
    """Return the columns of a payment but the order's number."""
    row = {"method": paid.method, "state": paid.state, "amount": kopecks(paid.amount)}
    return row | {"masked": paid.masked, "at": paid.at, "saved": paid.saved}


def history_row(order_id: OrderId, n: int, entry: Transaction) -> Row:
    row = {"order_id": order_id, "n": n, "kind": entry.kind, "amount": kopecks(entry.amount)}
    return row | {"method": entry.method, "masked": entry.masked, "saved": entry.saved, "at": entry.at}


def refund_row(order_id: OrderId, refund: Refund) -> Row:
    """Return the columns of a refund but its id."""
    fields = ("method", "masked", "state", "created", "days_min", "days_max", "saved")
    row = {"order_id": order_id, "amount": kopecks(refund.amount)}
    return row | {name: getattr(refund, name) for name in fields}


def request_row(order: Order, *, at: datetime) -> Row | None:
    """Return what the customer asked to return or to exchange, None when nothing."""
    row: Row = {"order_id": order.id, "at": at, "new_codes": [], "difference": 0}
    if order.returning is not None:
        back = order.returning
        return row | {"kind": "return", "codes": list(back.codes), "saved": back.refund_to}
    if order.exchanging is not None:
        swap = order.exchanging
        row |= {"kind": "exchange", "codes": list(swap.codes), "new_codes": list(swap.new_codes)}
        return row | {"saved": swap.paid_with, "difference": kopecks(swap.difference)}
    return None


def _item(row: RowMapping) -> OrderItem:
    return OrderItem(
        code=row["code"],
        title=Bilingual(ru=row["title_ru"], en=row["title_en"]),
        quantity=row["quantity"],
        price=roubles(row["price"]),
        product=row["product"],
        options=row["options"],
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
        saved=_method(row["saved"]),
    )


def _transaction(row: RowMapping) -> Transaction:
    return Transaction(
        kind=row["kind"],
        amount=roubles(row["amount"]),
        method=row["method"],
        masked=row["masked"],
        saved=_method(row["saved"]),
        at=row["at"],
    )


def _return(head: RowMapping) -> Return:
    return Return(codes=tuple(head["request_codes"]), refund_to=_method(head["request_saved"]))


def _exchange(head: RowMapping) -> Exchange:
    return Exchange(
        codes=tuple(head["request_codes"]),
        new_codes=tuple(head["request_new_codes"]),
        difference=roubles(head["request_difference"]),
        paid_with=_method(head["request_saved"]),
    )


def _method(name: str | None) -> MethodId | None:
    return MethodId(name) if name is not None else None
