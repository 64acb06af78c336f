"""The tables of what imports remember.

kb_stamps      files as they were imported          kb_findings   flags, notes and signature of a document
kb_pages       addresses as they were fetched       kb_schedules  what is imported again by itself
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from knowledge.keeping.tables import Moment, metadata

stamps = Table(
    "kb_stamps",
    metadata,
    # The digest of origin and name: paths have no length that an index would take.
    Column("id", String(64), primary_key=True),
    Column("origin", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified_ns", BigInteger, nullable=False),
    Column("rules", String(64), nullable=False),
    Column("brought", Text, nullable=False),
    Index("kb_stamps_origin", "origin"),
)

findings = Table(
    "kb_findings",
    metadata,
    Column("document", String(200), primary_key=True),
    Column("notes", Text, nullable=False),
    Column("flags", Text, nullable=False),
    Column("flagged", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

pages = Table(
    "kb_pages",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("etag", Text, nullable=False),
    Column("modified", Text, nullable=False),
    Column("documents", Text, nullable=False),
)

schedules = Table(
    "kb_schedules",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("source", Text, nullable=False),
    Column("every", Integer, nullable=False),
    Column("last", Moment),
)
