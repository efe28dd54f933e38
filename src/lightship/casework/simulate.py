"""Orders of a queue compared at the same staffing: how long live cases wait for a first look. Pure.

Every order gets the same referrals and the same analysts, who finish what they began; only whom they take next differs.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lightship.casework.made import WEEK_H, Made, Priors
from lightship.casework.urgency import Ladder, judge

Order = Callable[[Made], tuple[Any, ...]]
"""What a referral is sorted by; the smallest is taken next."""

TOP = 0.05
RECORD_DB = 12.0
"""What the ablation gives for a criminal record: as much as a child who is reachable weighs on the ladder."""


@dataclass(frozen=True, slots=True)
class Waits:
    """How an order did.

    Parameters
    ----------
    live_h
        Hours until a first look, of each live case, rising; ``inf`` where it had none when the weeks ended.
    other_h
        Median of the others.
    other_most_h
        The longest wait of another one, counting those that wait still.
    top
        Share of live cases in the top 5 % of the referrals of their week.
    """

    order: str
    live_h: tuple[float, ...]
    other_h: float
    other_most_h: float
    top: float

    @property
    def mean_h(self) -> float:
        """The mean wait of live cases."""
        return statistics.fmean(self.live_h)

    @property
    def late_h(self) -> float:
        """Under which 95 % of live cases' waits lie."""
        return self.live_h[math.ceil(0.95 * len(self.live_h)) - 1]


def orders(priors: Priors, ladder: Ladder) -> dict[str, Order]:
    """Return the orders that are compared.

    Beside the ladder stand what it would be if it looked at records, and the best that anybody could do with these
    facts: an order by the very chances that they were drawn with, which nobody knows of real ones.
    """
    placed: dict[tuple[str, ...], tuple[int, float]] = {}

    def urgency(one: Made) -> tuple[int, float]:
        if one.facts not in placed:
            found = judge(ladder, one.facts)
            placed[one.facts] = (found.level, -found.weight_db)
        return placed[one.facts]

    def with_record(one: Made) -> tuple[float]:
        return (urgency(one)[1] - (RECORD_DB if one.record else 0.0),)

    def told(one: Made) -> tuple[float]:
        return (-likelihood(priors, one.facts),)

    return {
        "first come": lambda _: (),
        "record first": lambda one: (not one.record,),
        "urgency": urgency,
        "urgency, if a record counted": with_record,
        "best possible": told,
    }


def compare(priors: Priors, ladder: Ladder, made: Sequence[Made], capacity: float) -> tuple[Waits, ...]:
    """Return how each order did.

    Parameters
    ----------
    capacity
        Analysts' time, as a multiple of what the referrals of a week take.
    """
    load_h = priors.week["referrals"] * priors.week["minutes"] / 60.0
    staff = max(1, round(load_h * capacity / WEEK_H))
    pace = load_h * capacity / WEEK_H / staff  # whole people at the pace that gives this capacity exactly
    return tuple(_waits(name, order, made, staff, pace) for name, order in orders(priors, ladder).items())


def likelihood(priors: Priors, facts: Sequence[str]) -> float:
    """Return the log likelihood ratio of live against other that facts have under the chances they were drawn with."""
    given = dict(one.split("=", 1) for one in facts)
    seen = 1.0 - priors.week["hidden"]
    total = 0.0
    for fact in dict.fromkeys(one.fact for one in priors.shows):
        values = [one for one in priors.shows if one.fact == fact]
        said = [one for one in values if one.value == given.get(fact)]
        live, other = sum(one.live for one in said or values), sum(one.other for one in said or values)
        total += math.log(live / other) if said else math.log((1 - seen * live) / (1 - seen * other))
    return total


def _waits(name: str, order: Order, made: Sequence[Made], staff: int, pace: float) -> Waits:
    began = _began(order, made, staff, pace)
    end_h = made[-1].arrived_h
    live, others = [], []
    for one, at_h in zip(made, began, strict=True):
        wait_h = (end_h if at_h is None else at_h) - max(one.arrived_h, 0.0)
        if one.live:
            live.append(wait_h)
        else:
            others.append(wait_h)
    return Waits(name, tuple(sorted(live)), statistics.median(others), max(others), top_share(order, made))


def _began(order: Order, made: Sequence[Made], staff: int, pace: float) -> list[float | None]:
    """Return when each referral got its first look, None where it got none."""
    began: list[float | None] = [None] * len(made)
    free = [0.0] * staff
    waiting: list[tuple[tuple[Any, ...], int]] = []
    coming = 0
    while coming < len(made) or waiting:
        at_h = heapq.heappop(free)
        if not waiting and coming < len(made):
            at_h = max(at_h, made[coming].arrived_h)
        if at_h > made[-1].arrived_h:
            break
        while coming < len(made) and made[coming].arrived_h <= at_h:
            heapq.heappush(waiting, (order(made[coming]), coming))
            coming += 1
        _, number = heapq.heappop(waiting)
        began[number] = at_h
        heapq.heappush(free, at_h + made[number].minutes / 60.0 / pace)
    return began


def top_share(order: Order, made: Sequence[Made]) -> float:
    """Return the share of live cases in the top 5 % of their week; equals stand as they came."""
    weeks: dict[int, list[Made]] = {}
    for one in made:
        weeks.setdefault(int(one.arrived_h // WEEK_H), []).append(one)
    hits = live = 0
    for week in weeks.values():
        placed = sorted(range(len(week)), key=lambda number: (order(week[number]), number))
        cut = max(1, int(TOP * len(week)))
        live += sum(one.live for one in week)
        hits += sum(week[number].live for number in placed[:cut])
    return hits / live if live else math.nan
