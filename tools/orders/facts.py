"""An order or a product as facts (JSON values) and as ready sentences."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from tools.answer import MAX_ENTRIES
from tools.confirm import way
from tools.context import Language
from tools.orders.money import shown
from tools.orders.port import (
    ACTIVE,
    Change,
    Fact,
    Order,
    OrderItem,
    OrderStatus,
    Product,
    Refund,
    SavedMethod,
    Variant,
)
from tools.orders.rules import number
from tools.phrases import PhraseFault, Phrases

_SHOWN_ITEMS = 6
_SHOWN_REFUNDS = 2
_SHOWN_PARCELS = 4
_CHOICE_CHARS = 48
_FIGURES = re.compile(r"\d{3}")
_TRACKED: frozenset[OrderStatus] = frozenset({"processed", "shipped", "sent", "delivered"})
_EXPECTED: frozenset[OrderStatus] = frozenset({"paid", "packed", "modified", "processed", "shipped"})
"""States whose sentence names the promised day."""
_AFTERWARDS: frozenset[Change] = frozenset({"return", "exchange"})
_PROMISED: frozenset[Change] = frozenset({"cancel", "address"})
"""Changes that an order's own sentences speak of."""


def order_facts(order: Order, *, phrases: Phrases, language: Language) -> dict[str, object]:
    """Return what a model may know of an order: no names, no contacts, the card masked, moments in the company's zone."""
    parcel = order.fulfilment
    return {
        "order": order.id,
        "status": order.status,
        "placed": phrases.local(order.placed).isoformat(),
        "total": number(order.total),
        "delivery_price": number(order.delivery_price),
        "currency": order.currency,
        "payment": {
            "method": order.payment.method,
            "state": order.payment.state,
            "masked": order.payment.masked,
            "at": order.payment.at.isoformat() if order.payment.at else None,
        },
        "delivery": parcel.method,
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "eta": parcel.eta.isoformat() if parcel.eta else None,
        "shipped": phrases.local(parcel.shipped).isoformat() if parcel.shipped else None,
        "delivered": phrases.local(parcel.delivered).isoformat() if parcel.delivered else None,
        "address": str(order.address),
        "city": order.address.city,
        "can_change": bool(order.changes - _AFTERWARDS),
        "items": [_item_facts(item, language=language) for item in order.items],
        "refunds": [
            {"amount": number(r.amount), "state": r.state, "method": r.method, "masked": r.masked}
            for r in order.refunds
        ],
        **_more_facts(order),
        **({"unreached": sorted(order.unreached)} if order.unreached else {}),
    }


def _item_facts(item: OrderItem, *, language: Language) -> dict[str, object]:
    told: dict[str, object] = {
        "code": item.code,
        "title": item.title.said(language),
        "quantity": item.quantity,
        "price": number(item.price),
    }
    return told | ({"options": dict(item.options)} if item.options else {})


def _more_facts(order: Order) -> dict[str, object]:
    """What only some orders have: several parcels, a history of more than one payment, something asked for."""
    told: dict[str, object] = {}
    if len(order.items) > MAX_ENTRIES:
        told["kinds"] = len(order.items)
    if order.parcels:
        told["parcels"] = [
            {"tracking": list(parcel.tracking), "codes": list(parcel.codes)} for parcel in order.parcels
        ]
    if len(order.history) > 1:
        told["history"] = [
            {"kind": e.kind, "amount": number(e.amount), "method": e.method, "masked": e.masked}
            for e in order.history
        ]
    if order.returning is not None:
        told["returning"] = list(order.returning.codes)
    if order.exchanging is not None:
        swap = order.exchanging
        told["exchanging"] = {
            "codes": list(swap.codes),
            "new_codes": list(swap.new_codes),
            "difference": number(swap.difference),
        }
    return told


def order_sentences(order: Order, *, phrases: Phrases, language: Language, now: datetime) -> tuple[str, ...]:
    """Return sentences that each stand alone: state first, then parcel, items, money, what is still possible."""
    say = phrases.say
    said = [state_sentence(order, phrases=phrases, language=language, now=now)]
    parcel = order.fulfilment
    said += _tracking_sentences(order, phrases=phrases, language=language)
    if order.status in ACTIVE and not order.unreached and str(order.address):
        said.append(say(f"order.to.{parcel.method}", language, order=order.id, address=order.address))
    said.append(_items_sentence(order, phrases=phrases, language=language))
    said.append(say("order.total", language, order=order.id, total=order.total, currency=order.currency))
    if not (order.status == "cancelled" and order.payment.state == "due"):
        said.append(_payment_sentence(order, phrases=phrases, language=language))
    for refund in order.refunds[:_SHOWN_REFUNDS]:
        said.append(_refund_sentence(order, refund, phrases=phrases, language=language))
    possible = order.changes & _PROMISED
    if possible:
        key = "changeable" if possible == _PROMISED else f"changeable_{min(possible)}"
        said.append(say(f"order.{key}", language, order=order.id))
    return tuple(said)


