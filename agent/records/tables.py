"""The tables of the agent's room. The transcript and the inbox are the truth; the rest is what was decided.

```
conversations 1 ─┬─ * inbox        accepted customer messages, unique by key, each in one turn
                 ├─ * messages     the transcript, numbered by seq
                 ├─ * turns        one outcome each, at most one open  ── * sentences
                 ├─ * events       what the customer's screen is told, numbered by n
                 ├─ * consents     append-only ledger
                 ├─ * proposals    writes that wait for the customer's own yes
                 ├─ * tickets      calls for a person
                 ├─ * charges      what calls of remote models cost
                 └─ * outbox       messages for channels other than the widget
staff 1 ── * staff_sessions        people of the company, and where they are signed in
staff_attempts                     failed sign-ins, by the digest of the login that was typed
audit                              what people did (append-only, hash-chained)
```
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from knowledge.keeping.tables import Moment

metadata = MetaData()

ID = String(64)
"""Ids are random, 128 bits or more, URL-safe."""
COUNT = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is exactly INTEGER."""

conversations = Table(
    "conversations",
    metadata,
    Column("id", ID, primary_key=True),
    Column("channel", String(32), nullable=False),
    Column("external_id", String(200)),
    Column("language", String(2), nullable=False),
    Column("holder", String(8), nullable=False),
    Column("customer_id", String(200)),
    Column("assurance", String(16), nullable=False),
    Column("disclosed", Boolean, nullable=False),
    Column("question", Text, nullable=False),
    Column("awaiting", String(64), nullable=False),
    Column("clarified", Boolean, nullable=False),
    # Identity by one-time code: what the next message may hold, the request that waits for it, when it came true.
    Column("proving", String(8), nullable=False, server_default=""),
    Column("parked", Text, nullable=False, server_default=""),
    Column("proved", Moment),
    Column("department", String(64), nullable=False),
    Column("operator", String(64), nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event", Integer, nullable=False),
    Column("lease_owner", String(64), nullable=False),
    Column("lease_until", Moment),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    UniqueConstraint("channel", "external_id", name="uq_conversations_external"),
    CheckConstraint("holder in ('ai', 'queued', 'person', 'closed')", name="ck_conversations_holder"),
    Index("ix_conversations_customer", "customer_id"),
    Index("ix_conversations_updated", "updated"),
)

inbox = Table(
    "inbox",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("key", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Column("action", JSON),
    Column("at", Moment, nullable=False),
    Column("turn", ID),
    UniqueConstraint("conversation", "key", name="uq_inbox_key"),
    Index("ix_inbox_turn", "turn"),
    Index(
        "ix_inbox_waiting",
        "conversation",
        sqlite_where=text("turn IS NULL"),
        postgresql_where=text("turn IS NULL"),
    ),
)

messages = Table(
    "messages",
    metadata,
    Column("conversation", ID, ForeignKey("conversations.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("author", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("turn", ID),
    Column("citations", JSON, nullable=False),
    Column("buttons", JSON, nullable=False),
    Column("name", String(100), nullable=False),
    Column("key", String(128)),
    Index("uq_messages_key", "conversation", "key", unique=True),
)

turns = Table(
    "turns",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("opened", Moment, nullable=False),
    Column("closed", Moment),
    Column("attempt", Integer, nullable=False, server_default=text("1")),
    Column("outcome", String(16)),
    Column("reason", String(32), nullable=False),
    Column("language", String(2), nullable=False),
    Column("confidence", Float),
    Column("model", String(100), nullable=False),
    Column("withheld", Boolean, nullable=False),
    Column("record", JSON),
    Index("ix_turns_conversation", "conversation"),
    Index("ix_turns_closed", "closed"),
    Index(
        "uq_turns_open",
        "conversation",
        unique=True,
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
)

sentences = Table(
    "sentences",
    metadata,
    Column("turn", ID, ForeignKey("turns.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("conversation", ID, ForeignKey("conversations.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("type", String(16), nullable=False),
    Column("data", JSON, nullable=False),
    Column("at", Moment, nullable=False),
)

consents = Table(
    "consents",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("customer_id", String(200)),
    Column("purpose", String(64), nullable=False),
    Column("granted", Boolean, nullable=False),
    Column("version", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("text_sha256", String(64), nullable=False),
    Column("language", String(2), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", String(200), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("turn", ID),
    Column("at", Moment, nullable=False),
    UniqueConstraint("turn", "purpose", name="uq_consents_turn"),
    Index("ix_consents_conversation", "conversation"),
    Index("ix_consents_customer", "customer_id"),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("turn", ID, nullable=False),
    Column("data", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("created", Moment, nullable=False),
    Column("closed", Moment),
    Index("ix_proposals_open", "conversation", "state"),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", ID, primary_key=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("turn", ID, nullable=False, unique=True),
    Column("reason", String(32), nullable=False),
    Column("department", String(64), nullable=False),
    Column("summary", Text, nullable=False),
    Column("rejected", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("state", String(16), nullable=False),
    Column("operator", String(64), nullable=False),
    Column("created", Moment, nullable=False),
    Column("claimed", Moment),
    Column("resolved", Moment),
    Index("ix_tickets_state", "state", "created"),
    Index("ix_tickets_conversation", "conversation"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("address", String(200), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("key", String(128), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fault", Text, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("at", Moment, nullable=False),
    Column("delivered", Moment),
    Index("ix_outbox_due", "channel", "state", "next_at"),
)

charges = Table(
    "charges",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("turn", ID, nullable=False),
    Column("day", Date, nullable=False),
    Column("model", String(200), nullable=False),
    Column("prompt", Integer, nullable=False),
    Column("completion", Integer, nullable=False),
    Column("usd", Float, nullable=False),
    Column("estimated", Boolean, nullable=False),
    Index("ix_charges_conversation", "conversation"),
    Index("ix_charges_day", "day"),
)

staff = Table(
    "staff",
    metadata,
    Column("login", String(64), primary_key=True),
    Column("name", String(100), nullable=False),
    Column("password", String(200), nullable=False),
    Column("roles", JSON, nullable=False),
    Column("department", String(64), nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("login", String(64), ForeignKey("staff.login"), nullable=False),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
    Index("ix_staff_sessions_login", "login"),
)

staff_attempts = Table(
    "staff_attempts",
    metadata,
    Column("login_hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("act", String(32), nullable=False),
    Column("target", String(200), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous", String(64), nullable=False, unique=True),
    Column("hash", String(64), nullable=False, unique=True),
)
