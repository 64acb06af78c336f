"""A small airline in the official form: two travellers, a booking each, four flights."""

from typing import Any

from tools.context import CustomerId

ANN, BOB = CustomerId("ann_lee_1"), CustomerId("bob_ray_2")


def cabins(left: int, price: int) -> dict[str, Any]:
    names = ("basic_economy", "economy", "business")
    return {
        "status": "available",
        "available_seats": {name: left for name in names},
        "prices": {name: price * n for n, name in enumerate(names, start=1)},
    }


def flight(number: str, origin: str, to: str, *, departs: str = "08:00:00", arrives: str = "10:00:00") -> Any:
    return {
        "flight_number": number,
        "origin": origin,
        "destination": to,
        "scheduled_departure_time_est": departs,
        "scheduled_arrival_time_est": arrives,
        "dates": {
            "2024-05-14": {
                "status": "landed",
                "actual_departure_time_est": "2024-05-14T08:00:00",
                "actual_arrival_time_est": "2024-05-14T10:00:00",
            },
            "2024-05-15": {"status": "cancelled"},
            "2024-05-20": cabins(2, 100),
            "2024-05-21": cabins(2, 110),
        },
    }


def user(name: str, *bookings: str) -> dict[str, Any]:
    return {
        "user_id": name,
        "name": {"first_name": name[:3].title(), "last_name": "Lee"},
        "address": {
            "address1": "1 Elm",
            "address2": None,
            "city": "Linz",
            "country": "AT",
            "state": "OÖ",
            "zip": "1",
        },
        "email": f"{name}@example.com",
        "dob": "1990-01-02",
        "membership": "gold",
        "payment_methods": {
            f"credit_card_{name}": {
                "source": "credit_card",
                "id": f"credit_card_{name}",
                "brand": "visa",
                "last_four": "1111",
            },
            f"gift_card_{name}": {"source": "gift_card", "id": f"gift_card_{name}", "amount": 150.0},
            f"certificate_{name}": {"source": "certificate", "id": f"certificate_{name}", "amount": 200.0},
        },
        "saved_passengers": [{"first_name": "Cy", "last_name": "Lee", "dob": "2001-02-03"}],
        "reservations": list(bookings),
    }


def booking(number: str, owner: str) -> dict[str, Any]:
    leg = {
        "flight_number": "HAT001",
        "date": "2024-05-20",
        "origin": "SFO",
        "destination": "JFK",
        "price": 100,
    }
    return {
        "reservation_id": number,
        "user_id": owner,
        "origin": "SFO",
        "destination": "JFK",
        "flight_type": "one_way",
        "cabin": "basic_economy",
        "flights": [leg],
        "passengers": [{"first_name": "Ann", "last_name": "Lee", "dob": "1990-01-02"}],
        "payment_history": [{"payment_id": f"credit_card_{owner}", "amount": 100}],
        "created_at": "2024-05-01T10:00:00",
        "total_baggages": 1,
        "nonfree_baggages": 0,
        "insurance": "no",
        "status": None,
    }


DATABASE: dict[str, Any] = {
    "flights": {
        "HAT001": flight("HAT001", "SFO", "JFK"),
        "HAT002": flight("HAT002", "JFK", "MIA", departs="09:00:00"),
        "HAT003": flight("HAT003", "JFK", "MIA", departs="11:00:00"),
        "HAT004": flight("HAT004", "SFO", "JFK", departs="20:00:00", arrives="01:00:00+1"),
    },
    "users": {ANN: user(ANN, "AAA111"), BOB: user(BOB, "BBB222")},
    "reservations": {"AAA111": booking("AAA111", ANN), "BBB222": booking("BBB222", BOB)},
}
