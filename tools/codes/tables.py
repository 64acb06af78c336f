"""Codes that were sent and codes that were wrong. Neither a code nor a contact is kept: keyed hashes only.

```
assurance_codes      one row a code, by the turn that sent it; no customer where the contact is nobody's
assurance_failures   one row a wrong code, by the turn that tried it
```
"""

from sqlalchemy import Column, Index, String, Table

from tools.tables import Moment, metadata

codes = Table(
    "assurance_codes",
    metadata,
    Column("turn", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("customer", String(200)),
    Column("contact", String(64), nullable=False),
    Column("code", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Column("used", Moment),
    Column("used_in", String(64), nullable=False, default=""),
    Index("ix_assurance_codes_conversation", "conversation", "at"),
    Index("ix_assurance_codes_contact", "contact", "at"),
    Index("ix_assurance_codes_at", "at"),
)

failures = Table(
    "assurance_failures",
    metadata,
    Column("turn", String(64), primary_key=True),
    Column("conversation", String(64), nullable=False),
    Column("contact", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_assurance_failures_conversation", "conversation", "at"),
    Index("ix_assurance_failures_contact", "contact", "at"),
)
