"""Things of the shop in the official form."""

from collections.abc import Mapping, Sequence

from evals.tau.domain import Json
from evals.tau.retail.reading import MASK, NUMBER, STATUS
from tools.address import Address
from tools.context import OrderId
from tools.crm.port import Customer
from tools.orders.port import Order, OrderItem, OrderStatus, Product, SavedMethod, Transaction, Variant

SAID: Mapping[OrderStatus, str] = {
    **{ours: official for official, ours in STATUS.items()},
    "pending": "pending",
    "packed": "pending",
    "shipped": "processed",
}


def number_of(order_id: OrderId) -> str:
    return f"{NUMBER}{order_id}"


def order_json(order: Order, *, names: Mapping[str, str]) -> dict[str, Json]:
    """Return the order; `names` are those of products by their code."""
    back, swap = order.returning, order.exchanging
    return {
        "order_id": number_of(order.id),
        "user_id": order.owner,
        "address": address_json(order.address),
        "items": [_item_json(item, name=names[item.product]) for item in _singly(order.items)],
        "status": SAID[order.status],
        "fulfillments": [
            {"tracking_id": list(parcel.tracking), "item_ids": list(parcel.codes)} for parcel in order.parcels
        ],
        "payment_history": [_transaction_json(entry) for entry in order.history],
        "cancel_reason": order.cancel_reason or None,
        "exchange_items": _sorted(swap.codes) if swap else None,
        "exchange_new_items": _sorted(swap.new_codes) if swap else None,
        "exchange_payment_method_id": swap.paid_with if swap else None,
        "exchange_price_difference": float(swap.difference) if swap else None,
        "return_items": _sorted(back.codes) if back else None,
        "return_payment_method_id": back.refund_to if back else None,
    }


def customer_json(
    customer: Customer, *, name: Json, methods: Sequence[SavedMethod], orders: Sequence[OrderId]
) -> dict[str, Json]:
    """Return the customer; `name` in its official parts, `orders` in the order they were placed."""
    return {
        "user_id": customer.id,
        "name": name,
        "address": address_json(customer.address or Address(line="")),
        "email": customer.email,
        "payment_methods": {method.id: _method_json(method) for method in methods},
        "orders": [number_of(order_id) for order_id in orders],
    }


def product_json(product: Product) -> dict[str, Json]:
    return {
        "name": product.title.en,
        "product_id": product.code,
        "variants": {variant.code: variant_json(variant) for variant in product.variants},
    }


def variant_json(variant: Variant) -> dict[str, Json]:
    return {
        "item_id": variant.code,
        "options": dict(variant.options),
        "available": variant.stock > 0,
        "price": float(variant.price),
    }


def address_json(address: Address) -> dict[str, Json]:
    return {
        "address1": address.line,
        "address2": address.extra,
        "city": address.city,
        "country": address.country,
        "state": address.region,
        "zip": address.postcode,
    }


def _item_json(item: OrderItem, *, name: str) -> dict[str, Json]:
    return {
        "name": name,
        "product_id": item.product,
        "item_id": item.code,
        "price": float(item.price),
        "options": dict(item.options),
    }


def _transaction_json(entry: Transaction) -> dict[str, Json]:
    return {
        "transaction_type": entry.kind,
        "amount": float(entry.amount),
        "payment_method_id": entry.saved,
    }


def _method_json(method: SavedMethod) -> dict[str, Json]:
    if method.method == "gift_card":
        return {"source": "gift_card", "id": method.id, "balance": float(method.balance or 0)}
    if method.method == "wallet":
        return {"source": "paypal", "id": method.id}
    last = method.masked.removeprefix(MASK)
    return {"source": "credit_card", "id": method.id, "brand": method.brand, "last_four": last}


def _singly(items: Sequence[OrderItem]) -> list[OrderItem]:
    """Return a line for each piece: the official form has no quantities."""
    return [item for item in items for _ in range(item.quantity)]


def _sorted(codes: Sequence[str]) -> list[Json]:
    return [*sorted(codes)]
