"""An order or a product as facts (JSON values) and as ready sentences."""

from collections.abc import Mapping
from datetime import datetime

from tools.confirm import way
from tools.context import Language
from tools.orders.port import ACTIVE, EVERY_CHANGE, Fact, Order, OrderStatus, Product, Refund
from tools.orders.rules import number
from tools.phrases import Phrases

_SHOWN_ITEMS = 6
_SHOWN_REFUNDS = 2
_ON_THE_WAY: frozenset[OrderStatus] = frozenset({"shipped", "sent", "delivered"})
_EXPECTED: frozenset[OrderStatus] = frozenset({"paid", "packed", "shipped"})
"""States whose sentence names the promised day."""


def order_facts(order: Order, *, language: Language) -> dict[str, object]:
    """Return what a model may know of an order: no names, no contacts, the card masked."""
    parcel = order.fulfilment
    return {
        "order": order.id,
        "status": order.status,
        "placed": order.placed.isoformat(),
        "total": number(order.total),
        "delivery_price": number(order.delivery_price),
        "currency": order.currency,
        "payment": {
            "method": order.payment.method,
            "state": order.payment.state,
            "masked": order.payment.masked,
        },
        "delivery": parcel.method,
        "carrier": parcel.carrier,
        "tracking": parcel.tracking,
        "eta": parcel.eta.isoformat() if parcel.eta else None,
        "delivered": parcel.delivered.isoformat() if parcel.delivered else None,
        "address": str(order.address),
        "can_change": bool(order.changes),
        "items": [
            {
                "code": i.code,
                "title": i.title.said(language),
                "quantity": i.quantity,
                "price": number(i.price),
            }
            for i in order.items
        ],
        "refunds": [
            {"amount": number(r.amount), "state": r.state, "method": r.method, "masked": r.masked}
            for r in order.refunds
        ],
    }


def order_sentences(order: Order, *, phrases: Phrases, language: Language, now: datetime) -> tuple[str, ...]:
    """Return sentences that each stand alone: state first, then parcel, items, money, what is still possible."""
    say = phrases.say
    said = [state_sentence(order, phrases=phrases, language=language, now=now)]
    parcel = order.fulfilment
    if parcel.tracking and order.status in _ON_THE_WAY:
        key = "order.tracking" if parcel.carrier else "order.tracking_alone"
        said.append(say(key, language, order=order.id, tracking=parcel.tracking, carrier=parcel.carrier))
    if order.status in ACTIVE and str(order.address):
        said.append(say(f"order.to.{parcel.method}", language, order=order.id, address=order.address))
    said.append(_items_sentence(order, phrases=phrases, language=language))
    said.append(say("order.total", language, order=order.id, total=order.total))
    if not (order.status == "cancelled" and order.payment.state == "due"):
        said.append(_payment_sentence(order, phrases=phrases, language=language))
    for refund in order.refunds[:_SHOWN_REFUNDS]:
        said.append(_refund_sentence(order, refund, phrases=phrases, language=language))
    if order.changes:
        key = "changeable" if order.changes == EVERY_CHANGE else f"changeable_{min(order.changes)}"
        said.append(say(f"order.{key}", language, order=order.id))
    return tuple(said)


def state_sentence(order: Order, *, phrases: Phrases, language: Language, now: datetime) -> str:
    """Return the one sentence «где мой заказ» asks for."""
    key = f"order.state.{order.status}"
    parcel = order.fulfilment
    facts: dict[str, object] = {"order": order.id}
    if order.status == "delivered" and parcel.delivered:
        key, facts = f"{key}_on", facts | {"on": parcel.delivered}
    elif order.status == "sent" and parcel.shipped:
        key, facts = f"{key}_on", facts | {"on": parcel.shipped}
    elif order.status in _EXPECTED and parcel.eta:
        late = parcel.eta < now.date()
        key, facts = f"{key}_{'late' if late else 'by'}", facts | {"eta": parcel.eta}
    return phrases.say(key, language, **facts)


def summary(order: Order, *, phrases: Phrases, language: Language) -> str:
    """Return one line of a list: number, day, state, sum."""
    state = phrases.say(f"state_word.{order.status}", language)
    return phrases.say(
        "orders.line", language, order=order.id, placed=order.placed, state=state, total=order.total
    )


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
            for v in product.variants
        ],
    }


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
    # A slug without a text is the company's own business: it stays in the facts and is not put in words.
    known = [(f"attribute.{slug}", value) for slug, value in attributes.items()]
    return [
        phrases.say(key, language, value=value, **named) for key, value in known if phrases.has(key, language)
    ]
