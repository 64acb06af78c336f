"""The ledger of consents says how sure we were of the customer, and what its rows prove cannot be changed."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

EVIDENCE = "purpose, granted, version, text_sha256, language, channel, at"
UPDATE = f"BEFORE UPDATE OF {EVIDENCE} ON consents"
SAID = "the ledger of consents is append-only"
WHO = "(SELECT assurance FROM conversations WHERE conversations.id = consents.conversation)"


def upgrade() -> None:
    """Add the column; rows that are there were written by whoever the conversation is with."""
    assurance: sa.Column[str] = sa.Column(
        "assurance", sa.String(length=16), nullable=False, server_default="anonymous"
    )
    op.add_column("consents", assurance)
    op.execute(f"UPDATE consents SET assurance = {WHO} WHERE customer_id IS NOT NULL")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER consents_stand {UPDATE} BEGIN SELECT RAISE(ABORT, '{SAID}'); END")
        return
    op.execute(
        "CREATE OR REPLACE FUNCTION consents_stand() RETURNS trigger AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAID}'; END; $$ LANGUAGE plpgsql"
    )
    op.execute(f"CREATE TRIGGER consents_stand {UPDATE} FOR EACH ROW EXECUTE FUNCTION consents_stand()")
