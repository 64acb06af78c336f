"""The shop knows variants' options, saved ways to pay, what moved for an order, parcels, returns and exchanges."""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns, then fill them from what the shop held before."""
    _of_customers()
    _of_orders()
    _columns()
    _keys_of_customers()
    _products_of_items()
    _history_of_orders()


def _of_customers() -> None:
    op.create_table(
        "shop_homes",
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["owner"], ["shop_customers.id"], name=op.f("fk_shop_homes_owner")),
        sa.ForeignKeyConstraint(["address"], ["shop_addresses.id"], name=op.f("fk_shop_homes_address")),
        sa.PrimaryKeyConstraint("owner", name=op.f("pk_shop_homes")),
    )
    op.create_table(
        "shop_saved",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("brand", sa.String(length=64), nullable=False),
        sa.Column("masked", sa.String(length=16), nullable=False),
        sa.Column("balance", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["owner"], ["shop_customers.id"], name=op.f("fk_shop_saved_owner")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop_saved")),
    )
    op.create_index(op.f("ix_shop_saved_owner"), "shop_saved", ["owner"], unique=False)


def _of_orders() -> None:
    op.create_table(
        "shop_history",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("masked", sa.String(length=16), nullable=False),
        sa.Column("saved", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_history_order_id")),
        sa.ForeignKeyConstraint(["saved"], ["shop_saved.id"], name=op.f("fk_shop_history_saved")),
        sa.PrimaryKeyConstraint("order_id", "n", name=op.f("pk_shop_history")),
    )
    op.create_table(
        "shop_parcels",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tracking", sa.JSON(), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_parcels_order_id")),
        sa.PrimaryKeyConstraint("order_id", "n", name=op.f("pk_shop_parcels")),
    )
    op.create_table(
        "shop_requests",
        sa.Column("order_id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("codes", sa.JSON(), nullable=False),
        sa.Column("new_codes", sa.JSON(), nullable=False),
        sa.Column("saved", sa.String(length=64), nullable=True),
        sa.Column("difference", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["shop_orders.id"], name=op.f("fk_shop_requests_order_id")),
        sa.ForeignKeyConstraint(["saved"], ["shop_saved.id"], name=op.f("fk_shop_requests_saved")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_shop_requests")),
    )
    op.create_table(
        "shop_settings",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_shop_settings")),
    )


def _columns() -> None:
    def words(name: str, length: int) -> sa.Column[str]:
        return sa.Column(name, sa.String(length=length), nullable=False, server_default="")

    def options() -> sa.Column[object]:
        return sa.Column("options", sa.JSON(), nullable=False, server_default="{}")

    with op.batch_alter_table("shop_customers") as table:
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(words("email_key", 320))
        table.add_column(words("name_key", 200))
        table.create_index(table.f("ix_shop_customers_email_key"), ["email_key"], unique=False)
        table.create_index(table.f("ix_shop_customers_name_key"), ["name_key"], unique=False)
    with op.batch_alter_table("shop_addresses") as table:
        table.add_column(words("extra", 200))
        table.add_column(words("region", 120))
        table.add_column(words("country", 80))
    with op.batch_alter_table("shop_variants") as table:
        table.add_column(options())
        table.add_column(sa.Column("tracked", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("shop_items") as table:
        table.add_column(words("product", 32))
        table.add_column(options())
    with op.batch_alter_table("shop_orders") as table:
        table.alter_column("status", existing_type=sa.String(length=16), type_=sa.String(length=32))
        table.add_column(sa.Column("cancel_reason", sa.Text(), nullable=False, server_default=""))
    for name in ("shop_payments", "shop_refunds"):
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("saved", sa.String(length=64), nullable=True))
            table.create_foreign_key(table.f(f"fk_{name}_saved"), "shop_saved", ["saved"], ["id"])


def _keys_of_customers() -> None:
    people = sa.table(
        "shop_customers",
        *(sa.column(name, sa.String) for name in ("id", "name", "email", "name_key", "email_key")),
    )
    rows = op.get_bind().execute(sa.select(people.c.id, people.c.name, people.c.email)).all()
    for key, name, email in rows:
        keys = {"name_key": _folded(name), "email_key": _folded(email)}
        op.execute(people.update().where(people.c.id == key).values(**keys))


def _products_of_items() -> None:
    op.execute(
        "UPDATE shop_items SET product = COALESCE("
        "(SELECT product FROM shop_variants WHERE shop_variants.code = shop_items.code), '')"
    )


def _history_of_orders() -> None:
    op.execute(
        "INSERT INTO shop_history (order_id, n, kind, amount, method, masked, saved, at) "
        "SELECT order_id, 1, 'payment', amount, method, masked, NULL, at FROM shop_payments "
        "WHERE state <> 'due'"
    )
    op.execute(
        "INSERT INTO shop_history (order_id, n, kind, amount, method, masked, saved, at) "
        "SELECT order_id, 1 + ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY created, id), "
        "'refund', amount, method, masked, NULL, created FROM shop_refunds"
    )


def _folded(text: str) -> str:
    """As `tools.folding.folded` was when this step was written."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("й", "\0"))
    bare = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(bare.replace("\0", "й").split())
