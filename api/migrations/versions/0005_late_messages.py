"""Turns that begin again with a late message, and words of a person that are said once."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the number of the attempt that may write, and the key of a line."""
    op.add_column("turns", sa.Column("attempt", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.add_column("messages", sa.Column("key", sa.String(length=128), nullable=True))
    op.create_index("uq_messages_key", "messages", ["conversation", "key"], unique=True)
