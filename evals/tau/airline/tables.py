"""The airline's tables: prefix `air_`, whole dollars, days and hours as the timetable prints them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, MetaData, String, Table

metadata = MetaData()


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, String(200), primary_key=key, nullable=False)


def _number(name: str, *, key: bool = False, nullable: bool = False) -> Column[int]:
    return Column(name, Integer, primary_key=key, nullable=nullable)


def _of(table: str, name: str, *, key: bool = False) -> Column[str]:
    return Column(name, String(200), ForeignKey(table), primary_key=key, nullable=False, index=not key)


flights = Table(
    "air_flights",
    metadata,
    _text("number", key=True),
    _number("n"),
    _text("origin"),
    _text("destination"),
    _text("departs"),
    _text("arrives"),
)

days = Table(
    "air_days",
    metadata,
    _of("air_flights.number", "flight", key=True),
    _text("day", key=True),
    _text("status"),
    Column("times", JSON, nullable=False),
)

seats = Table(
    "air_seats",
    metadata,
    _of("air_flights.number", "flight", key=True),
    _text("day", key=True),
    _text("cabin", key=True),
    _number("left"),
    _number("price"),
)

travellers = Table(
    "air_travellers",
    metadata,
    _text("id", key=True),
    _text("first"),
    _text("last"),
    Column("address", JSON, nullable=False),
    _text("email"),
    _text("born"),
    _text("membership"),
    Column("version", Integer, nullable=False, default=1),
)

companions = Table(
    "air_companions",
    metadata,
    _of("air_travellers.id", "owner", key=True),
    _number("n", key=True),
    _text("first"),
    _text("last"),
    _text("born"),
)

means = Table(
    "air_means",
    metadata,
    _of("air_travellers.id", "owner", key=True),
    _text("id", key=True),
    _number("n"),
    _text("kind"),
    _number("amount", nullable=True),
    Column("brand", String(64)),
    Column("last_four", String(4)),
)

bookings = Table(
    "air_bookings",
    metadata,
    _text("id", key=True),
    _of("air_travellers.id", "owner"),
    _number("n"),
    _text("origin"),
    _text("destination"),
    _text("trip"),
    _text("cabin"),
    _text("created"),
    _number("bags"),
    _number("paid_bags"),
    Column("insured", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False, default=False),
)

legs = Table(
    "air_legs",
    metadata,
    _of("air_bookings.id", "booking", key=True),
    _number("n", key=True),
    # No foreign key: an old booking may hold a flight that left the timetable.
    _text("flight"),
    _text("day"),
    _text("origin"),
    _text("destination"),
    _number("price"),
)

people = Table(
    "air_people",
    metadata,
    _of("air_bookings.id", "booking", key=True),
    _number("n", key=True),
    _text("first"),
    _text("last"),
    _text("born"),
)

payments = Table(
    "air_payments",
    metadata,
    _of("air_bookings.id", "booking", key=True),
    _number("n", key=True),
    _text("means"),
    _number("amount"),
)

effects = Table(
    "air_effects",
    metadata,
    _text("key", key=True),
    _of("air_travellers.id", "owner"),
    _text("tool"),
    _text("digest"),
    Column("facts", JSON, nullable=False),
)
