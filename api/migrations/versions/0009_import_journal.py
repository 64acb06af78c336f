"""What people imported and what came of it; sources that pause, wait as drafts, and tell how their last import went."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the journal, and three columns to the schedules."""
    op.create_table(
        "kb_imports",
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column("drafts", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("began", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted", sa.Text(), nullable=False),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("kb_imports_began", "kb_imports", ["began"], unique=False)
    for name in ("drafts", "paused"):
        op.add_column(
            "kb_schedules", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    op.add_column("kb_schedules", sa.Column("outcome", sa.Text(), server_default="", nullable=False))
