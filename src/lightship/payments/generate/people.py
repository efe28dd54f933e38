"""Who the customers are: a child, a person or a business, how they live, what ties them to a country."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lightship.payments.generate.draws import lognormal, pick
from lightship.payments.generate.parameters import Population

Ints = NDArray[np.int64]

GROUPS = (
    "everyday",
    "child",
    "child-gamer",
    "business",
    "payroll-abroad",
    "overseas-family",
    "irregular-helper",
    "partner-abroad",
    "charity-sponsor",
    "student-support",
    "romance-fraud-victim",
    "adult-platform",
    "traveller",
    "gig",
    "gamer",
    "collector",
)
"""How a customer lives. Each but the first and the fourth looks like one of the typologies in some way."""

OTHERS = ("company", "platform", "stranger", "receiver-abroad", "institution-abroad", "friend-abroad")
"""What an account is that is no customer's."""

TIES = ("family", "residence", "travel", "business")

_LOOKS_TO = {
    "payroll-abroad": "work",
    "overseas-family": "remit",
    "irregular-helper": "remit",
    "partner-abroad": "partner",
    "student-support": "remit",
    "traveller": "travel",
    "romance-fraud-victim": "extortion",
}
"""Groups whose lives have to do with one country abroad, and by which of its weights."""
_TIED = {
    "payroll-abroad": (0.0, 0.0, 0.0, 1.0),
    "partner-abroad": (0.3, 0.3, 0.4, 0.0),
    "traveller": (0.0, 0.0, 1.0, 0.0),
}
"""What ties a group to that country, by `TIES`; the others are tied as families are."""
_AGES = {
    "overseas-family": (39.0, 10.0),
    "irregular-helper": (41.0, 11.0),
    "partner-abroad": (48.0, 12.0),
    "student-support": (50.0, 7.0),
    "romance-fraud-victim": (57.0, 13.0),
    "adult-platform": (41.0, 13.0),
    "gamer": (29.0, 9.0),
    "gig": (35.0, 11.0),
    "collector": (35.0, 13.0),
}
_MEN = {"partner-abroad": 0.72, "adult-platform": 0.88, "gamer": 0.66, "overseas-family": 0.46}
OPENING_DAYS = 7300


@dataclass(frozen=True, slots=True)
class People:
    """The customers in columns of one length; the children come first, the businesses last.

    Parameters
    ----------
    group
        int8, place in `GROUPS`.
    children, businesses
        How many of the first rows are children's, of the last rows businesses'.
    age
        int16, years when the year ends; 0 for a business.
    man
        bool, false for a business too.
    opened
        int64, the day of the year on which the account was opened; negative before it.
    activity
        float64, how busy they are, 1 in the mean.
    abroad
        int8, the country abroad that their life has to do with, 0 for none.
    tie
        int8, place in `TIES` of what ties them to it, whether the bank knows or not; -1 is none.
    known
        bool, whether the bank knows.
    lives
        int8, the country where they live.
    payday
        int16, day of the month; 100 to 106 for weekly pay on that weekday, 0 for none.
    """

    group: NDArray[np.int8]
    children: int
    businesses: int
    age: NDArray[np.int16]
    man: NDArray[np.bool_]
    opened: Ints
    activity: NDArray[np.float64]
    abroad: NDArray[np.int8]
    tie: NDArray[np.int8]
    known: NDArray[np.bool_]
    lives: NDArray[np.int8]
    payday: NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.group)

    def of(self, group: str) -> Ints:
        """Return the customers of a group."""
        return np.flatnonzero(self.group == GROUPS.index(group))


