"""Has the population changed since the baseline was fitted? The population stability index, by indicator.

``PSI = Σ (now - then)·ln(now / then)`` over an indicator's bins: below 0.1 stable, up to 0.25 moving, above it another
population, by the usage of credit scoring (Siddiqi, *Credit Risk Scorecards*, 2006).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lightship.payments.baseline import Baseline

Verdict = Literal["stable", "moving", "changed"]
MOVING, CHANGED = 0.10, 0.25
LEAST = 1e-4
"""A bin counts as no emptier than this, so that one that was empty does not decide alone."""


@dataclass(frozen=True, slots=True)
class Drift:
    """One indicator's change.

    Parameters
    ----------
    indicator
        Its id.
    psi
        The index; 0 is no change.
    verdict
        In words.
    """

    indicator: str
    psi: float
    verdict: Verdict


def psi(then: Sequence[float], now: Sequence[float]) -> float:
    """Return the index of two spreads over the same bins; each sums to 1.

    Examples
    --------
    >>> psi([0.5, 0.5], [0.5, 0.5]), round(psi([0.5, 0.5], [0.7, 0.3]), 3)
    (0.0, 0.169)
    """
    pairs = [(max(a, LEAST), max(b, LEAST)) for a, b in zip(then, now, strict=True)]
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def drifted(then: Baseline, now: Baseline) -> tuple[Drift, ...]:
    """Return the change of every indicator that both baselines have, the largest first."""
    found = []
    for indicator in sorted(then.tables.keys() & now.tables.keys()):
        if then.tables[indicator].edges == now.tables[indicator].edges:
            index = psi(_spread(then, indicator), _spread(now, indicator))
            found.append(Drift(indicator, index, _verdict(index)))
    return tuple(sorted(found, key=lambda one: (-one.psi, one.indicator)))


def _spread(base: Baseline, indicator: str) -> list[float]:
    """Return the whole population's shares of an indicator's bins."""
    whole = sum(base.groups)
    rows = base.tables[indicator].shares
    bins = range(len(rows[0]))
    return [
        sum(size * row[place] for size, row in zip(base.groups, rows, strict=True)) / whole for place in bins
    ]


def _verdict(index: float) -> Verdict:
    if index < MOVING:
        return "stable"
    return "moving" if index < CHANGED else "changed"
