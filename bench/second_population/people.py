"""Who banks here: households with children, families from abroad, firms. And the calendar that they live by."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from . import parameters
from .book import GB, GROUP, ZONES, Floats, Ints, People, countries, draw, surnames

_HOLIDAYS = [
    date.fromisoformat(day)
    for day in (
        "2025-12-25",
        "2025-12-26",
        "2026-01-01",
        "2026-04-03",
        "2026-04-06",
        "2026-05-04",
        "2026-05-25",
        "2026-08-31",
    )
]  # England and Wales
DATES = [parameters.FIRST_DAY + timedelta(day) for day in range(parameters.DAYS)]
_WORKDAY = np.array([day.weekday() < 5 and day not in _HOLIDAYS for day in DATES])
WEEKDAY = np.array([day.weekday() for day in DATES])
MONTH = np.array([day.month for day in DATES])


def make_people(rng: np.random.Generator, customers: int) -> People:
    """Return `customers` customers: households until they are enough, then firms."""
    firms = round(customers * parameters.BUSINESSES)
    persons = customers - firms
    kind = draw(rng, parameters.HOUSEHOLD_KINDS, persons)  # more than needed; cut below
    adults = np.where(np.isin(kind, ("couple", "family")), 2, 1)
    with_children = np.isin(kind, ("family", "lone-parent"))
    children = with_children * (
        1 + rng.choice(len(parameters.CHILD_ACCOUNTS), persons, p=parameters.CHILD_ACCOUNTS)
    )
    size = adults + children
    home = np.repeat(np.arange(persons), size)[:persons]
    place = np.arange(persons) - (np.cumsum(size) - size)[home]
    first = np.arange(persons) - place

    abroad = rng.random(persons) < parameters.BORN_ABROAD
    origin = np.where(abroad, countries(*draw(rng, parameters.ORIGINS, persons)), GB)[home]
    surname = surnames(rng, origin[first])[first]
    child = place >= adults[home]
    second = (place == 1) & ~child
    parenthood = rng.normal(45, 6, persons)
    grown = _of_age(rng.choice([28.0, 45.0, 68.0], persons, p=[0.36, 0.38, 0.26]) + rng.normal(0, 9, persons))
    adult_age = np.where(with_children, np.clip(parenthood, 30, 62), grown)[home]
    adult_age = _of_age(adult_age + second * rng.normal(0, 3, persons))
    age = np.where(child, rng.integers(11, 18, persons), adult_age).astype(np.int64)
    sex = rng.integers(0, 2, persons)
    sex = np.where(second & (rng.random(persons) < 0.96), 1 - sex[first], sex)

    partner = np.full(persons, -1)
    couples = np.flatnonzero(second)
    partner[couples], partner[couples - 1] = couples - 1, couples
    rule = draw(rng, parameters.PAY_RULES, persons)
    pocket = draw(rng, parameters.POCKET_MONEY, persons)
    zone = np.where(
        rng.random(customers) < parameters.LIVES_ABROAD, rng.integers(1, len(ZONES), customers), 0
    )
    zone[:persons] = zone[:persons][first]  # a household lives together
    opened = -(rng.gamma(1.3, 1900, customers)).astype(np.int64) - 30
    opened[:persons] = np.where(
        child, np.maximum(opened[:persons], -365 * np.maximum(age - 10, 1)), opened[:persons]
    )
    this_year = rng.random(customers) < parameters.OPENED_THIS_YEAR
    opened = np.where(this_year, rng.integers(0, parameters.DAYS - 20, customers), opened)
    none = np.full(firms, -1)
    return People(
        country=countries(*(place for _, place, _ in ZONES))[zone],
        zone=zone,
        origin=np.concatenate([origin, np.full(firms, GB)]),
        surname=np.concatenate([surname, np.zeros(firms, np.int64)]),
        born=(parameters.FIRST_DAY + timedelta(parameters.DAYS)).year
        - np.concatenate([age, np.full(firms, 40)]),
        sex=np.concatenate([sex, np.zeros(firms, np.int64)]),
        business=np.arange(customers) >= persons,
        opened=opened,
        parent=np.concatenate([np.where(child, first, -1), none]),
        partner=np.concatenate([partner, none]),
        main=np.concatenate(
            [~child & (rng.random(persons) < parameters.MAIN_ACCOUNT), np.zeros(firms, bool)]
        ),
        pay_rule=np.concatenate([np.where(child, pocket, rule), np.full(firms, "last-workday")]),
        remitter=(parameters.REMITTERS * rng.random(customers) ** 1.6).astype(np.int64),
        group=np.concatenate(
            [np.where(child, GROUP["child"], GROUP["everyday"]), np.full(firms, GROUP["business"])]
        ),
        typology=np.full(customers, -1),
        trip=np.full(customers, -1),
    )


def _of_age(age: Floats) -> Floats:
    """Return ages of 18 to 95; who falls below 18 is as much above, so that no year is crowded."""
    return np.asarray(np.minimum(18 + np.abs(age - 18), 95))


def paydays(rule: str) -> Ints:
    """Return the days of a pay calendar; a day that is no workday moves to the last one before it."""
    if rule == "weekly":
        return np.flatnonzero(WEEKDAY == 4)
    if rule == "four-weekly":
        return np.flatnonzero(WEEKDAY == 4)[::4]
    if rule == "last-workday":
        wanted = [at for at, day in enumerate(DATES) if (day + timedelta(1)).month != day.month]
    else:
        wanted = [at for at, day in enumerate(DATES) if day.day == int(rule.removesuffix("th"))]
    working = np.flatnonzero(_WORKDAY)
    return working[np.searchsorted(working, wanted, side="right") - 1]


def standing(
    who: Ints, rule: str, *, start: Ints | None = None, stop: Ints | None = None
) -> tuple[Ints, Ints]:
    """Return position in `who` and day of payments on every payday of a rule, from each one's start to its stop."""
    days = paydays(rule)
    at, day = np.repeat(np.arange(len(who)), len(days)), np.tile(days, len(who))
    keep = np.ones(len(at), bool)
    if start is not None:
        keep &= day >= start[at]
    if stop is not None:
        keep &= day < stop[at]
    return at[keep], day[keep]


