"""The audit's chain holds macs under a key of each subject, and fields beside them that can be erased."""

import hashlib
import hmac
import json
import secrets
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

BATCH = 1000
OF_CONVERSATIONS = ("claim", "reply", "return", "close", "read")
"""Acts whose target is a conversation."""


def upgrade() -> None:
    """Bring every line into the new chain, and write down where the old one ended and whether it held."""
    connection = op.get_bind()
    old = _old(connection)
    whose = {
        row.id: row.customer_id
        for row in connection.execute(sa.text("SELECT id, customer_id FROM conversations"))
    }
    op.drop_table("audit")
    lines, keys, heads = _tables()
    written = _Written(whose)
    written.take(old)
    if old:
        written.told(old)
    for rows, table in ((written.keys(), keys), (written.lines, lines)):
        for at in range(0, len(rows), BATCH):
            connection.execute(table.insert(), rows[at : at + BATCH])
    connection.execute(heads.insert(), {"n": len(written.lines), "link": written.link})


def _tables() -> tuple[sa.Table, sa.Table, sa.Table]:
    moment = sa.DateTime(timezone=True)
    lines = op.create_table(
        "audit",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("mac", sa.String(length=64), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.Column("about", sa.String(length=220), nullable=True),
        sa.Column("at", moment, nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("act", sa.String(length=32), nullable=True),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("n"),
    )
    op.create_index("ix_audit_about", "audit", ["about"], unique=False)
    op.create_index("ix_audit_act", "audit", ["act"], unique=False)
    keys = op.create_table(
        "audit_keys",
        sa.Column("about", sa.String(length=220), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.PrimaryKeyConstraint("about"),
    )
    heads = op.create_table(
        "audit_head",
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n"),
    )
    return lines, keys, heads


def _old(connection: sa.Connection) -> list[Any]:
    table = sa.table(
        "audit",
        *(sa.column(name) for name in ("id", "actor", "act", "target", "previous", "hash")),
        sa.column("at", sa.DateTime(timezone=True)),
        sa.column("detail", sa.JSON()),
    )
    return list(connection.execute(sa.select(table).order_by(table.c.id)))


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _first_fault(old: list[Any]) -> int | None:
    """Return the id of the first old line that does not hold, None where all do."""
    previous = ""
    for row in old:
        kept = [_aware(row.at).isoformat(), row.actor, row.act, row.target, row.detail]
        line = json.dumps(kept, ensure_ascii=False, sort_keys=True)
        chained = hashlib.sha256(f"{previous}\n{line}".encode()).hexdigest()
        if (row.previous, row.hash) != (previous, chained):
            return int(row.id)
        previous = row.hash
    return None


class _Written:
    """The new chain while it grows. Written out here, so that a later change of the code does not change this step."""

    def __init__(self, whose: dict[str, str | None]) -> None:
        self.lines: list[dict[str, Any]] = []
        self.link = ""
        self._whose = whose
        self._keys: defaultdict[str, str] = defaultdict(lambda: secrets.token_hex(32))
        self._now = datetime.now(UTC)

    def keys(self) -> list[dict[str, Any]]:
        return [{"about": about, "key": key, "created": self._now} for about, key in self._keys.items()]

    def take(self, old: list[Any]) -> None:
        for row in old:
            n = len(self.lines) + 1
            detail = dict(row.detail)
            if row.act == "list":
                shown = [self._of(id) for id in detail.pop("conversations", ())]
                detail["shown"] = [_hmac(self._keys[about], f"shown {n}")[:32] for about in shown]
            self._add(self._about(row), _aware(row.at), row.actor, row.act, row.target, detail)

    def told(self, old: list[Any]) -> None:
        fault = _first_fault(old)
        detail = {"lines": len(old), "head": old[-1].hash, "held": fault is None, "first_fault": fault}
        self._add("", self._now, "system", "rechained", "", detail)

    def _about(self, row: Any) -> str:
        if row.act == "mcp.order_status" and row.target:
            return f"customer:{row.target}"
        return self._of(row.target) if row.act in OF_CONVERSATIONS else ""

    def _of(self, conversation: str) -> str:
        customer = self._whose.get(conversation)
        return f"customer:{customer}" if customer else f"conversation:{conversation}"

    def _add(self, about: str, at: datetime, actor: str, act: str, target: str, detail: Any) -> None:
        n = len(self.lines) + 1
        kept = [n, about, at.isoformat(), actor, act, target, detail]
        mac = _hmac(self._keys[about], json.dumps(kept, ensure_ascii=True, sort_keys=True))
        self.link = hashlib.sha256(f"{self.link}\n{n}\n{mac}".encode()).hexdigest()
        fields = {"about": about, "at": at, "actor": actor, "act": act, "target": target, "detail": detail}
        self.lines.append({"n": n, "mac": mac, "link": self.link, **fields})


def _hmac(key: str, text: str) -> str:
    return hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).hexdigest()
