"""One-time codes: those sent, those that were wrong, customers found by phone, and conversations that prove who it is."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add tables and columns; phones that are known are written down as they are dialled."""
    _tables()
    _conversations()
    _phones()


def _tables() -> None:
    text, moment = sa.String(length=64), sa.DateTime(timezone=True)
    op.create_table(
        "assurance_codes",
        sa.Column("turn", text, nullable=False),
        sa.Column("conversation", text, nullable=False),
        sa.Column("customer", sa.String(length=200), nullable=True),
        sa.Column("contact", text, nullable=False),
        sa.Column("code", text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("expires", moment, nullable=False),
        sa.Column("used", moment, nullable=True),
        sa.Column("used_in", text, nullable=False),
        sa.PrimaryKeyConstraint("turn", name=op.f("pk_assurance_codes")),
    )
    op.create_table(
        "assurance_failures",
        sa.Column("turn", text, nullable=False),
        sa.Column("conversation", text, nullable=False),
        sa.Column("contact", text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.PrimaryKeyConstraint("turn", name=op.f("pk_assurance_failures")),
    )
    for table in ("assurance_codes", "assurance_failures"):
        for column in ("conversation", "contact"):
            op.create_index(f"ix_{table}_{column}", table, [column, "at"], unique=False)
    op.create_index("ix_assurance_codes_at", "assurance_codes", ["at"], unique=False)


def _conversations() -> None:
    proving: sa.Column[str] = sa.Column("proving", sa.String(length=8), nullable=False, server_default="")
    op.add_column("conversations", proving)
    op.add_column("conversations", sa.Column("parked", sa.Text(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("proved", sa.DateTime(timezone=True), nullable=True))


def _phones() -> None:
    key: sa.Column[str] = sa.Column("phone_key", sa.String(length=32), nullable=False, server_default="")
    op.add_column("shop_customers", key)
    op.create_index(op.f("ix_shop_customers_phone_key"), "shop_customers", ["phone_key"], unique=False)
    people = sa.table(
        "shop_customers", *(sa.column(name, sa.String) for name in ("id", "phone", "phone_key"))
    )
    rows = op.get_bind().execute(sa.select(people.c.id, people.c.phone)).all()
    for id, phone in rows:
        op.execute(people.update().where(people.c.id == id).values(phone_key=_dialled(phone)))


def _dialled(phone: str) -> str:
    digits = "".join(c for c in phone if c in "0123456789")[:32]
    return f"7{digits[1:]}" if len(digits) == 11 and digits[0] == "8" else digits
