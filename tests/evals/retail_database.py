"""A small database in the form of the public retail benchmark, made by hand."""

from typing import Any

HOME = {
    "address1": "1 Elm St",
    "address2": "Suite 2",
    "city": "Reno",
    "country": "USA",
    "state": "NV",
    "zip": "89501",
}
ELSEWHERE = {
    "address1": "9 Oak St",
    "address2": "",
    "city": "Boise",
    "country": "USA",
    "state": "ID",
    "zip": "83702",
}
RED, BLUE, GREEN, BLACK = (f"100000000{n}" for n in range(1, 5))
TALL, LOW = "2000000001", "2000000002"
SHIRT, LAMP = "1000000000", "2000000000"
CARD, GIFT, PAYPAL, HIS = "credit_card_1", "gift_card_1", "paypal_1", "credit_card_2"
MIA, LEO = "mia_lee_1", "leo_lee_2"
PENDING, DELIVERED, PROCESSED, ON_GIFT, FOREIGN, SENT = (f"#W000000{n}" for n in range(1, 7))


def variant(code: str, colour: str, price: float, *, available: bool = True) -> dict[str, Any]:
    return {"item_id": code, "options": {"color": colour}, "available": available, "price": price}


PRODUCTS = {
    SHIRT: {
        "name": "Shirt",
        "product_id": SHIRT,
        "variants": {
            RED: variant(RED, "red", 10.1),
            BLUE: variant(BLUE, "blue", 10.31),
            GREEN: variant(GREEN, "green", 9.9, available=False),
            BLACK: variant(BLACK, "black", 200.0),
        },
    },
    LAMP: {
        "name": "Lamp",
        "product_id": LAMP,
        "variants": {TALL: variant(TALL, "tall", 30.5), LOW: variant(LOW, "low", 20.25)},
    },
}


def order(number: str, status: str, codes: list[str], paid_with: str, owner: str = MIA) -> dict[str, Any]:
    items = [
        {"name": product["name"], "product_id": product["product_id"], "item_id": code}
        | {name: product["variants"][code][name] for name in ("price", "options")}
        for code in codes
        for product in PRODUCTS.values()
        if code in product["variants"]  # type: ignore[operator]
    ]
    total = round(sum(item["price"] for item in items), 2)
    left = status in ("processed", "delivered")
    return {
        "order_id": number,
        "user_id": owner,
        "address": dict(HOME),
        "items": items,
        "status": status,
        "fulfillments": [{"tracking_id": ["77"], "item_ids": codes}] if left else [],
        "payment_history": [{"transaction_type": "payment", "amount": total, "payment_method_id": paid_with}],
        "cancel_reason": None,
        "exchange_items": None,
        "exchange_new_items": None,
        "exchange_payment_method_id": None,
        "exchange_price_difference": None,
        "return_items": None,
        "return_payment_method_id": None,
    }


def user(name: str, first: str, methods: list[dict[str, Any]], orders: list[str]) -> dict[str, Any]:
    return {
        "user_id": name,
        "name": {"first_name": first, "last_name": "Lee"},
        "address": dict(HOME),
        "email": f"{first.lower()}@example.com",
        "payment_methods": {method["id"]: method for method in methods},
        "orders": orders,
    }


DATABASE: dict[str, Any] = {
    "products": PRODUCTS,
    "users": {
        MIA: user(
            MIA,
            "Mía",
            [
                {"source": "credit_card", "id": CARD, "brand": "visa", "last_four": "7285"},
                {"source": "gift_card", "id": GIFT, "balance": 50.0},
                {"source": "paypal", "id": PAYPAL},
            ],
            [DELIVERED, PENDING, PROCESSED, ON_GIFT, SENT],
        ),
        LEO: user(
            LEO,
            "Leo",
            [{"source": "credit_card", "id": HIS, "brand": "visa", "last_four": "0001"}],
            [FOREIGN],
        ),
    },
    "orders": {
        one["order_id"]: one
        for one in (
            order(PENDING, "pending", [RED, TALL, LOW], CARD),
            order(DELIVERED, "delivered", [RED, RED, TALL], CARD),
            order(PROCESSED, "processed", [RED], CARD),
            order(ON_GIFT, "pending", [BLUE], GIFT),
            order(FOREIGN, "pending", [RED], HIS, LEO),
            order(SENT, "delivered", [TALL], PAYPAL),
        )
    },
}
