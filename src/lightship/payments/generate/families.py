"""People with somebody abroad: families, helpers, partners, students, sponsors. Each looks like a payer of abuse."""

from __future__ import annotations

import numpy as np

from lightship.payments.generate.draws import Ints, each, habit, lognormal, pick, steady
from lightship.payments.generate.flow import FAMILY_TEXTS, Flow, joined
from lightship.payments.generate.places import ABROAD_CODES, ABROAD_SHOPS, CHARITY, SCHOOL, Places
from lightship.payments.generate.sending import clocks, receivers, send, shared, words
from lightship.payments.generate.world import World

EDUCATION = FAMILY_TEXTS[5]
MONTH_DAYS = 30.4
SPONSORED = np.array([10.0, 12.0, 15.0, 19.0, 25.0, 28.0, 30.0])
"""What charities ask for a month."""


def overseas_family(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return the remittances of overseas workers and the receivers: after payday, 150-500, one or two of the family.

    As people are, a quarter send when they can, one in seven to three or more relatives, one in five works at night,
    half choose round sums, and many add small sums for a telephone in between.
    """
    country = world.people.abroad[who].astype(np.int64)
    counts = pick(rng, [0, 60, 25, 6, 5, 3, 1], len(who))
    first = shared(rng, receivers(world, country, counts), counts, country, 0.15)
    linked = rng.random(len(who)) < 0.75
    sums = lognormal(rng, 215.0, 0.45, len(who))
    owner, day = _paydays(world, rng, who)
    keep = linked[owner] & (rng.random(len(owner)) < 0.93)
    free, _, free_day = steady(rng, lognormal(rng, 20.0, 0.4, len(who)), 0.6, world.population.days)
    loose = ~linked[free]
    owner, day = np.concatenate((owner[keep], free[loose])), np.concatenate((day[keep], free_day[loose]))
    weekly = np.where(world.people.payday[who] >= 100, 0.3, 1.0)
    wanted = lognormal(rng, sums[owner] * weekly[owner], 0.25, len(owner))
    small, _, small_day = steady(rng, lognormal(rng, 26.0, 0.5, len(who)), 0.7, world.population.days)
    tops = (habit(who, 31, 10) < 3)[small]
    owner = np.concatenate((owner, small[tops]))
    day = np.concatenate((day, small_day[tops]))
    wanted = np.concatenate((wanted, lognormal(rng, 16.0, 0.5, int(tops.sum()))))
    return send(
        world,
        rng,
        who[owner],
        first[owner] + _slot(rng, counts[owner], 0.72),
        day,
        wanted,
        shares=(0.15, 0.40, 0.25, 0.20),
        hours=clocks(world, who[owner], {"night-shift": 0.2, "evening": 0.4, "everyday": 0.4}),
        text=words(rng, who[owner], 0.3),
    )


def irregular_helper(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return the payments of those who help several relatives or friends when asked: small, round, at any hour."""
    country = world.people.abroad[who].astype(np.int64)
    counts = pick(rng, [0, 0, 35, 30, 20, 10, 5], len(who))
    first = receivers(world, country, counts)
    owner, _, day = steady(rng, lognormal(rng, 24.0, 0.45, len(who)), 0.9, world.population.days)
    again = rng.random(len(owner)) < 0.3  # asked by one, one thinks of another
    owner, day = np.concatenate((owner, owner[again])), np.concatenate((day, day[again]))
    sums = lognormal(rng, 65.0, 0.5, len(who))
    return send(
        world,
        rng,
        who[owner],
        first[owner] + _slot(rng, counts[owner], 0.4),
        day,
        lognormal(rng, sums[owner], 0.5, len(owner)),
        shares=(0.10, 0.50, 0.30, 0.10),
        hours=clocks(world, who[owner], {"night-shift": 0.2, "evening": 0.5, "everyday": 0.3}),
        text=words(rng, who[owner], 0.25),
    )


def partner_abroad(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return what passes between a customer and one partner abroad, both ways for half of them, with visits."""
    days = world.population.days
    country = world.people.abroad[who].astype(np.int64)
    counts = pick(rng, [0, 85, 15], len(who))
    first = receivers(world, country, counts)
    new = rng.random(len(who)) < 0.25
    gaps = lognormal(rng, 13.0, 0.5, len(who))
    begins = np.where(new, days * rng.random(len(who)), -gaps * rng.random(len(who)))
    owner, _, day = steady(rng, gaps, 0.6, days, begins=begins)
    sums = lognormal(rng, 105.0, 0.6, len(who))
    there = send(
        world,
        rng,
        who[owner],
        first[owner] + _slot(rng, counts[owner], 0.9),
        day,
        lognormal(rng, sums[owner], 0.5, len(owner)),
        shares=(0.2, 0.45, 0.25, 0.1),
        hours=clocks(world, who[owner], {"night": 0.4, "evening": 0.4, "everyday": 0.2}),
        text=words(rng, who[owner], 0.15),
    )
    back, _, back_day = steady(rng, lognormal(rng, 55.0, 0.4, len(who)), 0.6, days)
    kept = (habit(who, 32, 10) < 5)[back] & (back_day >= begins[back])
    back, back_day = back[kept], back_day[kept]
    amount, arrives = world.sums(
        rng, lognormal(rng, 90.0, 0.7, len(back)), country[back], back_day, (1, 0, 0, 0)
    )
    home = world.flow(
        rng,
        world.moments(rng, back_day, "everyday", country[back]),
        first[back],
        who[back],
        amount,
        rail="bank",
        arrives=arrives,
    )
    visits = np.flatnonzero((habit(who, 33, 10) < 6) & ~new)
    return joined([there, home, stay(world, rng, places, who[visits], country[visits], begins=None)])


def student_support(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return fees to an institution at three term dates and a monthly sum to one relative who studies abroad."""
    country = world.people.abroad[who].astype(np.int64)
    child = receivers(world, country, np.ones(len(who), dtype=np.int64))
    schools = world.add(np.repeat(np.arange(len(world.population.countries)), 4), "institution-abroad")
    owner, term = each(np.full(len(who), 3))
    terms = np.array([75, 195, 285])  # from July: mid September, mid January, mid April
    fees_day = terms[term] + rng.integers(-6, 12, len(owner))
    fees = send(
        world,
        rng,
        who[owner],
        schools[country[owner] * 4 + habit(who[owner], 34, 4)],
        fees_day,
        lognormal(rng, lognormal(rng, 1900.0, 0.5, len(who))[owner], 0.05, len(owner)),
        shares=(0.5, 0.2, 0.2, 0.1),
        hours="everyday",
        rails={"bank": 1.0},
        text=EDUCATION,
    )
    fees_paid = fees.take((habit(who, 35, 10) < 6)[owner])
    fees_paid.code[:] = SCHOOL
    owner, day = _paydays(world, rng, who)
    months = send(
        world,
        rng,
        who[owner],
        child[owner],
        day,
        lognormal(rng, lognormal(rng, 330.0, 0.4, len(who))[owner], 0.15, len(owner)),
        shares=(0.1, 0.5, 0.2, 0.2),
        hours=clocks(world, who[owner], {"evening": 0.6, "everyday": 0.4}),
        text=words(rng, who[owner], 0.4),
    )
    return joined([fees_paid, months])


def charity_sponsor(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return equal monthly sums to a charity, here or abroad; one in twelve also helps people met on a visit."""
    abroad = pick(rng, world.population.weights("work"), len(who))
    pool = world.add(np.repeat(np.arange(len(world.population.countries)), 3), "institution-abroad")
    here = rng.random(len(who)) < 0.7
    charity = np.where(here, places.charities[habit(who, 36, 40)], pool[abroad * 3 + habit(who, 37, 3)])
    price = SPONSORED[habit(who, 38, 7)] * pick(rng, [0, 75, 15, 7, 3], len(who)).astype(np.float64)
    day_of_month = habit(who, 39, 28)
    owner, month = each(np.full(len(who), 12))
    day = (month * MONTH_DAYS + day_of_month[owner]).astype(np.int64)
    amount, arrives = world.sums(rng, price[owner], world.where(charity[owner]), day, (1, 0, 0, 0))
    monthly = world.flow(
        rng,
        world.moments(rng, day, "office", world.clock(who[owner])),
        who[owner],
        charity[owner],
        amount,
        arrives=np.where(world.where(charity[owner]) > 0, arrives, 0),
        rail="bank",
        code=CHARITY,
    )
    met = np.flatnonzero(~here & (habit(who, 40, 4) < 1))
    counts = pick(rng, [0, 60, 30, 10], len(met))
    first = receivers(world, abroad[met], counts)
    helped, _, helped_day = steady(rng, lognormal(rng, 70.0, 0.5, len(met)), 0.8, world.population.days)
    helps = send(
        world,
        rng,
        who[met][helped],
        first[helped] + _slot(rng, counts[helped], 0.6),
        helped_day,
        lognormal(rng, 60.0, 0.6, len(helped)),
        shares=(0.1, 0.6, 0.2, 0.1),
        hours=clocks(world, who[met][helped], {"evening": 0.5, "everyday": 0.5}),
        text=words(rng, who[met][helped], 0.6),
    )
    return joined([monthly, helps])


def stay(
    world: World, rng: np.random.Generator, places: Places, who: Ints, country: Ints, begins: Ints | None
) -> Flow:
    """Return the card payments of a visit: one to three weeks of hotels, meals, taxis and cash in that country."""
    days = world.population.days
    begin = begins if begins is not None else rng.integers(0, days - 25, len(who))
    length = rng.integers(5, 22, len(who))
    owner, _ = each(rng.poisson(0.8 * length) + 1)
    day = begin[owner] + (rng.random(len(owner)) * length[owner]).astype(np.int64)
    inside = day < days
    owner, day = owner[inside], day[inside]
    shop = rng.integers(0, ABROAD_SHOPS, len(owner))
    amount, arrives = world.sums(
        rng, lognormal(rng, 24.0, 0.9, len(owner)), country[owner], day, (0.6, 0.0, 0.4, 0.0)
    )
    return world.flow(
        rng,
        world.moments(rng, day, "everyday", country[owner]),
        who[owner],
        places.abroad[country[owner] * ABROAD_SHOPS + shop],
        amount,
        arrives=arrives,
        rail="card",
        code=ABROAD_CODES[shop % len(ABROAD_CODES)],
    )


def _paydays(world: World, rng: np.random.Generator, who: Ints) -> tuple[Ints, Ints]:
    """Return owner and day of one payment after each payday; who has none keeps a day of the month."""
    payday = world.people.payday[who].astype(np.int64)
    weekly = payday >= 100
    own = np.where(payday > 0, payday, 1 + habit(who, 41, 28))
    owner, turn = each(np.where(weekly, 52, 12))
    late = pick(rng, [35, 30, 15, 10, 5, 5], len(owner))
    # The year begins on the first of a month; weekdays differ by where it begins, which shifts all weekly pay alike.
    month = turn * MONTH_DAYS + np.minimum(own[owner], 30) - 1
    week = turn * 7 + own[owner] % 7
    day = np.where(weekly[owner], week, month).astype(np.int64) + late
    inside = day < world.population.days
    return owner[inside], day[inside]


def _slot(rng: np.random.Generator, counts: Ints, main: float) -> Ints:
    """Return which of so many receivers: the main one in that share of payments, else any."""
    any_of = (rng.random(len(counts)) * counts).astype(np.int64)
    return np.where(rng.random(len(counts)) < main, 0, any_of)
