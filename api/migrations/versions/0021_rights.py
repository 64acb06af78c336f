"""Who is to be forgotten, evidence of their consents, restrictions and corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the tables of customers' rights."""
    _erasures()
    _evidence()
    for table, columns in (
        (
            "restrictions",
            (sa.Column("since", MOMENT, nullable=False), sa.Column("why", sa.Text(), nullable=False)),
        ),
        (
            "corrections",
            (sa.Column("at", MOMENT, nullable=False), sa.Column("note", sa.Text(), nullable=False)),
        ),
    ):
        op.create_table(
            table,
            sa.Column("id", COUNT, autoincrement=True, nullable=False),
            sa.Column("customer_id", sa.String(200)),
            sa.Column("conversation", sa.String(64)),
            sa.Column("by", sa.String(64), nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("id"),
        )
        op.create_index(f"ix_{table}_customer", table, ["customer_id"])
        op.create_index(f"ix_{table}_conversation", table, ["conversation"])


def _erasures() -> None:
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("customer_id", sa.String(200)),
        sa.Column("conversation", sa.String(64)),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked", MOMENT, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("done", MOMENT),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("kept", sa.JSON(), nullable=False),
        sa.Column("proof", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_erasures_state", "erasures", ["state"])


def _evidence() -> None:
    op.create_table(
        "consent_evidence",
        sa.Column("id", COUNT, autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(64), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("erased", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_consent_evidence_subject", "consent_evidence", ["subject"])
