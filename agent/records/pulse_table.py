"""One row that is written to see whether anything can be."""

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from agent.records.tables import metadata

pulse = Table(
    "pulse",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("beats", BigInteger, nullable=False),
    Column("filler", Text, nullable=False),
)
