"""What systems of the company are told of conversations, and how much each was told."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the outbox of webhooks and the numbers of their events."""
    count = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "hooks",
        sa.Column("id", count, autoincrement=True, nullable=False),
        sa.Column("webhook", sa.String(length=32), nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("next_at", moment, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("since", moment, nullable=False),
        sa.Column("ended", moment, nullable=True),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("webhook", "conversation", "n", name="uq_hooks_n"),
        sa.UniqueConstraint("webhook", "event", name="uq_hooks_event"),
    )
    op.create_index("ix_hooks_conversation", "hooks", ["conversation"], unique=False)
    op.create_index("ix_hooks_ended", "hooks", ["webhook", "state", "ended"], unique=False)
    waiting = sa.text("ended IS NULL")
    op.create_index(
        "ix_hooks_under_way",
        "hooks",
        ["webhook", "conversation", "n"],
        unique=False,
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    hooked: sa.Column[object] = sa.Column("hooked", sa.JSON(), nullable=False, server_default="{}")
    op.add_column("conversations", hooked)
