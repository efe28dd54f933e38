"""Draws that many kinds of people share: counts to rows, gaps to days, round sums. Pure, on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MENU = np.array([1.0, 1.5, 2.0, 2.5, 3.0, 5.0, 7.5, 10.0])
"""Round sums by their leading digits: 10, 15, 20, 25, 30, 50, 75, 100 and so on in any currency."""


def each(counts: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return, for so many rows of each, whose every row is and which of his it is.

    >>> each(np.array([2, 0, 1]))
    (array([0, 0, 2]), array([0, 1, 0]))
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - first[owner]


def menu(sums: Floats) -> Floats:
    """Return each sum as the round one that is nearest by ratio.

    >>> menu(np.array([9.0, 27.0, 61.0, 1200.0])).tolist()
    [10.0, 25.0, 50.0, 1000.0]
    """
    scale = 10.0 ** np.floor(np.log10(sums))
    middles = np.sqrt(MENU[1:] * MENU[:-1])
    return MENU[np.searchsorted(middles, sums / scale)] * scale


def lognormal(rng: np.random.Generator, median: Floats | float, sigma: Floats | float, size: int) -> Floats:
    """Return draws with that median; `sigma` is of the logarithm."""
    return np.asarray(median * np.exp(sigma * rng.standard_normal(size)), dtype=np.float64)


def pick(rng: np.random.Generator, shares: Floats | Sequence[float], size: int) -> Ints:
    """Return places drawn by share; the shares need not sum to 1."""
    edges = np.cumsum(shares)
    places = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(places, len(edges) - 1), dtype=np.int64)


def steady(
    rng: np.random.Generator, gap_days: Floats, sigma: float, days: int, *, begins: Floats | None = None
) -> tuple[Ints, Ints, Ints]:
    """Return owner, step and day of payments that go on and on, with lognormal gaps around each owner's own median.

    `begins` is the day on which each begins; without it each is under way when the year begins.
    """
    start = begins if begins is not None else -gap_days * rng.random(len(gap_days))
    counts = np.ceil((days - start) / (gap_days * np.exp(sigma**2 / 2.0)) * 1.3).astype(np.int64) + 4
    owner, step = each(np.maximum(counts, 0))
    gaps = lognormal(rng, gap_days[owner], sigma, len(owner))
    gaps = np.where((step == 0) & (begins is not None), 0.0, gaps)
    day = within(gaps, counts) + start[owner]
    inside = (day >= 0) & (day < days)
    return owner[inside], step[inside], day[inside].astype(np.int64)


def within(values: Floats, counts: Ints) -> Floats:
    """Return the running sum inside each owner's rows."""
    total = np.cumsum(values)
    ends = np.cumsum(counts)
    before = np.concatenate(([0.0], total))[ends - counts]
    return np.asarray(total - np.repeat(before, counts), dtype=np.float64)


def scramble(numbers: NDArray[np.integer], salt: int) -> NDArray[np.uint64]:
    """Return 64 well-mixed bits of each number (the finaliser of SplitMix64), the same for the same salt."""
    with np.errstate(over="ignore"):
        mixed = numbers.astype(np.uint64) + np.uint64((salt * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def habit(numbers: NDArray[np.integer], salt: int, size: int) -> Ints:
    """Return a lasting choice out of `size` for each number, such as a customer's usual shop."""
    return (scramble(numbers, salt) % np.uint64(size)).astype(np.int64)
