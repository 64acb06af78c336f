"""The tables of the people of the company, and of what proves who they are.

```
staff 1 ─┬─ * staff_sessions       where they are signed in
         ├─ 0..1 staff_factors     the secret of their second factor, sealed
         ├─ * staff_recovery       codes for whoever lost it, by digest
         └─ 0..1 staff_identities  who they are at the company's provider
staff_attempts                     failed sign-ins, by the digest of the login that was typed
staff_sign_ons                     sign-ins under way there, by the digest of the browser's cookie
```
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from agent.records.tables import metadata
from knowledge.keeping.tables import Moment

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
    # `code`: the password was right and a code is awaited; `whole`: signed in.
    Column("stage", String(8), nullable=False, server_default="whole"),
    Column("means", String(8), nullable=False, server_default="local"),
    Column("address", String(64), nullable=False, server_default=""),
    Column("agent", String(200), nullable=False, server_default=""),
    Index("ix_staff_sessions_login", "login"),
)

staff_attempts = Table(
    "staff_attempts",
    metadata,
    Column("login_hash", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last", Moment, nullable=False),
)

staff_factors = Table(
    "staff_factors",
    metadata,
    Column("login", String(64), ForeignKey("staff.login"), primary_key=True),
    Column("sealed", String(200), nullable=False),
    # The last step of time whose code was taken; none is taken twice.
    Column("step", BigInteger, nullable=False),
    Column("created", Moment, nullable=False),
    Column("confirmed", Moment),
)

staff_recovery = Table(
    "staff_recovery",
    metadata,
    Column("login", String(64), ForeignKey("staff.login"), primary_key=True),
    Column("code_hash", String(64), primary_key=True),
)

staff_identities = Table(
    "staff_identities",
    metadata,
    Column("issuer", String(200), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("login", String(64), ForeignKey("staff.login"), nullable=False),
    # Whether the provider's claim gives the roles, and not the account.
    Column("managed", Boolean, nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("login", name="uq_staff_identities_login"),
)

staff_sign_ons = Table(
    "staff_sign_ons",
    metadata,
    Column("browser_hash", String(64), primary_key=True),
    Column("state_hash", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("verifier", String(128), nullable=False),
    Column("next", String(300), nullable=False),
    Column("created", Moment, nullable=False),
)
