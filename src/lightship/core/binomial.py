"""Exact bounds on a share, from a count of successes (Clopper and Pearson 1934)."""

from __future__ import annotations

import math


def _at_most(successes: int, trials: int, share: float) -> float:
    """Return ``P(X ≤ successes)`` of a binomial variable: the regularised incomplete beta function."""
    if share <= 0.0 or successes >= trials:
        return 1.0
    if share >= 1.0:
        return 0.0
    a, b = trials - successes, successes + 1
    whole = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front = math.exp(whole + a * math.log1p(-share) + b * math.log(share))
    if 1.0 - share < (a + 1.0) / (a + b + 2.0):
        return front * _continued(a, b, 1.0 - share) / a
    return 1.0 - front * _continued(b, a, share) / b


def _continued(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    found = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1.0) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1.0))
        step = 1.0
        for term in (even, odd):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + term / c
            c = c if abs(c) > tiny else tiny
            step = d * c
            found *= step
        if abs(step - 1.0) < 1e-15:
            break
    return found


def share_bounds(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return the exact two-sided bounds on a share.

    Parameters
    ----------
    successes, trials
        What was counted, of how many looked at.
    confidence
        How often both bounds hold.

    Examples
    --------
    >>> [round(one, 3) for one in share_bounds(9, 10)]
    [0.555, 0.997]
    >>> share_bounds(0, 0)
    (0.0, 1.0)
    """
    tail = (1.0 - confidence) / 2.0
    return _lower(successes, trials, tail), 1.0 - _lower(trials - successes, trials, tail)


def _lower(successes: int, trials: int, tail: float) -> float:
    """Return the largest share at which so many successes or more are as rare as ``tail``."""
    if successes == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        rare = 1.0 - _at_most(successes - 1, trials, middle) < tail
        low, high = (middle, high) if rare else (low, middle)
    return low
