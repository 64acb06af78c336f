"""The embedded shop's tables."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them, those that others point to first."""
    _customers()
    _methods()
    _products()
    _addresses()
    _effects()
    _reviews()
    _variants()
    _orders()
    _events()
    _fulfilments()
    _items()
    _payments()
    _refunds()


def _customers() -> None:
    op.create_table(
        "shop_customers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("level_ru", sa.String(length=64), nullable=False),
        sa.Column("level_en", sa.String(length=64), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_customers")),
        sa.UniqueConstraint("login", name=op.f("uq_shop_customers_login")),
    )


def _methods() -> None:
    op.create_table(
        "shop_methods",
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("days_min", sa.Integer(), nullable=False),
        sa.Column("days_max", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("method", name=op.f("pk_shop_methods")),
    )


def _products() -> None:
    op.create_table(
        "shop_products",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("category", sa.String(length=64), nullable=False),
        sa.Column("title_ru", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("category_ru", sa.String(length=120), nullable=False),
        sa.Column("category_en", sa.String(length=120), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_shop_products")),
    )
    with op.batch_alter_table("shop_products", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_products_category"), ["category"], unique=False)


def _addresses() -> None:
    op.create_table(
        "shop_addresses",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("line", sa.String(length=400), nullable=False),
        sa.Column("city", sa.String(length=120), nullable=False),
        sa.Column("postcode", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["shop_customers.id"], name=op.f("fk_shop_addresses_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_addresses")),
    )
    with op.batch_alter_table("shop_addresses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_addresses_owner"), ["owner"], unique=False)


def _effects() -> None:
    op.create_table(
        "shop_effects",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("proposal", sa.String(length=64), nullable=False),
        sa.Column("tool", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["shop_customers.id"], name=op.f("fk_shop_effects_owner")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_shop_effects")),
    )
    with op.batch_alter_table("shop_effects", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_effects_owner"), ["owner"], unique=False)


def _reviews() -> None:
    op.create_table(
        "shop_reviews",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("author", sa.String(length=120), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["product"], ["shop_products.code"], name=op.f("fk_shop_reviews_product")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_reviews")),
    )
    with op.batch_alter_table("shop_reviews", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_reviews_product"), ["product"], unique=False)


def _variants() -> None:
    op.create_table(
        "shop_variants",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("title_ru", sa.String(length=120), nullable=False),
        sa.Column("title_en", sa.String(length=120), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.Column("stock", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["product"], ["shop_products.code"], name=op.f("fk_shop_variants_product")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_shop_variants")),
    )
    with op.batch_alter_table("shop_variants", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_variants_product"), ["product"], unique=False)


def _orders() -> None:
    op.create_table(
        "shop_orders",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("placed", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("delivery_price", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["address"], ["shop_addresses.id"], name=op.f("fk_shop_orders_address")),
        sa.ForeignKeyConstraint(["owner"], ["shop_customers.id"], name=op.f("fk_shop_orders_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_orders")),
    )
    with op.batch_alter_table("shop_orders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_shop_orders_owner_active_placed"), ["owner", "active", "placed"], unique=False
        )


def _events() -> None:
    op.create_table(
        "shop_events",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_events_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_events")),
    )
    with op.batch_alter_table("shop_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_events_order_id"), ["order_id"], unique=False)


def _fulfilments() -> None:
    op.create_table(
        "shop_fulfilments",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("carrier", sa.String(length=120), nullable=False),
        sa.Column("tracking", sa.String(length=64), nullable=True),
        sa.Column("shipped", sa.DateTime(timezone=True), nullable=True),
        sa.Column("eta", sa.Date(), nullable=True),
        sa.Column("delivered", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_fulfilments_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_shop_fulfilments")),
    )


def _items() -> None:
    op.create_table(
        "shop_items",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("title_ru", sa.String(length=200), nullable=False),
        sa.Column("title_en", sa.String(length=200), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_items_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_items")),
    )
    with op.batch_alter_table("shop_items", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_items_order_id"), ["order_id"], unique=False)


def _payments() -> None:
    op.create_table(
        "shop_payments",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("masked", sa.String(length=16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_payments_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_shop_payments")),
    )


def _refunds() -> None:
    op.create_table(
        "shop_refunds",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("masked", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days_min", sa.Integer(), nullable=False),
        sa.Column("days_max", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_refunds_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_refunds")),
    )
    with op.batch_alter_table("shop_refunds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shop_refunds_order_id"), ["order_id"], unique=False)