def season(name: str) -> Floats:
    """Return how likely each day of the year is: ``flat``, ``shopping``, ``weekend``, ``holidays``, ``gifts``."""
    weight = np.ones(parameters.DAYS)
    if name == "shopping":
        weight *= np.where(MONTH == 12, 1.7, 1.0) * np.where(WEEKDAY >= 5, 1.4, 1.0)
    elif name == "weekend":
        weight *= np.where(WEEKDAY >= 4, 2.2, 1.0)
    elif name == "holidays":
        weight *= np.isin(MONTH, (7, 8)) * 3.0 + np.isin(MONTH, (4, 12, 1, 2)) * 1.2 + 0.6
    elif name == "gifts":
        weight *= np.where(MONTH == 12, 9.0, 1.0)
    elif name == "family":  # school starts in June (Philippines) or September; Christmas; and what befalls
        weight *= np.isin(MONTH, (6, 9)) * 0.8 + (MONTH == 12) * 1.5 + 1.0
    return np.asarray(weight / weight.sum())


def scatter(
    rng: np.random.Generator, who: Ints, mean: float, shape: float, days: Floats, *, least: int = 0
) -> tuple[Ints, Ints]:
    """Return position in `who` and day of payments that come as they come: counts gamma-Poisson, days by season."""
    counts = np.maximum(rng.poisson(mean * rng.gamma(shape, 1 / shape, len(who))), least)
    at = np.repeat(np.arange(len(who)), counts)
    return at, rng.choice(parameters.DAYS, len(at), p=days)


def clock(rng: np.random.Generator, name: str, count: int) -> Ints:
    """Return seconds of the day by one of the parameters' clocks."""
    shares, means, spreads = (np.array(column) for column in zip(*parameters.CLOCKS[name], strict=True))
    part = rng.choice(len(shares), count, p=shares / shares.sum())
    hour = rng.normal(means[part], spreads[part]) % 24
    return np.minimum((hour * 3600).astype(np.int64), 86399)


def pence(rng: np.random.Generator, median_gbp: float, spread: float, count: int, step: int = 1) -> Ints:
    """Return lognormal sums in pence, rounded to `step`."""
    return (
        np.maximum(np.rint(median_gbp * 100 * np.exp(rng.normal(0, spread, count)) / step), 1).astype(
            np.int64
        )
        * step
    )


def to_menu(gbp: Floats, menu: tuple[int, ...]) -> Ints:
    """Return pence at the nearest price of a menu; beyond its ends, the nearest sum of two figures."""
    prices = np.log(np.array(menu, float))
    near = np.array(menu)[np.abs(np.log(gbp)[:, None] - prices).argmin(axis=1)]
    outside = (gbp > menu[-1] * 1.3) | (gbp < menu[0] / 1.3)
    return np.asarray(np.rint(np.where(outside, nice(gbp), near) * 100), np.int64)


def nice(value: Floats) -> Floats:
    """Return the nearest round sum, such as 150, 2,000 or 4,500."""
    scale = 10.0 ** np.floor(np.log10(np.maximum(value, 1e-9)))
    steps = np.array([1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10])
    return np.asarray(scale * steps[np.abs((value / scale)[:, None] - steps).argmin(axis=1)])
