"""Days and times as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime


def day(at_us: int) -> str:
    """Return the day of a time, in UTC.

    Examples
    --------
    >>> day(1_772_490_600_000_000)
    '2026-03-02'
    """
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).date().isoformat()


def span(first_us: int, last_us: int) -> str:
    """Return a span of days in words.

    Examples
    --------
    >>> span(1_772_490_600_000_000, 1_772_490_600_000_001)
    'on 2026-03-02'
    """
    first, last = day(first_us), day(last_us)
    return f"on {first}" if first == last else f"from {first} to {last}"
