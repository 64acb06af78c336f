"""What each person of the company answers, and where customers who wait can be reached."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, add the column; who is not in the table answers what their department does."""
    op.add_column("tickets", sa.Column("contact", sa.String(length=200), nullable=False, server_default=""))
    op.create_table(
        "desks",
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["login"], ["staff.login"]),
        sa.PrimaryKeyConstraint("login"),
    )
