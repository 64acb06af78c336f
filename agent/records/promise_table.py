"""What customers were promised: by whom, in which words, until when, and what came of it."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from agent.records.tables import ID, metadata
from knowledge.keeping.tables import Moment

promises = Table(
    "promises",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    # The message that made it.
    Column("seq", Integer, nullable=False),
    Column("owner", String(16), nullable=False),
    Column("name", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("words", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("due", Moment, nullable=False),
    Column("exact", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("made", Moment, nullable=False),
    Column("late", Moment),
    Column("ended", Moment),
    Column("end", String(16), nullable=False),
    Column("told", String(8), nullable=False),
    Column("renews", ID, nullable=False),
    Column("actor", String(64), nullable=False),
    Index("ix_promises_conversation", "conversation"),
    Index("ix_promises_due", "state", "told", "due"),
)
