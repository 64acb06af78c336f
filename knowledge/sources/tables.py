"""The tables of what imports remember.

kb_stamps      files as they were imported          kb_findings   flags, notes and signature of a document
kb_pages       addresses as they were fetched       kb_schedules  what is imported again by itself
kb_imports     what people imported, and the report
"""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text, false

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
    Column("drafts", Boolean, nullable=False, server_default=false()),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("outcome", Text, nullable=False, server_default=""),
)

imports = Table(
    "kb_imports",
    metadata,
    Column("number", String(32), primary_key=True),
    Column("by", String(100), nullable=False),
    Column("drafts", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("began", Moment, nullable=False),
    Column("ended", Moment),
    # Names of files and addresses, as they were given.
    Column("wanted", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("rows", Text, nullable=False),
    Index("kb_imports_began", "began"),
)
