"""Exact Poisson bounds on a rate, from a count of events (Garwood 1936)."""

from __future__ import annotations

import math


def _at_most(events: int, mean: float) -> float:
    """Return ``P(X ≤ events)`` for a Poisson variable of the given mean."""
    if mean <= 0.0:
        return 1.0
    # From the largest term outwards, in logarithms: exp(-mean) alone is zero beyond a mean of 745.
    below = mean >= events
    k = events if below else events + 1
    largest = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
    term = total = 1.0
    while term > 1e-17 * total and k > 0:
        term *= k / mean if below else mean / (k + 1)
        k += -1 if below else 1
        total += term
    return largest * total if below else 1.0 - largest * total


def poisson_upper(events: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided upper bound on the mean of a Poisson count.

    Parameters
    ----------
    events
        Number of events seen.
    confidence
        How often the bound holds.

    Examples
    --------
    >>> round(poisson_upper(0), 2), round(poisson_upper(1), 2)
    (3.0, 4.74)
    """
    low, high = float(events), events + 10.0 * math.sqrt(events + 1.0) + 10.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _at_most(events, middle) > 1.0 - confidence else (low, middle)
    return high


def poisson_lower(events: int, confidence: float = 0.95) -> float:
    """Return the exact one-sided lower bound on the mean of a Poisson count.

    Examples
    --------
    >>> poisson_lower(0), round(poisson_lower(1), 3)
    (0.0, 0.051)
    """
    if events == 0:
        return 0.0
    low, high = 0.0, float(events)
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if 1.0 - _at_most(events - 1, middle) < 1.0 - confidence else (low, middle)
    return low
