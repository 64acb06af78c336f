"""Answers that were suggested to people, and what became of them."""

from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from agent.records.tables import ID, metadata
from knowledge.keeping.tables import Moment

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    # The customer's message it answers, and the person's that was sent afterwards.
    Column("seq", Integer, nullable=False),
    Column("reply", Integer),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("sure", Boolean, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("distance", Float),
    Column("settled", Moment),
    Index("ix_suggestions_conversation", "conversation"),
    Index("ix_suggestions_at", "at"),
)
