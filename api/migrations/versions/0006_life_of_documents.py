"""Versions with a state and dates, a history of who did what and why, owners, twins that changed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, say where each version stands, and begin the history with what is known."""
    for name, kind in (
        ("twin_changed", sa.DateTime(timezone=True)),
        ("owner", sa.String(length=200)),
        ("origin", sa.Text()),
    ):
        op.add_column("kb_documents", sa.Column(name, kind, nullable=True))
    for name in ("effective_from", "effective_until", "superseded_from"):
        op.add_column("kb_versions", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    op.add_column("kb_versions", sa.Column("state", sa.String(length=16), nullable=True))
    op.add_column("kb_passages", sa.Column("version", sa.Integer(), nullable=True))
    _states()
    _passages()
    with op.batch_alter_table("kb_versions", schema=None) as batch_op:
        batch_op.alter_column("state", existing_type=sa.String(length=16), nullable=False)
    with op.batch_alter_table("kb_passages", schema=None) as batch_op:
        batch_op.alter_column("version", existing_type=sa.Integer(), nullable=False)
    _events()


def _states() -> None:
    """The version a document shows is published or retired with it; others were shown once, or never."""
    op.execute("UPDATE kb_versions SET state = CASE WHEN published THEN 'superseded' ELSE 'draft' END")
    op.execute(
        "UPDATE kb_versions SET state = (SELECT d.status FROM kb_documents d WHERE d.id = kb_versions.document) "
        "WHERE EXISTS (SELECT 1 FROM kb_documents d WHERE d.id = kb_versions.document "
        "AND d.version = kb_versions.version AND d.status IN ('published', 'retired'))"
    )
    # A draft older than the shown version was left behind.
    op.execute(
        "UPDATE kb_versions SET state = 'superseded' WHERE state = 'draft' AND version < "
        "(SELECT d.version FROM kb_documents d WHERE d.id = kb_versions.document)"
    )
    # A document can have been retired before anything of it was published.
    op.execute(
        "UPDATE kb_versions SET state = 'retired' WHERE state = 'draft' AND EXISTS "
        "(SELECT 1 FROM kb_documents d WHERE d.id = kb_versions.document AND d.status = 'retired' AND d.version = 0)"
    )


def _passages() -> None:
    """Tell passages their version; their ids name it from the second on, so that an id never changes its text."""
    op.execute(
        "UPDATE kb_passages SET version = (SELECT d.version FROM kb_documents d WHERE d.id = kb_passages.document)"
    )
    connection = op.get_bind()
    rows = connection.execute(sa.text("SELECT id, document, version, n FROM kb_passages ORDER BY id")).all()
    renamed = [
        {"old": id, "new": new}
        for id, document, version, n in rows
        if (new := _name(document, version, n)) != id
    ]
    # Two passes: a new name may be the old one of another document's passage.
    for source, target in (("old", "between"), ("between", "new")):
        for row in renamed:
            row |= {"between": f"@{row['new']}"}
            connection.execute(
                sa.text("UPDATE kb_passages SET id = :target WHERE id = :source"),
                {"source": row[source], "target": row[target]},
            )


def _name(document: str, version: int, n: int) -> str:
    head, _, tail = document.rpartition("@")
    numbered = bool(head or _) and tail.isdecimal()
    return f"{document}#{n}" if version == 1 and not numbered else f"{document}@{version}#{n}"


def _events() -> None:
    op.create_table(
        "kb_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("kb_events_document", "kb_events", ["document", "id"], unique=False)
    op.execute(
        'INSERT INTO kb_events (document, version, action, "by", "at", why, detail) '
        "SELECT document, version, CASE WHEN \"by\" = 'import' THEN 'imported' ELSE 'saved' END, \"by\", \"at\", '', "
        "'{}' FROM kb_versions ORDER BY \"at\", document, version"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION kb_events_kept() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'kb_events is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER kb_events_kept BEFORE UPDATE OR DELETE ON kb_events "
            "FOR EACH ROW EXECUTE FUNCTION kb_events_kept()"
        )
        return
    for verb in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER kb_events_{verb} BEFORE {verb} ON kb_events "
            "BEGIN SELECT RAISE(ABORT, 'kb_events is append-only'); END"
        )
