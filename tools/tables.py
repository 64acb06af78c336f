"""The embedded shop's tables, prefix `shop_`, and what we meant to do in other systems, `tool_intents`.

Amounts are in kopecks, moments in UTC.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.types import TypeDecorator

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[datetime]):
    """An aware datetime kept in UTC; SQLite forgets the zone, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _id(length: int = 64) -> Column[str]:
    return Column("id", String(length), primary_key=True)


customers = Table(
    "shop_customers",
    metadata,
    _id(),
    Column("login", String(64), unique=True),
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False),
    Column("phone", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    Column("city", String(120), nullable=False),
    Column("level_ru", String(64), nullable=False),
    Column("level_en", String(64), nullable=False),
    Column("points", Integer, nullable=False, default=0),
    Column("version", Integer, nullable=False, default=1),
    # What a customer is found by: folded (`tools.folding`), a phone as it is dialled (`tools.contacts`).
    Column("email_key", String(320), nullable=False, default="", index=True),
    Column("name_key", String(200), nullable=False, default="", index=True),
    Column("phone_key", String(32), nullable=False, default="", index=True),
)

addresses = Table(
    "shop_addresses",
    metadata,
    _id(),
    Column("owner", ForeignKey("shop_customers.id"), nullable=False, index=True),
    Column("line", String(400), nullable=False),
    Column("city", String(120), nullable=False, default=""),
    Column("postcode", String(16), nullable=False, default=""),
    Column("extra", String(200), nullable=False, default=""),
    Column("region", String(120), nullable=False, default=""),
    Column("country", String(80), nullable=False, default=""),
)

homes = Table(
    "shop_homes",
    metadata,
    Column("owner", ForeignKey("shop_customers.id"), primary_key=True),
    Column("address", ForeignKey("shop_addresses.id"), nullable=False),
)

saved = Table(
    "shop_saved",
    metadata,
    _id(),
    Column("owner", ForeignKey("shop_customers.id"), nullable=False, index=True),
    Column("method", String(16), nullable=False),
    Column("brand", String(64), nullable=False, default=""),
    Column("masked", String(16), nullable=False, default=""),
    # Of gift cards only.
    Column("balance", Integer),
)

products = Table(
    "shop_products",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("category", String(64), nullable=False, index=True),
    Column("title_ru", String(200), nullable=False),
    Column("title_en", String(200), nullable=False),
    Column("category_ru", String(120), nullable=False),
    Column("category_en", String(120), nullable=False),
    Column("attributes", JSON, nullable=False),
    # The product's words as stems between spaces: candidates are found by LIKE, ranked outside SQL.
    Column("words", Text, nullable=False),
)

