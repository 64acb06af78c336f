"""Staff who sign in at the company's provider."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "staff_identities",
        sa.Column("issuer", sa.String(length=200), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("login", sa.String(length=64), nullable=False),
        sa.Column("managed", sa.Boolean(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.ForeignKeyConstraint(["login"], ["staff.login"]),
        sa.PrimaryKeyConstraint("issuer", "subject"),
        sa.UniqueConstraint("login", name="uq_staff_identities_login"),
    )
    op.create_table(
        "staff_sign_ons",
        sa.Column("browser_hash", sa.String(length=64), nullable=False),
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("next", sa.String(length=300), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.PrimaryKeyConstraint("browser_hash"),
    )