def drawn(population: Population, customers: int, rng: np.random.Generator) -> People:
    """Return the customers."""
    group, children, businesses = _groups(population.mix, customers, rng)
    kinds = population.everyday
    business = np.arange(customers) >= customers - businesses
    young = np.arange(customers) < children
    age, man = _ages(group, rng)
    age[business], man[business] = 0, False
    opened = -np.minimum(rng.exponential(2600.0, customers), OPENING_DAYS).astype(np.int64)
    new = rng.random(customers) < 0.04
    opened[new] = rng.integers(0, population.days * 2 // 3, int(new.sum()))
    opened[young] = np.maximum(opened[young], -365 * (age[young].astype(np.int64) - 7))
    abroad, tie = _abroad(population, group, business, rng)
    share = np.where(young, kinds.children_tie_known, kinds.tie_known)
    adult = ~young & ~business
    weekly = rng.random(customers) < 0.08
    month_day = np.array([25, 26, 27, 28, 31, 15, 1])[pick(rng, [3, 1, 1, 3, 4, 1, 1], customers)]
    payday = np.where(weekly, 100 + rng.integers(3, 6, customers), month_day)
    paid = adult & (rng.random(customers) < kinds.payroll_share * np.where(age < 66, 1.2, 0.2))
    return People(
        group,
        children,
        businesses,
        age,
        man,
        opened,
        lognormal(rng, np.exp(-(kinds.activity_sigma**2) / 2.0), kinds.activity_sigma, customers),
        abroad,
        tie,
        (tie >= 0) & (rng.random(customers) < share),
        np.where(adult & (rng.random(customers) < 0.007), abroad, 0).astype(np.int8),
        np.where(paid, payday, 0).astype(np.int16),
    )


def _groups(
    mix: dict[str, float], customers: int, rng: np.random.Generator
) -> tuple[NDArray[np.int8], int, int]:
    """Return each customer's group, how many are children's, how many businesses'."""
    counts = {name: max(1, round(share * customers)) for name, share in mix.items()}
    payroll_business = round(0.8 * counts["payroll-abroad"])
    children = counts["child"] + counts["child-gamer"]
    businesses = counts["business"] + payroll_business
    adults = customers - children - businesses

    def shuffled(names: dict[str, int], size: int, rest: str) -> NDArray[np.int8]:
        places = np.full(size, GROUPS.index(rest), dtype=np.int8)
        filled = np.repeat([GROUPS.index(name) for name in names], list(names.values()))
        places[: len(filled)] = filled
        return rng.permutation(places)

    grown = {
        name: count for name, count in counts.items() if name not in ("child", "child-gamer", "business")
    }
    grown["payroll-abroad"] -= payroll_business
    return (
        np.concatenate(
            (
                shuffled({"child-gamer": counts["child-gamer"]}, children, "child"),
                shuffled(grown, adults, "everyday"),
                shuffled({"payroll-abroad": payroll_business}, businesses, "business"),
            )
        ),
        children,
        businesses,
    )


def _ages(group: NDArray[np.int8], rng: np.random.Generator) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    size = len(group)
    age = 18.0 + 72.0 * rng.beta(1.25, 1.75, size)
    man = rng.random(size) < 0.5
    for name, (mean, spread) in _AGES.items():
        rows = np.flatnonzero(group == GROUPS.index(name))
        age[rows] = np.clip(rng.normal(mean, spread, len(rows)), 18, 90)
    for name, share in _MEN.items():
        rows = np.flatnonzero(group == GROUPS.index(name))
        man[rows] = rng.random(len(rows)) < share
    young = np.isin(group, [GROUPS.index("child"), GROUPS.index("child-gamer")])
    age[young] = 17.99 - 10.0 * rng.beta(1.0, 1.7, int(young.sum()))
    return age.astype(np.int16), man


def _abroad(
    population: Population, group: NDArray[np.int8], business: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Return the country that each one's life has to do with, and what ties him to it."""
    size = len(group)
    abroad = pick(rng, population.weights("born"), size)
    tie = pick(rng, [0.65, 0.35], size)
    born = (rng.random(size) < population.everyday.foreign_born) & ~business
    deceived = group == GROUPS.index("romance-fraud-victim")
    for name, looks in _LOOKS_TO.items():
        rows = np.flatnonzero(group == GROUPS.index(name))
        abroad[rows] = pick(rng, population.weights(looks), len(rows))
        born[rows] = True
        tie[rows] = pick(rng, _TIED.get(name, (0.6, 0.4, 0.0, 0.0)), len(rows))
    untied = (group == GROUPS.index("traveller")) & (rng.random(size) < 0.5)
    lasting = born & ~untied & ~deceived
    return np.where(born, abroad, 0).astype(np.int8), np.where(lasting, tie, -1).astype(np.int8)
