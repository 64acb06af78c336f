"""Stages between AI and people, the next event of each conversation, and a row for every transition."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; who waits or is waited on gets a next event at once, so that nobody is left behind."""
    moment = sa.DateTime(timezone=True)
    count = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    for column in (
        sa.Column("stage", sa.String(length=8), nullable=False, server_default="ai"),
        sa.Column("claims", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("since", moment),
        sa.Column("due", moment),
        sa.Column("assigned", sa.String(length=64), nullable=False, server_default=""),
        sa.Column("tried", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("passed", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("told", sa.String(length=8), nullable=False, server_default=""),
    ):
        op.add_column("conversations", column)
    op.execute("UPDATE conversations SET stage = holder, since = updated")
    # Claimed ones are taken for answered: nobody wrote down whether they were.
    op.execute("UPDATE conversations SET due = updated WHERE holder = 'queued'")
    op.create_index(
        "ix_conversations_due",
        "conversations",
        ["due"],
        unique=False,
        sqlite_where=sa.text("due IS NOT NULL"),
        postgresql_where=sa.text("due IS NOT NULL"),
    )
    op.add_column("turns", sa.Column("claims", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "handoffs",
        sa.Column("id", count, autoincrement=True, nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("before", sa.String(length=8), nullable=False),
        sa.Column("event", sa.String(length=16), nullable=False),
        sa.Column("after", sa.String(length=8), nullable=False),
        sa.Column("cause", sa.String(length=32), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=64), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_handoffs_conversation", "handoffs", ["conversation"], unique=False)
