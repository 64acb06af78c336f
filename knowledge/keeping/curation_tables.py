"""The tables of curation: changes that wait for a decision, and gaps somebody works on.

kb_changes   a draft with what it would change, and who decided what with that in view
kb_gaps      questions without a good answer that somebody has taken up; what nobody took up is computed, not kept
"""

from sqlalchemy import JSON, Column, Index, Integer, String, Table, Text

from knowledge.keeping.tables import Moment, metadata

changes = Table(
    "kb_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Moment, nullable=False),
    Column("preview", JSON, nullable=False),
    Column("conflicts", JSON, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", Moment),
    Column("why", Text, nullable=False),
    Column("accepted", JSON, nullable=False),
    Index("kb_changes_document", "document", "id"),
)

gaps = Table(
    "kb_gaps",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("examples", JSON, nullable=False),
    Column("members", JSON, nullable=False),
    Column("draft", String(200), nullable=False),
    Column("document", String(200), nullable=False),
    Column("by", String(200), nullable=False),
    Column("drafted_at", Moment),
    Column("closed_at", Moment),
    Index("kb_gaps_status", "status"),
)
