"""What the official business shows that no shop should do, kept beside the shop and laid over what it tells.

- Sums are binary floats, added one after another: 0.20999999999999375 where the shop has 0.21.
- When several items are changed at once, every one of them gets the price and the options of the last new one.
- A change of items that costs nothing is written down as a refund of zero.
- A cancelled order that had been paid twice is refunded for every entry of its history, refunds included.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evals.tau.domain import Json

Record = dict[str, Any]
Pairs = Sequence[tuple[str, str]]


class Disagreement(AssertionError):
    """The shop's own state is not the one the official form is laid over: a fault of the shop or of this facade."""


@dataclass(slots=True)  # mutable: grows with the run
class Quirks:
    """Fields of orders as the official form shows them, and what it has too much on gift cards."""

    fields: dict[str, Record] = field(default_factory=dict)
    surplus: dict[str, float] = field(default_factory=dict)

    def order(self, told: Record) -> Record:
        """Lay over an order in the official form; `Disagreement` when the shop holds other goods or sums."""
        laid = self.fields.get(told["order_id"])
        if laid is None:
            return told
        shown = {**told, **laid}
        for name in ("items", "payment_history"):
            if name in laid and _matter(shown, name) != _matter(told, name):
                raise Disagreement(f"{name} of {told['order_id']}: {told[name]} is not {shown[name]}")
        return shown

    def customer(self, told: Record) -> Record:
        methods = {
            name: {**one, "balance": round(one["balance"] + self.surplus[name], 2)}
            if name in self.surplus
            else one
            for name, one in told["payment_methods"].items()
        }
        return {**told, "payment_methods": methods}

    def items_changed(
        self, before: Record, *, pairs: Pairs, variants: Mapping[str, Record], paid_with: str
    ) -> None:
        """Note a change of items: `before` is the order as it was shown, `variants` the new ones by id."""
        difference = _difference(before, pairs, variants)
        last = variants[pairs[-1][1]]
        items = [dict(item) for item in before["items"]]
        for old, new in pairs:
            item = next(item for item in items if item["item_id"] == old)
            item |= {"item_id": new, "price": last["price"], "options": last["options"]}
        entry = {
            "transaction_type": "payment" if difference > 0 else "refund",
            "amount": abs(float(difference)),
            "payment_method_id": paid_with,
        }
        self._lay(before, items=items, payment_history=[*before["payment_history"], entry])

    def exchanged(self, before: Record, *, pairs: Pairs, variants: Mapping[str, Record]) -> None:
        """Note an exchange, whose difference is rounded but still a float."""
        self._lay(before, exchange_price_difference=round(_difference(before, pairs, variants), 2))

    def cancelled(self, before: Record, *, gift_cards: Sequence[str]) -> None:
        """Note a cancellation: more than one entry before it, and the official books give too much back."""
        history = before["payment_history"]
        if len(history) == 1:
            return
        refunds = [{**entry, "transaction_type": "refund"} for entry in history]
        self._lay(before, payment_history=[*history, *refunds])
        # The shop gives back what is paid now, the latest payment; everything else is surplus.
        kept = max(n for n, entry in enumerate(history) if entry["transaction_type"] == "payment")
        for n, entry in enumerate(history):
            card = entry["payment_method_id"]
            if n != kept and card in gift_cards:
                self.surplus[card] = self.surplus.get(card, 0.0) + entry["amount"]

    def _lay(self, before: Record, **fields: Json | Record | list[Record]) -> None:
        self.fields[before["order_id"]] = {**self.fields.get(before["order_id"], {}), **fields}


def _difference(before: Record, pairs: Pairs, variants: Mapping[str, Record]) -> float:
    total = 0.0
    for old, new in pairs:
        item = next(item for item in before["items"] if item["item_id"] == old)
        total += variants[new]["price"] - item["price"]
    return total


def _matter(order: Record, name: str) -> object:
    """Return what must agree: which goods, or how much came and went on balance by each method, in cents."""
    if name == "items":
        return Counter(item["item_id"] for item in order["items"])
    if order["status"] == "cancelled":
        return None  # the official books are wrong there, see above
    balance: Counter[str] = Counter()
    for entry in order["payment_history"]:
        sign = 1 if entry["transaction_type"] == "payment" else -1
        balance[entry["payment_method_id"]] += sign * round(100 * entry["amount"])
    return {method: cents for method, cents in balance.items() if cents}
