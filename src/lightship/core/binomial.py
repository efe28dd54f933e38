"""Exact bounds on a share, from a count of successes (Clopper and Pearson 1934)."""

from __future__ import annotations

import math


def _at_most(successes: int, trials: int, share: float) -> float:
    """Return ``P(X ≤ successes)`` of a binomial variable."""
    if share <= 0.0:
        return 1.0
    if share >= 1.0:
        return float(successes >= trials)
    whole = math.lgamma(trials + 1)
    terms = (
        whole
        - math.lgamma(k + 1)
        - math.lgamma(trials - k + 1)
        + k * math.log(share)
        + (trials - k) * math.log1p(-share)
        for k in range(successes + 1)
    )
    return min(1.0, math.fsum(map(math.exp, terms)))


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
