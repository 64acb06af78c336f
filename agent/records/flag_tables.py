"""Answers of the AI that staff flagged."""

from sqlalchemy import JSON, Column, ForeignKey, Index, String, Table, Text, UniqueConstraint

from agent.records.tables import ID, metadata
from knowledge.keeping.tables import Moment

flags = Table(
    "flags",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("turn", ID, nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("wrong", JSON, nullable=False),
    Column("expected", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("decided_by", String(64), nullable=False),
    Column("decided_at", Moment),
    # Who flags an answer again corrects what they said of it.
    UniqueConstraint("turn", "by", name="uq_flags_turn"),
    Index("ix_flags_conversation", "conversation"),
    Index("ix_flags_at", "at"),
)
