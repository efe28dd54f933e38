"""Logs as lines of JSON, of named fields only: no content, hash, reference or account name can reach them."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

FIELDS = frozenset(
    {
        "event", "level", "timestamp",
        "request_id", "method", "route", "status", "took_ms", "bytes_in", "tenant",
        "hashes", "hits", "reason", "error", "list", "entries", "age_days", "stale", "host", "port", "banks",
    }
)  # fmt: skip
"""What a log line may have. ``error`` is a class's name, never a message; ``route`` a template, never an address."""


def allowed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not of :data:`FIELDS`, and name those dropped, so that it is noticed."""
    kept = {name: value for name, value in event.items() if name in FIELDS}
    dropped = sorted(set(event) - FIELDS)
    if dropped:
        kept["reason"] = f"{len(dropped)} fields withheld: they are not on the list of fields"
    return kept


def logger() -> Any:
    """Return the service's logger: JSON lines on standard error."""
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            allowed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )


def quiet_server() -> None:
    """Silence the web server's own lines: they hold addresses, and in HMA's addresses there are hashes."""
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio"):
        one = logging.getLogger(name)
        one.handlers, one.propagate, one.disabled = [], False, name == "uvicorn.access"
        one.addHandler(_Named())


class _Named(logging.Handler):
    """Says that the server complained, and which class of error it was; not what it said."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno >= logging.WARNING:
            kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.name
            logger().warning("server", error=kind)
