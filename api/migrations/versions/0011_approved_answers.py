"""Documents whose answers may be given without a model."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark; nothing that is there bears it."""
    mark: sa.Column[bool] = sa.Column("approved", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("kb_documents", mark)
