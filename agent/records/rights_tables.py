"""The tables of customers' rights.

```
erasures           who asked to be forgotten, until it is done; afterwards what was erased, and nobody's id
consent_evidence   consents of the forgotten, under a pseudonym: that they were given can be shown, by whom cannot be read
forgotten          who was forgotten and when, under a pseudonym: a backup of before is made to forget them again
restrictions       customers and conversations that no program may process
corrections        what a customer says is wrong about them
```
"""

from sqlalchemy import JSON, Boolean, Column, Index, String, Table, Text

from agent.records.tables import COUNT, ID, metadata
from knowledge.keeping.tables import Moment

erasures = Table(
    "erasures",
    metadata,
    Column("id", ID, primary_key=True),
    # Emptied when it is done.
    Column("customer_id", String(200)),
    Column("conversation", String(64)),
    # Whether the shop's rows go although orders are under way.
    Column("whole", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    Column("asked", Moment, nullable=False),
    # When the state last changed.
    Column("since", Moment, nullable=False),
    Column("done", Moment),
    Column("counts", JSON, nullable=False),
    Column("kept", JSON, nullable=False),
    Column("proof", String(64), nullable=False),
    Index("ix_erasures_state", "state"),
)

consent_evidence = Table(
    "consent_evidence",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("subject", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("version", String(64), nullable=False),
    Column("text_sha256", String(64), nullable=False),
    Column("language", String(2), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("at", Moment, nullable=False),
    Column("erased", Moment, nullable=False),
    Index("ix_consent_evidence_subject", "subject"),
)

forgotten = Table(
    "forgotten",
    metadata,
    Column("subject", String(64), primary_key=True),
    # Whether the shop's rows went although orders were under way.
    Column("whole", Boolean, nullable=False),
    Column("at", Moment, nullable=False),
)

restrictions = Table(
    "restrictions",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("customer_id", String(200)),
    Column("conversation", String(64)),
    Column("since", Moment, nullable=False),
    Column("by", String(64), nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_restrictions_customer", "customer_id"),
    Index("ix_restrictions_conversation", "conversation"),
)

corrections = Table(
    "corrections",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("customer_id", String(200)),
    Column("conversation", String(64)),
    Column("note", Text, nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Index("ix_corrections_customer", "customer_id"),
    Index("ix_corrections_conversation", "conversation"),
)
