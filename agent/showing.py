"""Cards beside an answer: made by code from this turn's finished tool results, only of what the answer is about. Pure.

```
finished calls ─► things they found ─► those the answer names, or rests on ─┬─ where it is ──────► tracking
                                                                            ├─ what is in it ────► order
                                                                            └─ goods ────────────► product
```
No model makes a card or chooses one: a thing is shown because the checked sentences speak of it.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from urllib.parse import quote

from agent.cards import MOST_CARDS, Card, Line, Row, Step, StepState, Tone, words_of
from agent.domain import Draft, Verified
from agent.policy.limits import limit_of
from agent.things import Item, OrderTold, ProductTold, Thing, Variant, folded, names_of, stands_in, things_of
from tools.confirm import way
from tools.context import Language
from tools.phrases import PhraseFault, Phrases

MOST_LINES = 5
STEPS = ("placed", "paid", "packed", "shipped", "delivered")
REACHED: Mapping[str, int] = {
    "unconfirmed": 0,
    "pending": 0,
    "processing": 1,
    "paid": 1,
    "modified": 1,
    "packed": 2,
    "processed": 2,
    "shipped": 3,
    "sent": 3,
    "delivered": 4,
}
"""The last of `STEPS` an order in that state has come to; in any other state it is on no way that could be shown."""
EXPECTED = frozenset({"paid", "packed", "modified", "processed", "shipped"})
"""States in which the promised day says something."""
OVER = frozenset({"cancelled", "returned"})
ODD = frozenset({"unclear"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What cards are made with: texts, the customer's language and day, where parcels are followed by carrier."""

    phrases: Phrases
    language: Language
    today: date
    tracking: Mapping[str, str]

    def say(self, key: str, **facts: object) -> str:
        """Return a text of cards."""
        return self.phrases.say(f"card.{key}", self.language, **facts)

    def row(self, name: str, value: str) -> Row:
        """Return a fact under its label."""
        return Row(name=name, label=self.say(f"row.{name}"), value=value)

    def money(self, amount: Decimal, *, currency: str = "") -> str:
        """Return an amount as answers write it, in the house's own currency where no other is named."""
        return self.say("amount", amount=amount, currency=currency)


def cards_of(said: Sequence[Verified], draft: Draft, *, shelf: Shelf) -> tuple[Card, ...]:
    """Return the cards that belong to these sentences, at most `MOST_CARDS`; the last one tells of more."""
    found = _about(said, draft)
    text = " ".join(sentence.text for sentence in said)
    cards: list[Card] = []
    for thing in found:
        # A state or a figure that has no words: the answer stands without a card.
        with suppress(PhraseFault):
            card = _card(thing, text, shelf=shelf, alone=len(found) == 1)
            # What nobody may say in a sentence is not shown in a frame either.
            if all(limit_of(word) != "orders_to_a_model" for word in words_of(card)):
                cards.append(card)
    shown, left = cards[:MOST_CARDS], len(cards) - MOST_CARDS
    if left > 0:
        kind = "products" if shown[-1].kind == "product" else "orders"
        shown[-1] = replace(shown[-1], more=shelf.say(f"more_{kind}", count=left))
    return tuple(shown)


def _card(thing: Thing, text: str, *, shelf: Shelf, alone: bool) -> Card:
    if isinstance(thing, OrderTold):
        return _order(thing, text, shelf=shelf)
    return _product(thing, shelf=shelf, alone=alone)


def _about(said: Sequence[Verified], draft: Draft) -> list[Thing]:
    """Return what the sentences are about, each thing once, as its fullest result tells it."""
    text = " ".join(sentence.text for sentence in said)
    left = {sentence.text for sentence in said}
    rested = {ref for sentence in draft.sentences if sentence.text in left for ref in sentence.refs}
    found: dict[str, Thing] = {}
    for n, use in enumerate(draft.tools, start=1):
        things = things_of(use)
        named = [thing for thing in things if thing.named_in(text)]
        if not named and len(things) == 1 and f"tool:{use.name}:{n}" in rested:
            named = list(things)
        for thing in named:
            known = found.get(thing.subject)
            if known is None or len(thing.model_fields_set) > len(known.model_fields_set):
                found[thing.subject] = thing
    return list(found.values())


