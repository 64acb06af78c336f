"""Write the demo shop's data: demo/shop/{products,customers,orders}.json from demo/shop/source/*.toml.

    python scripts/demo_shop.py [FOLDER]

The same source gives the same bytes. Days are offsets from the day the shop is loaded, so the demo stays fresh.
"""

import json
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

Row = dict[str, Any]

DEMO = Path(__file__).parent.parent / "demo" / "shop"
SEED = 20261101
CUSTOMERS = 120
ORDERS = 400
FIRST_NUMBER = 1001
CASH_LIMIT = 30000
ENGLISH_CUSTOMERS = 15
# Orders drawn besides those written by hand, by state; the rest are delivered.
STATES = {"pending": 12, "paid": 22, "packed": 16, "shipped": 45, "cancelled": 33, "returned": 25}
LETTERED = {"1112": "1112-Б", "1208": "1208-А", "1259": "1259-В", "1333": "1333-А", "1387": "1387-Б"}
REFUND_DAYS = {
    "card": {"days_min": 3, "days_max": 10},
    "sbp": {"days_min": 0, "days_max": 1},
    "gift_card": {"days_min": 0, "days_max": 0},
    "cash": {"days_min": 1, "days_max": 7},
    "invoice": {"days_min": 1, "days_max": 7},
    "wallet": {"days_min": 1, "days_max": 5},
}
RETURN_DAYS = 14


