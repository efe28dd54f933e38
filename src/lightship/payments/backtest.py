"""What a typology would have done over a history: queues at every budget, the line, two packs compared.

A *standing* is every subject's weight at one moment, from the engine; all else here is arithmetic on it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.poisson import poisson_lower
from lightship.payments.baseline import Baseline
from lightship.payments.score import Measured, eligible, weighed_table

PER = 100_000


@dataclass(frozen=True)
class Standing:
    """Every subject's weight at the end of a window, the heaviest first; in a fast lane that of the heaviest moment.

    Parameters
    ----------
    typology
        The pack's id.
    day
        On which the window ends.
    measured
        How many subjects were measured.
    subjects
        Those that may be alerted about: above the floor, with families enough that speak for it.
    total_mdb, rows
        Their weights and how many payments were measured.
    """

    typology: str
    day: date
    measured: int
    subjects: tuple[str, ...]
    total_mdb: NDArray[np.int64]
    rows: NDArray[np.int64]

    def without(self, subjects: Collection[str]) -> Standing:
        """Return the standing with some subjects set aside."""
        keep = np.array([subject not in subjects for subject in self.subjects], dtype=bool)
        return replace(
            self,
            subjects=tuple(subject for subject in self.subjects if subject not in subjects),
            total_mdb=self.total_mdb[keep],
            rows=self.rows[keep],
        )

    def above(self, threshold_mdb: int) -> int:
        """Return how many reach a threshold."""
        return int((self.total_mdb >= threshold_mdb).sum())


def standing(found: Measured, base: Baseline) -> Standing:
    """Return everybody's weight, by the engine."""
    pack, table = found.pack, weighed_table(found, base)
    rows = eligible(table, pack)
    subject = np.array(rows["subject"].to_pylist(), dtype=object).astype(str)
    total, level, number = (rows[name].fill_null(0).to_numpy() for name in ("total_mdb", "keeper_mdb", "n"))
    order = np.lexsort((subject, -level, -total))
    first = np.sort(np.unique(subject[order], return_index=True)[1]) if len(order) else order
    order = order[first]
    return Standing(
        pack.id,
        found.history.window.day,
        len(table["subject"].unique()),
        tuple(subject[order].tolist()),
        total[order],
        number[order],
    )


@dataclass(frozen=True, slots=True)
class At:
    """A queue of one size.

    Parameters
    ----------
    cases
        How many are in it, at most the size.
    threshold_mdb
        Weight of the last one.
    hits
        Of them, how many are known to be what the typology is about; None where nothing is known.
    precision, recall
        Hits among the cases, and among all that are known.
    """

    size: int
    cases: int
    threshold_mdb: int
    hits: int | None
    precision: float | None
    recall: float | None


def at(found: Standing, size: int, known: Collection[str] | None) -> At:
    """Return the queue of so many cases."""
    queue = found.subjects[:size]
    threshold = int(found.total_mdb[len(queue) - 1]) if queue else 0
    if known is None:
        return At(size, len(queue), threshold, None, None, None)
    hits = sum(subject in known for subject in queue)
    return At(
        size,
        len(queue),
        threshold,
        hits,
        hits / len(queue) if queue else None,
        hits / len(known) if known else None,
    )


@dataclass(frozen=True, slots=True)
class GroupRate:
    """False alerts about one group.

    Parameters
    ----------
    innocents
        Members that are not what the typology is about.
    false_alerts
        Those of them in the queue.
    rate
        For 100,000 innocents.
    ratio
        To the rate of all; None where there is no false alert at all.
    ratio_at_least
        The same with the count's exact one-sided 95 % bound from below: what chance alone does not explain.
    """

    group: str
    innocents: int
    false_alerts: int
    rate: float
    ratio: float | None
    ratio_at_least: float | None


def group_rates(
    queue: Sequence[str], known: Collection[str], groups: Mapping[str, str], sizes: Mapping[str, int]
) -> tuple[GroupRate, ...]:
    """Return the false alerts of each group for the same queue; `sizes` are its members that are innocent."""
    false = [groups.get(subject, "not named") for subject in queue if subject not in known]
    counts = {group: false.count(group) for group in {*sizes, *false}}
    return pooled_rates(counts, sizes)


def pooled_rates(counts: Mapping[str, int], sizes: Mapping[str, int]) -> tuple[GroupRate, ...]:
    """Return each group's rate from counts and sizes, which may be summed over several histories."""
    mean = sum(counts.values()) / max(sum(sizes.values()), 1)
    found = []
    for group, false in sorted(counts.items()):
        size = sizes.get(group, 0)
        rate = false / size if size else 0.0
        sure = poisson_lower(false) / size / mean if size and mean else None
        found.append(GroupRate(group, size, false, rate * PER, rate / mean if mean else None, sure))
    return tuple(sorted(found, key=lambda one: (-one.rate, one.group)))


def carried(precision: float, recall: float, share: float, to: float) -> float:
    """Return what a precision becomes where the share of such subjects is another, the false-alert rate being the same.

    Examples
    --------
    >>> round(carried(0.5, 1.0, 1 / 5000, 1 / 50_000), 3)
    0.091
    """
    if not precision:
        return 0.0
    false = recall * share * (1.0 - precision) / precision / (1.0 - share)
    return recall * to / (recall * to + false * (1.0 - to))


@dataclass(frozen=True, slots=True)
class Sampled:
    """A subject near the line, for people to look at.

    Parameters
    ----------
    side
        ``"above"`` or ``"below"`` the line.
    rank
        1 is first.
    """

    side: str
    rank: int
    subject: str
    total_mdb: int


def line_samples(found: Standing, size: int, number: int, seed: int) -> tuple[Sampled, ...]:
    """Return so many subjects of the queue and so many of those just below it, drawn evenly.

    Below are as many places as the queue has: what a queue twice as long would have shown.
    """
    rng = np.random.default_rng(seed)
    places = np.arange(len(found.subjects))
    drawn: list[Sampled] = []
    for side, pool in (("above", places[:size]), ("below", places[size : 2 * size])):
        chosen = sorted(rng.choice(pool, min(number, len(pool)), replace=False).tolist())
        drawn += [
            Sampled(side, place + 1, found.subjects[place], int(found.total_mdb[place])) for place in chosen
        ]
    return tuple(drawn)


@dataclass(frozen=True, slots=True)
class Compared:
    """A champion's and a challenger's queues of one size.

    Parameters
    ----------
    both, only_champion, only_challenger
        Subjects.
    champion_hits, challenger_hits
        Of those in only one queue, how many are known to be what the typology is about; None where nothing is known.
    """

    challenger: str
    size: int
    both: int
    only_champion: int
    only_challenger: int
    champion_hits: int | None
    challenger_hits: int | None


def compared(
    champion: Standing, challenger: Standing, name: str, size: int, known: Collection[str] | None
) -> Compared:
    """Compare two standings of the same day."""
    one, other = set(champion.subjects[:size]), set(challenger.subjects[:size])
    hits: tuple[Any, Any] = (None, None)
    if known is not None:
        hits = (len((one - other) & set(known)), len((other - one) & set(known)))
    return Compared(name, size, len(one & other), len(one - other), len(other - one), *hits)
