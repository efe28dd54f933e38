"""The fast lane against known bursts: said by the third payment or not, and how often about another child."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lightship.payments.backtest import PER
from lightship.payments.baseline import Baseline
from lightship.payments.score import Measured, first_of_episode, weighed_table

IN_TIME = 3
"""The payment of a burst by which it has to be said."""
MONTH_DAYS = 365.0 / 12.0


@dataclass(frozen=True)
class Moments:
    """Every moment that may become an alert, in the order of subject and time.

    Parameters
    ----------
    subject, at_us, total_mdb
        (n,) arrays: account, microseconds since 1970, weight.
    """

    subject: NDArray[np.str_]
    at_us: NDArray[np.int64]
    total_mdb: NDArray[np.int64]


def moments(found: Measured, base: Baseline) -> Moments:
    """Return them."""
    table = weighed_table(found, base)
    rows = table.filter(pc.greater_equal(table["speaking"], found.pack.families_needed))
    subject = np.array(rows["subject"].to_pylist(), dtype=object).astype(str)
    at_us, total = rows["last_us"].to_numpy(), rows["total_mdb"].to_numpy()
    order = np.lexsort((-total, at_us, subject))
    return Moments(subject[order], at_us[order], total[order])


def episodes(found: Moments, threshold_mdb: int) -> Moments:
    """Return the first moment of each episode: none that reached the threshold in the 30 days before."""
    keep = found.total_mdb >= threshold_mdb
    subject, at_us, total = found.subject[keep], found.at_us[keep], found.total_mdb[keep]
    first = first_of_episode(subject, at_us)
    return Moments(subject[first], at_us[first], total[first])


@dataclass(frozen=True, slots=True)
class LaneFigures:
    """How a threshold does.

    Parameters
    ----------
    victims, in_time, ever
        Known bursts; those said by their third payment (by the last, if there are fewer); those said at all.
    false_alerts
        Episodes about accounts that are no victim's.
    false_rate
        For 100,000 children's accounts a month.
    """

    threshold_mdb: int
    victims: int
    in_time: int
    ever: int
    false_alerts: int
    false_rate: float

    @property
    def share_in_time(self) -> float:
        """Share of the known bursts."""
        return self.in_time / self.victims if self.victims else 0.0


def figures(
    found: Moments,
    threshold_mdb: int,
    bursts: Mapping[str, Sequence[int]],
    children: int,
    days: int,
) -> LaneFigures:
    """Return a threshold's figures.

    Parameters
    ----------
    bursts
        Victim to the moments of the burst's payments, microseconds since 1970, in order.
    children
        Children's accounts.
    days
        Length of the history.
    """
    reached = found.total_mdb >= threshold_mdb
    said: dict[str, list[int]] = {}
    for who, when in zip(found.subject[reached].tolist(), found.at_us[reached].tolist(), strict=True):
        if who in bursts:
            said.setdefault(who, []).append(when)
    in_time = sum(
        any(burst[0] <= when <= burst[min(IN_TIME, len(burst)) - 1] for when in said.get(who, ()))
        for who, burst in bursts.items()
    )
    ever = sum(
        any(burst[0] <= when <= burst[-1] for when in said.get(who, ())) for who, burst in bursts.items()
    )
    false = sum(who not in bursts for who in episodes(found, threshold_mdb).subject.tolist())
    months = days / MONTH_DAYS
    return LaneFigures(
        threshold_mdb, len(bursts), in_time, ever, false, false / max(children * months, 1e-9) * PER
    )


def quietest(found: Moments, bursts: Mapping[str, Sequence[int]], allowed: int) -> int:
    """Return the least threshold with no more false alerts than allowed."""
    innocent = ~np.isin(found.subject, list(bursts))
    only = Moments(found.subject[innocent], found.at_us[innocent], found.total_mdb[innocent])
    levels = np.unique(only.total_mdb)
    low, high = 0, len(levels)
    while low < high:
        middle = (low + high) // 2
        if len(episodes(only, int(levels[middle])).subject) <= allowed:
            high = middle
        else:
            low = middle + 1
    return int(levels[low]) if low < len(levels) else (int(levels[-1]) + 1 if len(levels) else 0)
