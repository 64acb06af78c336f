"""What is remembered of customers who allowed it."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    count = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "notes",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("consent", count, nullable=False),
        sa.Column("conversation", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("expires", moment, nullable=False),
        sa.ForeignKeyConstraint(["consent"], ["consents.id"]),
        sa.ForeignKeyConstraint(["conversation"], ["conversations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_notes_customer", "notes", ["customer_id"], unique=False)
    op.create_index("ix_notes_conversation", "notes", ["conversation"], unique=False)
    op.create_index("ix_notes_expires", "notes", ["expires"], unique=False)
