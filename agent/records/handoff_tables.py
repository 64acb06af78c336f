"""How conversations went between the AI and people, one row a transition; what each of those people can take on, and
what they write to each other."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text

from agent.records.tables import COUNT, ID, metadata
from knowledge.keeping.tables import Moment

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("before", String(8), nullable=False),
    Column("event", String(16), nullable=False),
    Column("after", String(8), nullable=False),
    Column("cause", String(32), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("department", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_handoffs_conversation", "conversation"),
)

# What somebody answers where it is not what their department does.
desks = Table(
    "desks",
    metadata,
    Column("login", String(64), ForeignKey("staff.login"), primary_key=True),
    Column("languages", JSON, nullable=False),
    Column("capacity", Integer, nullable=False),
)

# What staff write to each other; `after` is the last message of the transcript when it was written.
staff_notes = Table(
    "staff_notes",
    metadata,
    Column("conversation", ID, ForeignKey("conversations.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("after", Integer, nullable=False),
    Column("author", String(64), nullable=False),
    Column("name", String(100), nullable=False),
    Column("text", Text, nullable=False),
    Column("key", String(128)),
    Column("at", Moment, nullable=False),
    Index("uq_staff_notes_key", "conversation", "key", unique=True),
)