def _order(order: OrderTold, text: str, *, shelf: Shelf) -> Card:
    late = order.status in EXPECTED and order.eta is not None and order.eta < shelf.today
    card = Card(
        kind="order",
        subject=order.order,
        title=shelf.say("order", order=order.order),
        state=shelf.say("late") if late else shelf.say(f"state.{order.status}"),
        tone=_tone(order, late=late),
    )
    if order.status in REACHED and order.payment is not None and not _counts(order, text, shelf=shelf):
        return _tracking(card, order, late=late, shelf=shelf)
    shown = order.items[:MOST_LINES]
    rest = max(order.kinds, len(order.items)) - len(shown)
    return replace(
        card,
        lines=tuple(_line(item, currency=order.currency, shelf=shelf) for item in shown),
        rest=shelf.say("more_items", count=rest) if rest > 0 else "",
        rows=(
            *_sums(order, shelf=shelf),
            *_days(order, late=late, shelf=shelf),
            *_whereto(order, text, shelf=shelf),
        ),
    )


def _tone(order: OrderTold, *, late: bool) -> Tone:
    if late or order.status in ODD:
        return "late"
    if order.status in OVER:
        return "off"
    return "good" if order.status == "delivered" else "going"


def _counts(order: OrderTold, text: str, *, shelf: Shelf) -> bool:
    """Whether the answer tells what the order holds or costs, not only where it is."""
    amounts = (order.total, *(back.amount for back in order.refunds))
    masked = order.payment.masked if order.payment else ""
    named = any(stands_in(name, text) for item in order.items for name in names_of(item.title))
    return (
        named
        or bool(masked and masked in text)
        or any(folded(shelf.money(one, currency=order.currency)) in folded(text) for one in amounts)
    )


def _line(item: Item, *, currency: str, shelf: Shelf) -> Line:
    chosen = ", ".join(f"{name} {value}" for name, value in item.options.items())
    each = (
        shelf.say("pieces", count=item.quantity, price=item.price, currency=currency)
        if item.quantity > 1
        else ""
    )
    return Line(
        title=item.title,
        note=" · ".join(filter(None, (chosen, each))),
        value=shelf.money(item.price * item.quantity, currency=currency),
    )


def _sums(order: OrderTold, *, shelf: Shelf) -> list[Row]:
    rows = []
    if order.delivery_price is not None:
        price = (
            shelf.money(order.delivery_price, currency=order.currency)
            if order.delivery_price
            else shelf.say("free")
        )
        rows.append(shelf.row("delivery", price))
    rows.append(shelf.row("total", shelf.money(order.total, currency=order.currency)))
    if order.payment is not None and not (order.status == "cancelled" and order.payment.state == "due"):
        by = shelf.say(
            f"way.{way({'method': order.payment.method, 'masked': order.payment.masked})}",
            masked=order.payment.masked,
        )
        rows.append(shelf.row("payment", shelf.say(f"paid.{order.payment.state}", by=by)))
    rows += [
        shelf.row("refund", shelf.say(f"refund.{back.state}", amount=back.amount, currency=order.currency))
        for back in order.refunds[:1]
    ]
    return rows


def _days(order: OrderTold, *, late: bool, shelf: Shelf) -> list[Row]:
    rows = [shelf.row("placed", shelf.say("day", day=order.placed))] if order.placed else []
    if order.status == "delivered" and order.delivered:
        rows.append(shelf.row("delivered", shelf.say("day", day=order.delivered)))
    elif order.status in EXPECTED and order.eta:
        rows.append(shelf.row("expected", shelf.say("overdue" if late else "day", day=order.eta)))
    return rows


