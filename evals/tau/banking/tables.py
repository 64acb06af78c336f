"""The bank's tables: prefix `bank_`. Its core is a ledger of loose records, each with an owner."""

from sqlalchemy import JSON, Column, Index, Integer, MetaData, String, Table

metadata = MetaData()

records = Table(
    "bank_records",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("id", String(200), primary_key=True),
    # Nobody's records are the bank's own settings and the journal of a conversation.
    Column("owner", String(64)),
    Column("n", Integer, nullable=False),
    Column("body", JSON, nullable=False),
)
Index("ix_bank_records_owner", records.c.owner, records.c.n)

owners = Table(
    "bank_owners",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False, default=1),
)

effects = Table(
    "bank_effects",
    metadata,
    Column("key", String(128), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("facts", JSON, nullable=False),
)

notes = Table(
    "bank_notes",
    metadata,
    Column("place", String(64), primary_key=True),
    Column("n", Integer, nullable=False),
    Column("text", String, nullable=False),
)
"""What the official database says about each of its tables."""
