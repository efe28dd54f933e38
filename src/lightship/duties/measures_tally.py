"""The shapes of figures: counts, times and shares, each with what a reader needs to judge it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from lightship.core.binomial import share_bounds

BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything of a platform."""

Value = dict[str, Any]
"""A figure as JSON: whole numbers, rounded decimals, texts of closed sets, None for what cannot be told."""


def counts(found: Mapping[Any, int], **more: Any) -> Value:
    """Return how many there are, and how many of each kind; a kind of several parts is joined by slashes."""
    named = {" / ".join(key) if isinstance(key, tuple) else str(key): n for key, n in found.items() if n}
    return {"total": sum(named.values()), "of_each": dict(sorted(named.items())), **more}


def times(seconds: Sequence[float], **more: Any) -> Value:
    """Return the number of times, the smallest that half and 95 % of them stay within, and the longest.

    Examples
    --------
    >>> times([1.0, 2.0, 10.0])
    {'count': 3, 'p50_s': 2.0, 'p95_s': 10.0, 'longest_s': 10.0}
    """
    ordered = sorted(seconds)

    def at(share: float) -> float | None:
        return round(ordered[math.ceil(share * len(ordered)) - 1], 3) if ordered else None

    return {"count": len(ordered), "p50_s": at(0.5), "p95_s": at(0.95), "longest_s": at(1.0), **more}


def share(those: int, of: int, **more: Any) -> Value:
    """Return a share with its exact two-sided 95 % bounds (Clopper and Pearson); None of nothing.

    Examples
    --------
    >>> share(9, 10)
    {'count': 9, 'of': 10, 'share': 0.9, 'lower_95': 0.555, 'upper_95': 0.9975}
    """
    low, high = share_bounds(those, of)
    known = of > 0
    return {
        "count": those,
        "of": of,
        "share": round(those / of, 6) if known else None,
        "lower_95": round(low, 4) if known else None,
        "upper_95": round(high, 4) if known else None,
        **more,
    }


def seconds(begins: datetime, ends: datetime) -> float:
    """Return the length of a stretch; 0 for one that ends before it begins."""
    return max(0.0, (ends - begins).total_seconds())


def union_s(stretches: Iterable[tuple[datetime, datetime]], begins: datetime, ends: datetime) -> float:
    """Return for how long at least one stretch runs between two moments."""
    covered, until = 0.0, begins
    for first, last in sorted(stretches):
        from_, to = max(first, until), min(last, ends)
        if to > from_:
            covered += (to - from_).total_seconds()
            until = to
    return covered


def longest_gap_s(stretches: Iterable[tuple[datetime, datetime]], begins: datetime, ends: datetime) -> float:
    """Return the longest time between two moments in which no stretch runs."""
    longest, until = 0.0, begins
    for first, last in sorted(stretches):
        longest = max(longest, seconds(until, min(first, ends)))
        until = max(until, min(last, ends))
    return max(longest, seconds(until, ends))


def grouped(pairs: Iterable[tuple[str, float]]) -> dict[str, list[float]]:
    """Return values by name."""
    found: dict[str, list[float]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def tally(names: Iterable[Any]) -> Counter[Any]:
    """Return how often each name comes."""
    return Counter(names)