def _tracking_sentences(order: Order, *, phrases: Phrases, language: Language) -> list[str]:
    parcel = order.fulfilment
    if order.parcels:
        several = len(order.parcels) > 1
        key = "order.tracking_of_parcel" if several else "order.tracking_only"
        return [
            phrases.say(key, language, order=order.id, n=n, count=len(order.parcels), tracking=one.tracking)
            for n, one in enumerate(order.parcels[:_SHOWN_PARCELS], start=1)
            if one.tracking
        ]
    if not parcel.tracking or order.status not in _TRACKED:
        return []
    if not parcel.carrier:
        return [phrases.say("order.tracking_only", language, order=order.id, tracking=(parcel.tracking,))]
    facts = {"order": order.id, "tracking": parcel.tracking, "carrier": parcel.carrier}
    return [phrases.say("order.tracking", language, **facts)]


def state_sentence(order: Order, *, phrases: Phrases, language: Language, now: datetime) -> str:
    """Return the one sentence «где мой заказ» asks for."""
    key = f"order.state.{order.status}"
    parcel = order.fulfilment
    facts: dict[str, object] = {"order": order.id}
    if _half_known(order):
        return phrases.say(f"order.without_delivery.{order.payment.state}", language, **facts)
    if order.status == "delivered" and parcel.delivered:
        key, facts = f"{key}_on", facts | {"on": parcel.delivered}
    elif order.status == "sent" and parcel.shipped:
        key, facts = f"{key}_on", facts | {"on": parcel.shipped}
    elif order.status in _EXPECTED and parcel.eta:
        late = parcel.eta < phrases.local(now).date()
        key, facts = f"{key}_{'late' if late else 'by'}", facts | {"eta": parcel.eta}
    return phrases.say(key, language, **facts)


def summary(order: Order, *, phrases: Phrases, language: Language) -> str:
    """Return one line of a list: number, day, state, sum."""
    word: str = order.status
    if _half_known(order):
        word = {"paid": "paid", "due": "pending"}.get(order.payment.state, word)
    state = phrases.say(f"state_word.{word}", language)
    facts = {"order": order.id, "placed": order.placed, "total": order.total, "currency": order.currency}
    return phrases.say("orders.line", language, state=state, **facts)


def _half_known(order: Order) -> bool:
    """Whether the state hangs on the delivery, and nobody can tell that now: then only the money is told."""
    return order.status == "unclear" and "delivery" in order.unreached


def lacking(orders: Sequence[Order], *, phrases: Phrases, language: Language) -> tuple[str, ...]:
    """Return what of the orders is not known now, as it goes on after "I can't"; none for orders known in full."""
    found = [order.id for order in orders if "delivery" in order.unreached]
    if not found:
        return ()
    key = "delivery" if len(found) == 1 else "deliveries"
    return (phrases.say(f"lacking.{key}", language, order=found[0], orders=found),)


def choice(order: Order, *, phrases: Phrases, language: Language) -> dict[str, str]:
    """Return the order as one of several to choose from: its number, and what people call it by.

    A name with another number in it («FN-104», «600 лм») could be read as an order's: the state stands in its place.
    """
    title = order.items[0].title.said(language) if order.items else ""
    state = phrases.say(f"state_word.{order.status}", language)
    about = state if not title or _FIGURES.search(title) else title[:_CHOICE_CHARS]
    more = len(order.items) - 1 if about is not state else 0
    key = "orders.choice_of" if more > 0 else "orders.choice"
    label = phrases.say(key, language, order=order.id, about=about, more=more)
    return {"value": order.id, "label": label}


def product_facts(product: Product, *, language: Language) -> dict[str, object]:
    return {
        "code": product.code,
        "title": product.title.said(language),
        "category": product.category_title.said(language),
        "price": number(product.price),
        "stock": product.stock,
        "rating": product.rating,
        "reviews": len(product.reviews),
        "attributes": dict(product.attributes),
        "variants": [
            {"code": v.code, "title": v.title.said(language), "price": number(v.price), "stock": v.stock}
            | ({"options": dict(v.options)} if v.options else {})
            for v in product.variants
        ],
    }


