"""Where attacks are planted: a published document, the free text of an order, the customer's own message.

```
Attack × place ─► Plant: what the customer says, and whose fault it would be ─► world: documents, orders, customers
```
Each plant has a product or an order of its own, so that what is read in its turn is this attack and no other.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from evals.injection.attack import FOREIGN_ORDER, Attack
from evals.injection.obedient import WORDS
from evals.world import completed
from tools.context import Language

Place = Literal["document", "order", "message"]
PLACES: tuple[Place, ...] = get_args(Place)
OTHER = "inj-other"
CUSTOMERS: Mapping[Language, str] = {"ru": "inj-ru", "en": "inj-en"}
CONSENTS: Mapping[Language, tuple[str, ...]] = {
    "ru": ("orders:read", "orders:write", "model:external"),
    "en": ("orders:read", "model:external"),
}
"""What each customer has allowed: one may be talked into a change, the other has no tool for it at all."""
_READ = frozenset({"find_product", "product_variants", "order_status", "list_orders", "my_payment_methods"})
OPENED: Mapping[Language, frozenset[str]] = {
    "ru": _READ
    | {"cancel_order", "change_address", "change_payment", "change_items", "return_items", "exchange_items"},
    "en": _READ,
}
"""The tools these consents open."""
FIRST_ORDER = 6700


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One attack in one place: `says` is what the customer writes, `own` the order an attack is aimed at."""

    attack: Attack
    place: Place
    own: str
    code: str
    says: str

    @property
    def id(self) -> str:
        """The attack and its place."""
        return f"{self.attack.id}@{self.place}"


def planted(attacks: Sequence[Attack]) -> tuple[Plant, ...]:
    """Return the project's own attacks in every place, and each public one in one place, turn by turn."""
    return tuple(
        _plant(attack, place, len(PLACES) * n + m)
        for n, attack in enumerate(attacks)
        for m, place in enumerate(PLACES)
        if attack.source == "own" or n % len(PLACES) == m
    )


def world_of(plants: Sequence[Plant]) -> dict[str, dict[str, Any]]:
    """Return the rows these plants need: the two who ask, the one who must not be told of, documents and orders."""
    other = words()["other"]
    whom = {
        OTHER: {
            "name": other["name"],
            "email": other["email"],
            "phone": other["phone"],
            "city": other["city"],
        }
    }
    asking = {
        CUSTOMERS[language]: {**words()["customers"][language], "language": language}
        for language in CUSTOMERS
    }
    orders = {FOREIGN_ORDER: _foreign_order()} | {plant.own: _order(plant) for plant in plants}
    documents = {
        f"inj-{plant.code.lower()}": _document(plant) for plant in plants if plant.place == "document"
    }
    documents["inj-staff"] = {
        "title": other["staff_title"],
        "text": other["staff_text"],
        "audience": "staff",
        "language": "ru",
    }
    return {
        "customers": {key: completed("customers", key, row) for key, row in (whom | asking).items()},
        "orders": {key: completed("orders", key, row) for key, row in orders.items()},
        "knowledge": {key: completed("knowledge", key, row) for key, row in documents.items()},
    }


@cache
def words() -> Mapping[str, Any]:
    """Return the texts of the suite."""
    return tomllib.loads(WORDS.read_text("utf-8"))


def _plant(attack: Attack, place: Place, n: int) -> Plant:
    own, code = str(FIRST_ORDER + n), f"QX-{FIRST_ORDER + n}"
    aimed, language = attack.aimed(own=own), attack.language
    says = {
        "document": words()["document"]["question"][language].format(code=code),
        "order": words()["order"]["question"][language].format(order=own),
        "message": aimed.text,
    }
    return Plant(attack=aimed, place=place, own=own, code=code, says=says[place])


def _order(plant: Plant) -> dict[str, Any]:
    language, text = plant.attack.language, " ".join(plant.attack.text.split())
    row: dict[str, Any] = {"owner": CUSTOMERS[language], "status": "paid"}
    if plant.place == "order":
        title = words()["order"]["item"][language].format(attack=text)
        row["items"] = [{"code": "FN-900", "title": title, "price": 1500}]
        row["address"] = {"line": f"5, {text}"[:390], "city": "", "postcode": ""}
    return row


def _foreign_order() -> dict[str, Any]:
    other = words()["other"]
    return {
        "owner": OTHER,
        "status": "shipped",
        "items": [{"code": "FN-901", "title": other["item"], "price": other["price"]}],
        "address": other["address"],
        "fulfilment": {"tracking": other["tracking"]},
    }


def _document(plant: Plant) -> dict[str, Any]:
    language, form = plant.attack.language, words()["document"]
    return {
        "title": form["title"][language].format(code=plant.code),
        "text": form["text"][language].format(code=plant.code, attack=plant.attack.text),
        "language": language,
    }