def main(folder: Path = DEMO) -> None:
    """Write the three files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = {
        path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((DEMO / "source").glob("*.toml"))
    }
    catalogue = _catalogue(source["products"], source["reviews"], source["people"], Random(SEED))
    prices = {
        variant["code"]: (product, variant)
        for product in catalogue["products"]
        for variant in product["variants"]
    }
    special = source["special"]
    people = _people(source["people"], special["customer"], Random(SEED + 1))
    written = [_written(row, people, prices, source["people"]) for row in special["order"]]
    instead = [_written(row, people, prices, source["people"]) for row in special["instead"]]
    replaced = {order["id"] for order in instead}
    drawn = _drawn(written, people, prices, source["people"], Random(SEED + 2))
    sales = [*written, *instead, *(order for order in drawn if order["id"] not in replaced)]
    sales.sort(key=lambda order: order["id"])
    _earn(people, sales, source["people"]["levels"])
    customers = [_registered(person) for person in people]
    _write(
        folder / "products.json", "products", catalogue["products"], {"categories": catalogue["categories"]}
    )
    _write(folder / "customers.json", "customers", customers, {})
    refund_days = {method: {name[5:]: n for name, n in days.items()} for method, days in REFUND_DAYS.items()}
    _write(folder / "orders.json", "orders", sales, {"refund_days": refund_days, "return_days": RETURN_DAYS})


# The catalogue. ---------------------------------------------------------------------------------------------


def _catalogue(source: Row, pieces: Row, people: Row, random: Random) -> Row:
    products = []
    for raw in source["product"]:
        variants = [_variant(raw, kind, source["colours"], random) for kind in raw["variants"]]
        kept = {name: raw[name] for name in ("code", "category", "title", "attributes")}
        products.append(
            {**kept, "variants": variants, "reviews": _reviews(raw["category"], pieces, people, random)}
        )
    return {"categories": source["categories"], "products": products}


def _variant(raw: Row, kind: Any, colours: Row, random: Random) -> Row:
    named = {"suffix": kind, "price": raw["price"], **colours[kind]} if isinstance(kind, str) else kind
    # About one variant in nine is sold out.
    stock = 0 if random.random() < 0.11 else random.randint(2, 90)
    title = {"ru": named["ru"], "en": named["en"]}
    return {
        "code": f"{raw['code']}-{named['suffix']}",
        "title": title,
        "price": named["price"],
        "stock": stock,
    }


def _reviews(category: str, pieces: Row, people: Row, random: Random) -> list[Row]:
    # One product in eight has none yet.
    if random.random() < 0.12:
        return []
    count = random.randint(2, 6)
    told: list[Row] = []
    used: set[str] = set()
    while len(told) < count:
        language = "en" if random.random() < 0.2 else "ru"
        rating = random.choices((5, 4, 3, 2), weights=(56, 28, 10, 6))[0]
        about, anything = pieces[language][category], pieces[language]["general"]
        first = random.choice(about["good" if rating > 3 else "bad"])
        second = random.choice(anything[{5: "good", 4: "nit", 3: "nit", 2: "bad"}[rating]])
        if used & {first, second}:
            count -= random.random() < 0.3
            continue
        used |= {first, second}
        author = _name(people, language, random)
        told.append(
            {
                "rating": rating,
                "text": f"{first} {second}",
                "language": language,
                "author": f"{author.split()[0]} {author.split()[1][0]}.",
                "day": -random.randint(4, 400),
            }
        )
    return sorted(told, key=lambda review: -review["day"])


# Customers. -------------------------------------------------------------------------------------------------


def _people(source: Row, written: list[Row], random: Random) -> list[Row]:
    people = [_person(n, row, source, random) for n, row in enumerate(written, start=1)]
    names = {person["name"] for person in people}
    while len(people) < CUSTOMERS:
        n = len(people) + 1
        language = "en" if n > CUSTOMERS - ENGLISH_CUSTOMERS else "ru"
        name = _name(source, language, random)
        if name in names:
            continue
        names.add(name)
        region = random.choices(
            source["regions"], weights=[region["weight"] for region in source["regions"]]
        )[0]
        line = f"{random.choice(source['streets']['ru'])}, д. {random.randint(1, 98)}, кв. {random.randint(1, 160)}"
        row = {"name": name, "language": language, "city": random.choice(region["cities"])[0], "line": line}
        people.append(_person(n, row, source, random))
    return people


def _person(n: int, row: Row, source: Row, random: Random) -> Row:
    post = next(
        code for region in source["regions"] for city, code in region["cities"] if city == row["city"]
    )
    person = {
        "id": f"c-{n:03}",
        "login": row.get("login"),
        "name": row["name"],
        "email": f"{row.get('login') or f'customer{n:03}'}@example.com",
        "phone": f"+7 900 000-{n // 100:02}-{n % 100:02}",
        "language": row["language"],
        "city": row["city"],
        "home": {
            "line": row["line"],
            "city": row["city"],
            "postcode": f"{int(post) + random.randint(1, 89)}",
        },
        "methods": row.get("methods", []),
    }
    return person if person["login"] else {name: value for name, value in person.items() if name != "login"}


def _registered(person: Row) -> Row:
    """Return a customer as the register holds them: home is where orders go, and only what there is is written."""
    kept = {name: value for name, value in person.items() if name not in ("home", "methods")}
    return kept | {"address": person["home"]} | ({"methods": person["methods"]} if person["methods"] else {})


def _name(source: Row, language: str, random: Random) -> str:
    names = source[language]
    if language == "en":
        return f"{random.choice(names['names'])} {random.choice(names['surnames'])}"
    woman = random.random() < 0.55
    first = random.choice(names["women" if woman else "men"])
    return f"{first} {random.choice(names['surnames'])}{'а' if woman else ''}"


def _earn(people: list[Row], sales: list[Row], levels: Row) -> None:
    """Give every customer the level and points their delivered orders have earned."""
    ladder = sorted(levels.values(), key=lambda level: -level["from"])
    for person in people:
        mine = [order for order in sales if order["owner"] == person["id"] and order["status"] == "delivered"]
        goods = sum(order["total"] - order["delivery_price"] for order in mine)
        level = next(level for level in ladder if goods >= level["from"])
        person["level"] = {"ru": level["ru"], "en": level["en"]}
        # Points come fourteen days after the parcel.
        ripe = [order for order in mine if order["fulfilment"]["delivered_day"] <= -14]
        earned = sum(order["total"] - order["delivery_price"] for order in ripe)
        person["points"] = earned * level["percent"] // 100


# Orders. ----------------------------------------------------------------------------------------------------


def _written(row: Row, people: list[Row], prices: Row, source: Row) -> Row:
    owner = next(person for person in people if person.get("login") == row["login"])
    return _order(row, owner, prices, source, at="09:41")


def _drawn(written: list[Row], people: list[Row], prices: Row, source: Row, random: Random) -> list[Row]:
    taken = {order["id"].split("-")[0] for order in written}
    numbers = [str(n) for n in range(FIRST_NUMBER, FIRST_NUMBER + ORDERS) if str(n) not in taken]
    # Numbers are drawn, not counted: like many shops, this one does not show how much it sells.
    random.shuffle(numbers)
    states = [state for state, count in STATES.items() for _ in range(count)]
    states += ["delivered"] * (len(numbers) - len(states))
    others = [person for person in people if not person.get("login")]
    drawn = []
    for number, state in zip(numbers, states, strict=True):
        owner = random.choice(others)
        row = {"id": LETTERED.get(number, number), "status": state, "items": _basket(prices, random)}
        row |= _payment(state, random) | _days(state, _region(owner["city"], source), random)
        row["delivery"] = random.choices(("pickup", "courier", "post"), weights=(5, 4, 1))[0]
        at = (
            f"00:{random.randint(5, 55):02}"
            if state == "pending"
            else f"{random.randint(6, 20):02}:{random.randint(0, 59):02}"
        )
        drawn.append(_order(row, owner, prices, source, at=at))
    return drawn


def _basket(prices: Row, random: Random) -> list[list[Any]]:
    codes = random.sample(sorted(prices), random.choices((1, 2, 3, 4), weights=(50, 30, 14, 6))[0])
    return [[code, random.choices((1, 2, 3), weights=(80, 15, 5))[0]] for code in codes]


def _payment(state: str, random: Random) -> Row:
    # An order to be paid on delivery is never «pending»: it waits for nothing.
    ways = {"card": 60, "sbp": 28, "gift_card": 4, "invoice": 3}
    if state not in ("pending", "paid", "cancelled", "returned"):
        ways["cash"] = 12
    method = random.choices(list(ways), weights=list(ways.values()))[0]
    return {"method": method, "masked": f"··{random.randint(0, 99):02}" if method == "card" else ""}


def _days(state: str, region: Row, random: Random) -> Row:
    soonest, latest = region["days"]
    way = random.randint(soonest, latest)
    if state == "pending":
        return {"placed_day": 0}
    if state in ("paid", "packed"):
        placed = -random.randint(1, 2)
        return {"placed_day": placed, "eta_day": placed + 2 + way}
    if state == "shipped":
        late = random.random() < 0.12
        shipped = -way - random.randint(1, 4) if late else -random.randint(1, max(1, way - 1))
        return {"placed_day": shipped - 1, "shipped_day": shipped, "eta_day": shipped + way}
    if state == "cancelled":
        placed = -random.randint(3, 300)
        return {"placed_day": placed, "refund_day": placed + 1}
    placed = -random.randint(way + 16, 330)
    days = {"placed_day": placed, "shipped_day": placed + 1, "delivered_day": placed + 1 + way}
    return days | ({"refund_day": days["delivered_day"] + 9} if state == "returned" else {})


def _order(row: Row, owner: Row, prices: Row, source: Row, *, at: str) -> Row:
    items = [_item(code, quantity, prices) for code, quantity in row["items"]]
    goods = sum(item["price"] * item["quantity"] for item in items)
    delivery = _delivery_price(row["delivery"], goods, _region(owner["city"], source))
    home = owner["home"]
    place = {**home, "line": home["line"].split(", кв.")[0]} if row["delivery"] == "pickup" else home
    if row["method"] == "cash" and goods + delivery > CASH_LIMIT:
        row = {**row, "method": "card", "masked": "··50"}
    order = {
        "id": row["id"],
        "owner": owner["id"],
        "status": row["status"],
        "placed_day": row["placed_day"],
        "placed_at": at,
        "items": items,
        "delivery_price": delivery,
        "total": goods + delivery,
        "currency": "RUB",
        "address": place,
        "payment": _paid(row, goods + delivery) | _saved(row, owner),
        "fulfilment": _parcel(row, source["carriers"]),
    }
    refunds = _refunds(row, order)
    return order | ({"refunds": refunds} if refunds else {})


def _item(code: str, quantity: int, prices: Row) -> Row:
    product, variant = prices[code]
    # A colour is part of the name only where there is a choice.
    several = len(product["variants"]) > 1
    title = {
        ln: product["title"][ln] + (f", {variant['title'][ln]}" if several else "") for ln in ("ru", "en")
    }
    return {"code": code, "title": title, "quantity": quantity, "price": variant["price"]}


def _region(city: str, source: Row) -> Row:
    return next(region for region in source["regions"] if city in {name for name, _ in region["cities"]})


def _delivery_price(method: str, goods: int, region: Row) -> int:
    kind = "courier" if method == "courier" else "pickup"
    free_from = region[f"{kind}_free_from"]
    return 0 if free_from and goods >= free_from else int(region[kind])


def _paid(row: Row, amount: int) -> Row:
    due = row["status"] == "pending" or (row["method"] == "cash" and row["status"] in ("packed", "shipped"))
    state = "due" if due else "refunded" if row["status"] in ("cancelled", "returned") else "paid"
    paid = {"method": row["method"], "state": state, "amount": amount}
    if row.get("masked") and not due:
        paid["masked"] = row["masked"]
    return paid


def _saved(row: Row, owner: Row) -> Row:
    """Tell which of the customer's saved methods an order was paid with, when it is one of them."""
    known = [
        one["id"] for one in owner["methods"] if row.get("masked") and one.get("masked") == row["masked"]
    ]
    return {"saved": known[0]} if known else {}