def variant_facts(product: Product, *, language: Language) -> dict[str, object]:
    """Return every variant of a product by its code, each in one line, so that many fit a bounded result."""
    return {
        variant.code: f"{_chosen(variant, language)}; {number(variant.price)}; stock {variant.stock}"
        for variant in product.variants
    }


def variant_sentences(product: Product, *, phrases: Phrases, language: Language) -> tuple[str, ...]:
    """Return what each variant costs and whether there is any."""
    return tuple(
        phrases.say(
            "variant.in_stock" if variant.stock else "variant.out_of_stock",
            language,
            title=product.title.said(language),
            variant=_chosen(variant, language),
            code=variant.code,
            price=variant.price,
        )
        for variant in product.variants
    )


def _chosen(variant: Variant, language: Language) -> str:
    """Return what a variant is chosen by: its own name, or its options where it has them."""
    return ", ".join(f"{name} {value}" for name, value in variant.options.items()) or variant.title.said(
        language
    )


def method_facts(method: SavedMethod) -> dict[str, object]:
    told: dict[str, object] = {"id": method.id, "method": method.method, "brand": method.brand}
    told["masked"] = method.masked
    return told | ({"balance": number(method.balance)} if method.balance is not None else {})


def method_label(method: SavedMethod, *, phrases: Phrases, language: Language) -> str:
    """Return what a customer calls a saved way to pay: "card ··12", "gift card, 500 ₽ left"."""
    kind = way({"method": method.method, "masked": shown(method)})
    kind = "gift_card_with" if method.balance is not None else kind
    balance = method.balance or 0
    return phrases.say(f"method.{kind}", language, masked=shown(method), balance=balance)


def product_sentences(
    product: Product, *, phrases: Phrases, language: Language, full: bool
) -> tuple[str, ...]:
    """Return price and stock; with `full` also colours, attributes and rating."""
    say = phrases.say
    named = {"title": product.title.said(language), "code": product.code}
    prices = {variant.price for variant in product.variants}
    price = "price" if len(prices) == 1 else "price_from"
    stock = "in_stock" if product.stock else "out_of_stock"
    said = [
        say(f"product.{price}", language, price=product.price, **named),
        say(f"product.{stock}", language, stock=product.stock, **named),
    ]
    if not full:
        return tuple(said)
    if len(product.variants) > 1:
        titles = [variant.title.said(language) for variant in product.variants if variant.stock]
        if titles:
            said.append(say("product.variants", language, variants=titles, **named))
    said += _attribute_sentences(product.attributes, named=named, phrases=phrases, language=language)
    if product.rating is not None:
        count = len(product.reviews)
        said.append(say("product.rating", language, rating=product.rating, count=count, **named))
    return tuple(said)


def _payment_sentence(order: Order, *, phrases: Phrases, language: Language) -> str:
    paid: dict[str, Fact] = {"method": order.payment.method, "masked": order.payment.masked}
    paying = phrases.say(f"paid_by.{way(paid)}", language, **paid)
    return phrases.say(f"order.payment.{order.payment.state}", language, order=order.id, paying=paying)


def _items_sentence(order: Order, *, phrases: Phrases, language: Language) -> str:
    lines = [
        phrases.say("order.item", language, title=item.title.said(language), quantity=item.quantity)
        for item in order.items[:_SHOWN_ITEMS]
    ]
    count = sum(item.quantity for item in order.items)
    key = "order.items" if len(order.items) <= _SHOWN_ITEMS else "order.items_some"
    return phrases.say(key, language, order=order.id, count=count, items=lines)


def _refund_sentence(order: Order, refund: Refund, *, phrases: Phrases, language: Language) -> str:
    back: dict[str, Fact] = {"method": refund.method, "masked": refund.masked}
    to = phrases.say(f"refund_to.{way(back)}", language, **back)
    return phrases.say(
        f"order.refund.{refund.state}",
        language,
        order=order.id,
        amount=refund.amount,
        currency=order.currency,
        to=to,
        days_min=refund.days_min,
        days_max=refund.days_max,
    )


def _attribute_sentences(
    attributes: Mapping[str, str | int | float],
    *,
    named: Mapping[str, str],
    phrases: Phrases,
    language: Language,
) -> list[str]:
    # A slug without a text is the company's own business: it stays in the facts and is not put in words. So does a
    # value that its text cannot say: one bad figure must not hide the whole product.
    said: list[str] = []
    for slug, value in attributes.items():
        if phrases.has(f"attribute.{slug}", language):
            with suppress(PhraseFault):
                said.append(phrases.say(f"attribute.{slug}", language, value=value, **named))
    return said
