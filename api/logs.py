"""Logs: one line an event, JSON where nobody watches, secrets and personal data masked, nothing a customer wrote."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from agent.privacy.hiding import hidden_log

MASKED = re.compile(
    r"(?i)((?:bearer|token|secret|password|api[_-]?key)[\"'=: ]+)[^\s\"'@,}]{4,}|(://[^:/@\s]+:)[^@/\s]+(?=@)"
)
QUIET = (
    "httpx",
    "httpcore",
    "chromadb",
    "uvicorn.access",
    "asyncio",
    "sqlalchemy.engine",
    "alembic",
    "dbos",
    "pymorphy3",
)
"""Loggers of libraries that say more than anybody reads, or what must not be written down."""


def set_up_logs(level: str = "info", *, plain: bool | None = None) -> None:
    """Send all logs to stderr; `plain` is for people, the default where stderr is a terminal."""
    readable = sys.stderr.isatty() if plain is None else plain
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        mask,
    ]
    last = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if readable
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


OURS = frozenset(("level", "timestamp", "logger"))
"""Fields that nobody else writes."""


def mask(logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace whatever looks like a secret or names a person in every text of the line."""
    for name, value in event.items():
        if name not in OURS:
            event[name] = _masked(value)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return hidden_log(MASKED.sub(lambda found: f"{found[1] or found[2]}***", value))
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list | tuple) else value
