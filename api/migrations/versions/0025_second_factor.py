"""A second factor of staff, and where and how each of their sessions began."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ADDED = (("stage", 8, "whole"), ("means", 8, "local"), ("address", 64, ""), ("agent", 200, ""))


def upgrade() -> None:
    """Create both tables; sessions that are open stay open."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "staff_factors",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.String(length=200), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("confirmed", moment, nullable=True),
        sa.ForeignKeyConstraint(["login"], ["staff.login"]),
        sa.PrimaryKeyConstraint("login"),
    )
    op.create_table(
        "staff_recovery",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["staff.login"]),
        sa.PrimaryKeyConstraint("login", "code_hash"),
    )
    for name, size, filled in ADDED:
        column = sa.Column(name, sa.String(length=size), nullable=False, server_default=filled)
        op.add_column("staff_sessions", column)
