"""Alembic's entry: runs on the connection that `api.migrate` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from api.schema import METADATA, Moments


def render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Write a room's own column types as what the database sees: a step must outlive the rooms' classes."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, Moments) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=render,
    render_as_batch=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
