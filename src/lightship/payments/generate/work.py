"""People who pay or are paid for work: payroll to many small payees, payouts of platforms, club treasurers."""

from __future__ import annotations

import numpy as np

from lightship.payments.generate.draws import Ints, each, habit, lognormal, pick, steady
from lightship.payments.generate.flow import INVOICE, NO_TEXT, Flow, joined
from lightship.payments.generate.places import Places
from lightship.payments.generate.sending import hosts, receivers, send, words
from lightship.payments.generate.world import World

SHARED_BY = 4
"""Customers who share a tutor or assistant with others, a tutor or assistant. A."""


def payroll_abroad(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return pay to tutors, assistants and the like abroad: fixed dates, stable payees, invoices.

    Four in five payers are businesses with 4-25 payees; the others persons with two to six, in the evening, some
    without a text. Three payees in ten work for several.
    """
    people, days = world.people, world.population.days
    business = who >= len(people) - people.businesses
    country = people.abroad[who].astype(np.int64)
    staff = np.where(
        business, 4 + rng.geometric(0.12, len(who)), 2 + pick(rng, [40, 30, 15, 10, 5], len(who))
    )
    staff = np.minimum(staff, 25)
    first = receivers(world, country, staff)
    worker, number = each(staff)
    both = rng.random(len(worker)) < 0.3
    pool = 1 + np.bincount(country[worker[both]], minlength=len(world.population.countries)) // SHARED_BY
    common = receivers(world, np.arange(len(pool)), pool)
    among = country[worker]
    payee = np.where(
        both, common[among] + (rng.random(len(worker)) * pool[among]).astype(np.int64), first[worker] + number
    )
    wage = lognormal(rng, np.where(business[worker], 190.0, 90.0), 0.6, len(worker))
    begins = np.where(rng.random(len(worker)) < 0.25, rng.integers(0, days, len(worker)), -1)
    ends = np.where(rng.random(len(worker)) < 0.2, rng.integers(0, days, len(worker)), days)
    fortnight = habit(who, 51, 10) < 4
    row, turn = each(np.where(fortnight[worker], 26, 12))
    gap = np.where(fortnight[worker[row]], 14.0, 30.4)
    day = (turn * gap + habit(who, 52, 12)[worker[row]]).astype(np.int64) + (rng.random(len(row)) < 0.15)
    works = (day > begins[row]) & (day < ends[row]) & (day < days)
    row, day = row[works], day[works]
    owner = worker[row]
    hours = np.where(business[owner], world.profile("office"), world.profile("evening"))
    writes = np.where(business[owner], habit(who[owner], 53, 10) < 7, habit(who[owner], 53, 10) < 3)
    return send(
        world,
        rng,
        who[owner],
        payee[row],
        day,
        lognormal(rng, wage[row], 0.06, len(row)),
        shares=(0.4, 0.2, 0.4, 0.0),
        hours=hours,
        rails={"bank": 0.45, "remittance": 0.3, "wallet": 0.25},
        text=np.where(writes, INVOICE, NO_TEXT),
    )


def gig(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return payouts of platforms, odd net sums; one in four sells used things and is paid by strangers instead."""
    days = world.population.days
    weekly = habit(who, 54, 10) < 4
    owner, _, day = steady(rng, np.where(weekly, 8.0, 28.0), 0.35, days)
    sells = (habit(who, 55, 4) < 1)[owner]
    abroad = habit(who, 56, 10)[owner] < 3
    platform = np.where(
        abroad, places.payouts_abroad[habit(who[owner], 57, 8)], places.payouts[habit(who[owner], 58, 20)]
    )
    paid, paid_day = owner[~sells], day[~sells]
    mean = lognormal(rng, 95.0, 0.8, len(who))
    amount, _ = world.sums(
        rng,
        lognormal(rng, mean[paid], 0.45, len(paid)),
        np.zeros(len(paid), dtype=np.int64),
        paid_day,
        (1, 0, 0, 0),
    )
    payer = platform[~sells]
    payouts = world.flow(
        rng, world.moments(rng, paid_day, "office", world.clock(payer)), payer, who[paid], amount, rail="bank"
    )
    sold, sold_day = owner[sells], day[sells]
    buyer = places.strangers[rng.integers(0, len(places.strangers), len(sold))]
    price, _ = world.sums(
        rng,
        lognormal(rng, 18.0, 0.8, len(sold)),
        np.zeros(len(sold), dtype=np.int64),
        sold_day,
        (0.3, 0.6, 0, 0.1),
    )
    sales = world.flow(
        rng, world.moments(rng, sold_day, "evening", world.clock(buyer)), buyer, who[sold], price, rail="bank"
    )
    return joined([payouts, sales])


def collector(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return what a treasurer collects: many equal small credits within days and one payment on, some times a year."""
    days = world.population.days
    owner, _ = each(1 + rng.poisson(2.0, len(who)))
    begin = rng.integers(0, days - 20, len(owner))
    heads = rng.integers(8, 36, len(owner))
    share = lognormal(rng, 22.0, 0.7, len(owner))
    event, _ = each(heads)
    day = begin[event] + (rng.random(len(event)) ** 2 * 10.0).astype(np.int64)
    own = rng.random(len(event)) < 0.3
    near = (who[owner[event]] + rng.integers(1, 200, len(event))) % (
        len(world.people) - world.people.businesses
    )
    payer = np.where(own, near, places.strangers[rng.integers(0, len(places.strangers), len(event))])
    nowhere = np.zeros(len(event), dtype=np.int64)
    amount, _ = world.sums(rng, share[event], nowhere, day, (0.1, 0.9, 0.0, 0.0))
    credits_ = world.flow(
        rng,
        world.moments(rng, day, "evening", world.clock(payer)),
        payer,
        who[owner[event]],
        amount,
        rail="bank",
    )
    total = np.maximum(np.bincount(event, weights=amount, minlength=len(owner)) * 0.97, 100.0)
    payee = places.companies[rng.integers(0, len(places.companies), len(owner))]
    onward = world.flow(
        rng,
        world.moments(rng, begin + 11, "everyday", world.clock(who[owner])),
        who[owner],
        payee,
        total,
        rail="bank",
    )
    return joined([credits_, onward])


def once_abroad(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return single payments to a person abroad: a friend, a deposit, a stranger's parcel."""
    country = pick(rng, world.population.weights("remit") + world.population.weights("travel"), len(who))
    first = receivers(world, country, np.ones(len(who), dtype=np.int64), "friend-abroad")
    first = hosts(world, rng, first, country)
    owner, _ = each(1 + (rng.random(len(who)) < 0.25))
    day = rng.integers(0, world.population.days, len(owner))
    return send(
        world,
        rng,
        who[owner],
        first[owner],
        day,
        lognormal(rng, 62.0, 1.0, len(owner)),
        shares=(0.25, 0.45, 0.2, 0.1),
        hours="evening",
        text=words(rng, who[owner], 0.1),
    )