variants = Table(
    "shop_variants",
    metadata,
    Column("code", String(32), primary_key=True),
    Column("product", ForeignKey("shop_products.code"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("title_ru", String(120), nullable=False),
    Column("title_en", String(120), nullable=False),
    Column("price", Integer, nullable=False),
    Column("stock", Integer, nullable=False),
    Column("options", JSON, nullable=False, default=dict),
    Column("tracked", Boolean, nullable=False, default=True),
)

reviews = Table(
    "shop_reviews",
    metadata,
    _id(),
    Column("product", ForeignKey("shop_products.code"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    Column("rating", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("author", String(120), nullable=False),
    Column("day", Date, nullable=False),
)

orders = Table(
    "shop_orders",
    metadata,
    _id(32),
    Column("owner", ForeignKey("shop_customers.id"), nullable=False),
    Column("status", String(32), nullable=False),
    Column("active", Integer, nullable=False),
    Column("placed", Moment, nullable=False),
    Column("version", Integer, nullable=False, default=1),
    Column("delivery_price", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("address", ForeignKey("shop_addresses.id"), nullable=False),
    Column("cancel_reason", Text, nullable=False, default=""),
)
Index(None, orders.c.owner, orders.c.active, orders.c.placed)

items = Table(
    "shop_items",
    metadata,
    _id(),
    Column("order_id", ForeignKey("shop_orders.id"), nullable=False, index=True),
    Column("n", Integer, nullable=False),
    # No foreign key: an old order may hold a product that left the catalogue.
    Column("code", String(32), nullable=False),
    Column("title_ru", String(200), nullable=False),
    Column("title_en", String(200), nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("price", Integer, nullable=False),
    Column("product", String(32), nullable=False, default=""),
    Column("options", JSON, nullable=False, default=dict),
)

payments = Table(
    "shop_payments",
    metadata,
    Column("order_id", ForeignKey("shop_orders.id"), primary_key=True),
    Column("method", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("masked", String(16), nullable=False, default=""),
    Column("at", Moment),
    Column("saved", ForeignKey("shop_saved.id")),
)

history = Table(
    "shop_history",
    metadata,
    Column("order_id", ForeignKey("shop_orders.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(16), nullable=False),
    Column("amount", Integer, nullable=False),
    Column("method", String(16), nullable=False),
    Column("masked", String(16), nullable=False, default=""),
    Column("saved", ForeignKey("shop_saved.id")),
    Column("at", Moment),
)

methods = Table(
    "shop_methods",
    metadata,
    Column("method", String(16), primary_key=True),
    Column("days_min", Integer, nullable=False),
    Column("days_max", Integer, nullable=False),
)

refunds = Table(
    "shop_refunds",
    metadata,
    _id(),
    Column("order_id", ForeignKey("shop_orders.id"), nullable=False, index=True),
    Column("amount", Integer, nullable=False),
    Column("method", String(16), nullable=False),
    Column("masked", String(16), nullable=False, default=""),
    Column("state", String(16), nullable=False),
    Column("created", Moment, nullable=False),
    Column("days_min", Integer, nullable=False),
    Column("days_max", Integer, nullable=False),
    Column("saved", ForeignKey("shop_saved.id")),
)

settings = Table(
    "shop_settings",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Integer, nullable=False),
)

fulfilments = Table(
    "shop_fulfilments",
    metadata,
    Column("order_id", ForeignKey("shop_orders.id"), primary_key=True),
    Column("method", String(16), nullable=False),
    Column("carrier", String(120), nullable=False),
    Column("tracking", String(64)),
    Column("shipped", Moment),
    Column("eta", Date),
    Column("delivered", Moment),
)

parcels = Table(
    "shop_parcels",
    metadata,
    Column("order_id", ForeignKey("shop_orders.id"), primary_key=True),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("tracking", JSON, nullable=False),
    Column("codes", JSON, nullable=False),
)

# What a customer asked to return or to exchange: one of the two, once for an order.
requests = Table(
    "shop_requests",
    metadata,
    Column("order_id", ForeignKey("shop_orders.id"), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("codes", JSON, nullable=False),
    Column("new_codes", JSON, nullable=False),
    Column("saved", ForeignKey("shop_saved.id")),
    Column("difference", Integer, nullable=False, default=0),
    Column("at", Moment, nullable=False),
)

events = Table(
    "shop_events",
    metadata,
    _id(),
    Column("order_id", ForeignKey("shop_orders.id"), nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("note", Text, nullable=False, default=""),
)

effects = Table(
    "shop_effects",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("proposal", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("owner", ForeignKey("shop_customers.id"), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)

intents = Table(
    "tool_intents",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("system", String(32), nullable=False),
    # One write of ours for each version of a thing: the second of two at once finds the place taken.
    Column("thing", String(200), nullable=False, unique=True),
    Column("proposal", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    # No foreign key: the customer is the other system's.
    Column("owner", String(200), nullable=False, index=True),
    Column("digest", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("begun", Moment, nullable=False),
    Column("done", Moment),
)


async def create_tables(engine: AsyncEngine) -> None:
    """Create the tables that are absent; for tests and scratch shops, an installation migrates instead."""
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
