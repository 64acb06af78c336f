"""How conversations went between the AI and people, one row a transition; and what each of those people can take on."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table

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
