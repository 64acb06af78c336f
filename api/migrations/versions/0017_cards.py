"""Cards beside messages: what a tool found, laid out for the eye."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; messages that are there have no cards."""
    cards: sa.Column[list[object]] = sa.Column("cards", sa.JSON(), nullable=False, server_default="[]")
    op.add_column("messages", cards)
