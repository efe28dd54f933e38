"""Payers and receivers of livestreamed abuse, drawn from the published figures alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightship.payments.generate.draws import Floats, Ints, each, lognormal, pick, within
from lightship.payments.generate.families import stay
from lightship.payments.generate.flow import PAYER_PART, Flow, joined
from lightship.payments.generate.leisure import adult_platform
from lightship.payments.generate.parameters import Payer
from lightship.payments.generate.people import GROUPS
from lightship.payments.generate.places import Places
from lightship.payments.generate.sending import send, words
from lightship.payments.generate.world import World

PROLIFIC = 20
"""More payments than that: the class of short gaps."""
SHARED_LIVES = ("overseas-family", "irregular-helper", "partner-abroad", "traveller", "adult-platform")


@dataclass(frozen=True, slots=True)
class Abusers:
    """The payers, the receivers, and what passed between them.

    Parameters
    ----------
    payers, receivers
        Numbers of accounts.
    flow
        The payments.
    """

    payers: Ints
    receivers: Ints
    flow: Flow


def payment_counts(rng: np.random.Generator, payers: int, prior: Payer) -> Ints:
    """Return how often each payer pays: the published totals' lognormal, once at least."""
    draws = np.rint(lognormal(rng, np.exp(prior.count_mu), prior.count_sigma, payers))
    return np.clip(draws, 1, prior.count_cap).astype(np.int64)


def payment_sums(rng: np.random.Generator, counts: Ints, prior: Payer) -> Floats:
    """Return each payment's sum before rounding: a person's own level, growing with the count, and a tail."""
    owner, step = each(counts)
    level = lognormal(rng, prior.sum_median, prior.sum_person_sigma, len(counts))
    growth = _between(rng, prior.growth, len(counts))
    wanted = level[owner] * (1.0 + growth[owner] * np.log1p(step))
    wanted = lognormal(rng, wanted, prior.sum_payment_sigma, len(owner))
    far = rng.random(len(owner)) < prior.tail_share
    return np.where(far, wanted * np.exp(np.abs(prior.tail_sigma * rng.standard_normal(len(owner)))), wanted)


def payment_days(rng: np.random.Generator, counts: Ints, days: int, prior: Payer) -> Ints:
    """Return each payment's day: gaps of weeks, or of days for the prolific, shrinking as they go on."""
    owner, step = each(counts)
    usual = np.where(
        counts > PROLIFIC,
        _between(rng, prior.gap_prolific, len(counts)),
        _between(rng, prior.gap_occasional, len(counts)),
    )
    growth = _between(rng, prior.growth, len(counts))
    gaps = lognormal(rng, usual[owner] / (1.0 + growth[owner] * np.log1p(step)), prior.gap_sigma, len(owner))
    reach = within(np.where(step == 0, 0.0, gaps), counts)
    whole = reach[np.cumsum(counts) - 1]
    fits = np.minimum(
        1.0, 0.97 * days / np.maximum(whole, 1e-9)
    )  # who pays 100 times in a year has shorter gaps
    begin = rng.random(len(counts)) * (days - whole * fits)
    return np.clip(begin[owner] + reach * fits[owner], 0, days - 1).astype(np.int64)


def _between(rng: np.random.Generator, range_: tuple[float, float], size: int) -> Floats:
    low, high = range_
    return rng.uniform(low, high, size)


def abusers(world: World, rng: np.random.Generator, places: Places, payers: int) -> Abusers:
    """Return the payers among the customers, the receivers, and the payments."""
    prior = world.population.payer
    who = _customers(world, rng, payers)
    counts = payment_counts(rng, payers, prior)
    wanted = payment_sums(rng, counts, prior)
    day = payment_days(rng, counts, world.population.days, prior)
    several = np.clip(1 + rng.poisson(prior.receivers * np.log(counts)), 1, np.minimum(counts, 6))
    pair_owner, _ = each(several)
    receivers, pair = _receivers(world, rng, pair_owner, payers)
    owner, step = each(counts)
    first = np.cumsum(several) - several
    now = several[owner] * (step + rng.random(len(owner))) / counts[owner]  # replaced over time ...
    slot = np.where(rng.random(len(owner)) < 0.25, rng.random(len(owner)) * now, now)  # ... or paid again
    flow = send(
        world,
        rng,
        who[owner],
        pair[first[owner] + np.minimum(slot.astype(np.int64), several[owner] - 1)],
        day,
        wanted,
        shares=(1.0 - prior.menu_home - prior.menu_abroad, prior.menu_home, prior.menu_abroad, 0.0),
        hours=prior.hours,
        rails=prior.rails,
        text=words(rng, who[owner], prior.text),
    )
    flow.part[:] = PAYER_PART
    main = world.where(pair[first])
    visits = np.flatnonzero(rng.random(payers) < prior.also_travel)
    buys = np.flatnonzero(rng.random(payers) < prior.also_platform)
    return Abusers(
        who,
        receivers,
        joined(
            [
                flow,
                stay(world, rng, places, who[visits], main[visits], None),
                adult_platform(world, rng, places, who[buys]),
            ]
        ),
    )


def _customers(world: World, rng: np.random.Generator, payers: int) -> Ints:
    """Return which customers pay: mostly men in mid-life, of everyday lives and of others."""
    people, prior = world.people, world.population.payer
    mean, spread = prior.age
    weight = np.exp(-0.5 * ((people.age - mean) / spread) ** 2)
    weight *= np.where(people.man, prior.men, 1.0 - prior.men)
    weight *= (np.arange(len(people)) >= people.children) & (people.age > 0) & (people.opened < 0)
    other = np.isin(people.group, [GROUPS.index(name) for name in SHARED_LIVES])
    for rows, share in ((other, prior.from_lookalikes), (~other, 1.0 - prior.from_lookalikes)):
        weight[rows] *= share / max(weight[rows].sum(), 1e-300)
    return np.sort(rng.choice(len(people), payers, replace=False, p=weight / weight.sum()))


def _receivers(world: World, rng: np.random.Generator, pair_owner: Ints, payers: int) -> tuple[Ints, Ints]:
    """Return the receivers, and for each pair of payer and receiver who it is.

    How many payers a receiver has in all the world follows a power law; this bank sees its share of them.
    """
    prior, population = world.population.payer, world.population
    low, high = prior.receiver_fan
    fans = np.arange(low, high + 1)
    power = 1.0 / fans.astype(np.float64) ** 2
    mean = float((fans * power).sum() / power.sum())
    size = max(2, round(len(pair_owner) / (mean * prior.market_share)))
    country = pick(rng, population.weights("payer"), size)
    popular = fans[pick(rng, power, size)].astype(np.float64)
    accounts = world.add(country, "receiver-abroad", named=True)
    home_of = country[pick(rng, popular, payers)][pair_owner]
    elsewhere = country[pick(rng, popular, len(pair_owner))]
    wanted = np.where(rng.random(len(pair_owner)) < prior.same_country, home_of, elsewhere)
    pair = np.zeros(len(pair_owner), dtype=np.int64)
    for one in np.unique(wanted):
        rows, there = np.flatnonzero(wanted == one), np.flatnonzero(country == one)
        pair[rows] = accounts[there[pick(rng, popular[there], len(rows))]]
    return np.unique(pair), pair
