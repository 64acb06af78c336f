"""The tables of the agent's room. The transcript and the inbox are the truth; the rest is what was decided.

```
conversations 1 ─┬─ * inbox        accepted customer messages, unique by key, each in one turn
                 ├─ * messages     the transcript, numbered by seq
                 ├─ * turns        one outcome each, at most one open  ── * sentences
                 ├─ * events       what the customer's screen is told, numbered by n
                 ├─ * consents     append-only ledger
                 ├─ * proposals    writes that wait for the customer's own yes
                 ├─ * tickets      calls for a person
                 ├─ * handoffs     how it went between AI and people, and why
                 ├─ * staff_notes  what people of the company write to each other; read by them alone
                 ├─ * charges      what calls of remote models cost
                 ├─ * notes        what is remembered of its customer, while the consent lives
                 ├─ * outbox       messages for channels other than the widget
                 └─ * hooks        what systems of the company are told, numbered by n for each of them
audit                              what was done about whom (append-only, chained); audit_keys, audit_head: see `audit.py`
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
    event,
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
    # Who may speak follows from the stage (`agent.handoff.OWNER`); `claims` counts how often a person came.
    Column("holder", String(8), nullable=False),
    Column("stage", String(8), nullable=False, server_default="ai"),
    Column("claims", Integer, nullable=False, server_default="0"),
    # Since when it is there, and the moment of its next event by the clock: always set in the queue.
    Column("since", Moment),
    Column("due", Moment),
    # Whom the queue chose; who was chosen in vain; departments it has left; what the customer was told of waiting.
    Column("assigned", String(64), nullable=False, server_default=""),
    Column("tried", JSON, nullable=False, server_default="[]"),
    Column("passed", JSON, nullable=False, server_default="[]"),
    Column("told", String(8), nullable=False, server_default=""),
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
    # How many events each webhook was given of this conversation, by its name.
    Column("hooked", JSON, nullable=False, server_default="{}"),
    Column("lease_owner", String(64), nullable=False),
    Column("lease_until", Moment),
    Column("created", Moment, nullable=False),
    Column("updated", Moment, nullable=False),
    UniqueConstraint("channel", "external_id", name="uq_conversations_external"),
    CheckConstraint("holder in ('ai', 'queued', 'person', 'closed')", name="ck_conversations_holder"),
    Index("ix_conversations_customer", "customer_id"),
    Index("ix_conversations_updated", "updated"),
    Index(
        "ix_conversations_due",
        "due",
        sqlite_where=text("due IS NOT NULL"),
        postgresql_where=text("due IS NOT NULL"),
    ),
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
    Column("cards", JSON, nullable=False, server_default="[]"),
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
    # How often a person had come when it began: one that comes later makes its words late.
    Column("claims", Integer, nullable=False, server_default="0"),
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
    # How sure we were of the customer when it was written.
    Column("assurance", String(16), nullable=False, server_default="anonymous"),
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
    Column("contact", String(200), nullable=False, server_default=""),
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

hooks = Table(
    "hooks",
    metadata,
    Column("id", COUNT, primary_key=True, autoincrement=True),
    Column("webhook", String(32), nullable=False),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("n", Integer, nullable=False),
    Column("event", ID, nullable=False),
    Column("type", String(32), nullable=False),
    Column("data", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fault", Text, nullable=False),
    Column("next_at", Moment, nullable=False),
    Column("at", Moment, nullable=False),
    Column("since", Moment, nullable=False),
    Column("ended", Moment),
    UniqueConstraint("webhook", "conversation", "n", name="uq_hooks_n"),
    UniqueConstraint("webhook", "event", name="uq_hooks_event"),
    Index("ix_hooks_conversation", "conversation"),
    Index("ix_hooks_ended", "webhook", "state", "ended"),
    Index(
        "ix_hooks_under_way",
        "webhook",
        "conversation",
        "n",
        sqlite_where=text("ended IS NULL"),
        postgresql_where=text("ended IS NULL"),
    ),
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

notes = Table(
    "notes",
    metadata,
    Column("id", ID, primary_key=True),
    Column("customer_id", String(200), nullable=False),
    # Place among those of the same turn.
    Column("n", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("language", String(2), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("consent", COUNT, ForeignKey("consents.id"), nullable=False),
    Column("conversation", ID, ForeignKey("conversations.id"), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("at", Moment, nullable=False),
    Column("expires", Moment, nullable=False),
    Index("ix_notes_customer", "customer_id"),
    Index("ix_notes_conversation", "conversation"),
    Index("ix_notes_expires", "expires"),
)

# Lines are never changed but for an erasure, which empties everything beside the chain and takes the key.
audit = Table(
    "audit",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("mac", String(64), nullable=False),
    Column("link", String(64), nullable=False),
    Column("about", String(220)),
    Column("at", Moment),
    Column("actor", String(64)),
    Column("act", String(32)),
    Column("target", String(200)),
    Column("detail", JSON(none_as_null=True)),
    Index("ix_audit_about", "about"),
    Index("ix_audit_act", "act"),
)

audit_keys = Table(
    "audit_keys",
    metadata,
    Column("about", String(220), primary_key=True),
    Column("key", String(64), nullable=False),
    Column("created", Moment, nullable=False),
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("link", String(64), nullable=False),
)
# There is always exactly one row: whoever adds a line locks it.
event.listen(
    audit_head,
    "after_create",
    lambda table, connection, **how: connection.execute(table.insert(), {"n": 0, "link": ""}),
)