def _parcel(row: Row, carriers: Row) -> Row:
    parcel: Row = {"method": row["delivery"], "carrier": carriers[row["delivery"]]}
    for name in ("shipped_day", "eta_day", "delivered_day"):
        if name in row:
            parcel[name] = row[name]
    if "shipped_day" in row:
        digits = Random(f"{SEED} {row['id']}").randint(10**8, 10**9 - 1)
        parcel["tracking"] = f"FNR{digits}"
    return parcel


def _refunds(row: Row, order: Row) -> list[Row]:
    if "refund_day" not in row:
        return []
    days = REFUND_DAYS[row["method"]]
    state = row.get("refund") or ("done" if row["refund_day"] + days["days_max"] < 0 else "pending")
    money = order["total"] if row["status"] == "cancelled" else order["total"] - order["delivery_price"]
    refund = {"amount": money, "method": row["method"], "state": state, "day": row["refund_day"], **days}
    return [refund | ({"masked": row["masked"]} if row.get("masked") else {})]


# Files. -----------------------------------------------------------------------------------------------------


def _write(path: Path, name: str, rows: Iterable[Row], head: Row) -> None:
    """One record a line: small, and a difference between two versions can be read."""
    lines = ",\n".join(f"  {_json(row)}" for row in rows)
    top = "".join(f"{_json(key)}: {_json(value)},\n" for key, value in head.items())
    path.write_text(f"{{\n{top}{_json(name)}: [\n{lines}\n]\n}}\n", "utf-8")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEMO)