def _whereto(order: OrderTold, text: str, *, shelf: Shelf) -> list[Row]:
    """Of the address only the city, and only where the answer says it anyway."""
    return [shelf.row("city", order.city)] if stands_in(order.city, text) else []


def _tracking(card: Card, order: OrderTold, *, late: bool, shelf: Shelf) -> Card:
    rows = []
    if order.carrier and order.numbers:
        rows.append(shelf.row("carrier", order.carrier))
    rows += [shelf.row("tracking", number) for number in order.numbers[:MOST_LINES]]
    address = shelf.tracking.get(order.carrier, "") if len(order.numbers) == 1 else ""
    link = address.replace("{number}", quote(order.numbers[0], safe="")) if address else ""
    return replace(
        card,
        kind="tracking",
        steps=_steps(order, late=late, shelf=shelf),
        rows=tuple(rows),
        link=link,
        link_label=shelf.say("follow") if link else "",
    )


def _steps(order: OrderTold, *, late: bool, shelf: Shelf) -> tuple[Step, ...]:
    """Return the way of an order; that it is paid is told only where it is, or is what it waits for."""
    reached = REACHED[order.status]
    paid = order.payment is not None and order.payment.state == "paid"
    passed = [name for n, name in enumerate(STEPS) if n <= reached and (name != "paid" or paid)]
    ahead = [
        name for n, name in enumerate(STEPS) if n > reached and (name != "paid" or order.status == "pending")
    ]
    days: Mapping[str, datetime | date | None] = {
        "placed": order.placed,
        "paid": order.payment.at if order.payment else None,
        "shipped": order.shipped,
        "delivered": order.delivered,
    }

    def step(name: str, state: StepState) -> Step:
        day = days.get(name)
        when = shelf.say("day", day=day) if day and state != "ahead" else ""
        if name == "delivered" and state == "ahead" and order.eta and order.status in EXPECTED:
            when = shelf.say("overdue" if late else "awaited", day=order.eta)
        return Step(name=name, label=shelf.say(f"step.{name}"), state=state, when=when)

    *before, last = passed
    return (
        *(step(name, "done") for name in before),
        step(last, "now"),
        *(step(name, "ahead") for name in ahead),
    )


def _product(product: ProductTold, *, shelf: Shelf, alone: bool) -> Card:
    """Return the card of a product; what there is to choose from only where no other card stands beside it."""
    several = len({variant.price for variant in product.variants}) > 1
    price = shelf.say("from_amount", amount=product.price) if several else shelf.money(product.price)
    rows = [shelf.row("price", price)]
    if product.stock > 0:
        rows.append(shelf.row("stock", shelf.say("left", count=product.stock)))
    if product.rating is not None:
        told = shelf.say("rating", rating=Decimal(str(product.rating)), count=product.reviews)
        rows.append(shelf.row("rating", told))
    choice = product.variants if alone and len(product.variants) > 1 else ()
    rest = len(choice) - MOST_LINES
    return Card(
        kind="product",
        subject=product.code,
        title=product.title,
        state=shelf.say("in_stock" if product.stock > 0 else "out_of_stock"),
        tone="good" if product.stock > 0 else "off",
        lines=tuple(_variant(one, priced=several, shelf=shelf) for one in choice[:MOST_LINES]),
        rest=shelf.say("more_variants", count=rest) if rest > 0 else "",
        rows=tuple(rows),
    )


def _variant(one: Variant, *, priced: bool, shelf: Shelf) -> Line:
    """Return what a variant costs where that differs, else how many there are."""
    there = shelf.say("left", count=one.stock) if one.stock > 0 else shelf.say("none_left")
    chosen = ", ".join(f"{name} {value}" for name, value in one.options.items())
    return Line(
        title=chosen or one.title,
        note=there if priced and one.stock <= 0 else "",
        value=shelf.money(one.price) if priced else there,
    )
