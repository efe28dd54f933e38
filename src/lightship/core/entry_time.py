"""When a ledger's entries were written, as they tell it, and where in the ledger a moment lies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lightship.core.ports import ReadableLedger


def at_of(entry: Mapping[str, Any]) -> datetime:
    """Return an entry's time; the beginning of time for one that tells none."""
    try:
        at = datetime.fromisoformat(str(entry.get("at", "")))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def place_at(ledger: ReadableLedger, at: datetime) -> int:
    """Return the number of the first entry written at that time or later, while times rise with the numbers."""
    low, high = 0, ledger.size
    while low < high:
        middle = (low + high) // 2
        entry = next(iter(ledger.entries(middle, middle + 1)), {})
        low, high = (middle + 1, high) if at_of(entry) < at else (low, middle)
    return low
