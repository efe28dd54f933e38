"""Children who are being extorted, and the mules whom they are made to pay; drawn from the published figures alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightship.payments.generate.draws import Floats, Ints, each, habit, lognormal, pick, within
from lightship.payments.generate.flow import MULE_PART, VICTIM_PART, Flow, joined
from lightship.payments.generate.places import EXCHANGE, GIFTS, Places
from lightship.payments.generate.sending import receivers, send
from lightship.payments.generate.world import RAIL, World

HOUR_US = 3_600_000_000
PERSON, GIFT_CARD, CRYPTO = range(3)


@dataclass(frozen=True, slots=True)
class Extorted:
    """The victims, the mules at home and abroad, and what passed.

    Parameters
    ----------
    victims, mules
        Numbers of accounts; some mules are customers.
    flow
        The payments.
    """

    victims: Ints
    mules: Ints
    flow: Flow


def extorted(world: World, rng: np.random.Generator, places: Places) -> Extorted:
    """Return the victims' bursts and the mules' takings."""
    prior, people = world.population.extortion, world.people
    victims = _victims(world, rng)
    own = _mule_customers(world, rng)
    home = np.concatenate((own, places.strangers[habit(np.arange(2 * len(own)), 81, len(places.strangers))]))
    country = pick(rng, world.population.weights("extortion"), max(3, len(victims) // 5))
    abroad = receivers(world, country, np.ones(len(country), dtype=np.int64), "receiver-abroad")

    counts = pick(rng, _burst_weights(*prior.count), len(victims)) + prior.count[0]
    owner, _ = each(counts)
    begin = rng.integers(0, world.population.days - 3, len(victims))
    first = world.moments(rng, begin, prior.hours, world.clock(victims))
    reach = np.minimum(_reach_h(rng, counts, prior.gap_median_h), prior.hours_max)
    at_us = first[owner] + (reach * HOUR_US).astype(np.int64)
    wanted = _sums(rng, counts, prior.first, prior.total_max)
    main = pick(rng, list(prior.rails.values()), len(victims))
    other = pick(rng, list(prior.rails.values()), len(owner))
    way = np.where(rng.random(len(owner)) < prior.switch, other, main[owner])

    foreign = rng.random(len(victims)) < prior.abroad
    mule = np.where(
        foreign,
        abroad[rng.integers(0, len(abroad), len(victims))],
        home[rng.integers(0, len(home), len(victims))],
    )
    second = np.where(
        foreign,
        abroad[rng.integers(0, len(abroad), len(victims))],
        home[rng.integers(0, len(home), len(victims))],
    )
    person = np.where(rng.random(len(owner)) < 0.25, second[owner], mule[owner])
    payee = np.choose(
        way,
        [
            person,
            places.gifts[habit(victims[owner], 82, len(places.gifts))],
            places.exchanges[habit(victims[owner], 83, len(places.exchanges))],
        ],
    )
    amount, arrives = world.sums(rng, wanted, world.where(payee), begin[owner], (0.1, 0.8, 0.1, 0.0))
    sent = np.where(rng.random(len(owner)) < 0.6, RAIL["wallet"], RAIL["remittance"])
    to_person = np.where(world.where(person) > 0, sent, RAIL["bank"])
    burst = world.flow(
        rng,
        at_us,
        victims[owner],
        payee,
        amount,
        rail=np.choose(way, [to_person, RAIL["gift-card"], RAIL["crypto"]]),
        arrives=np.where(world.where(payee) > 0, arrives, 0),
        code=np.choose(way, [0, GIFTS, EXCHANGE]),
        via=habit(victims[owner], 84, 8),
    )
    burst.part[:] = VICTIM_PART
    again = np.flatnonzero(rng.random(len(victims)) < prior.recovery_fee)
    later = np.minimum(begin[again] + rng.integers(7, 22, len(again)), world.population.days - 1)
    fees = send(
        world,
        rng,
        victims[again],
        abroad[rng.integers(0, len(abroad), len(again))],
        later,
        lognormal(rng, 90.0, 0.5, len(again)),
        shares=(0.1, 0.8, 0.1, 0.0),
        hours="evening",
        rails={"wallet": 0.6, "bank": 0.4},
    )
    assert (people.age[victims] >= prior.ages[0]).all()
    paid = np.unique(payee[way == PERSON])
    return Extorted(
        victims, np.union1d(own, paid), joined([burst, fees, _takings(world, rng, places, own, abroad)])
    )


def _burst_weights(low: int, high: int) -> Floats:
    """Return shares of bursts by length: short ones are the commonest."""
    return 1.0 / np.arange(low, high + 1, dtype=np.float64)


def _reach_h(rng: np.random.Generator, counts: Ints, gap_median_h: float) -> Floats:
    """Return hours since the first payment."""
    owner, step = each(counts)
    gaps = lognormal(rng, gap_median_h, 1.1, len(owner))
    return within(np.where(step == 0, 0.0, gaps), counts)


def _sums(rng: np.random.Generator, counts: Ints, first: tuple[float, float], total_max: float) -> Floats:
    """Return sums: a small first one, then as much as is left, up to the total."""
    owner, step = each(counts)
    low, high = first
    begin = np.exp(rng.uniform(np.log(low), np.log(high), len(counts)))
    wanted = np.where(step == 0, begin[owner], lognormal(rng, 1.3 * begin[owner], 0.6, len(owner)))
    total = np.bincount(owner, weights=wanted, minlength=len(counts))
    return np.asarray(wanted * np.minimum(1.0, total_max / total)[owner], dtype=np.float64)


def _victims(world: World, rng: np.random.Generator) -> Ints:
    """Return which accounts: boys of 14 to 17 most, some girls, a few who have just grown up."""
    people, prior = world.people, world.population.extortion
    number = max(3, round(prior.victims * people.children))
    low, high = prior.ages
    young = (np.arange(len(people)) < people.children) & (people.age >= low) & (people.opened < 0)
    grown = (people.age > high) & (people.age <= high + 2) & (people.opened < 0)
    weight = young * (1.0 - prior.grown) / young.sum() + grown * prior.grown / max(grown.sum(), 1)
    weight *= np.where(people.man, prior.boys, 1.0 - prior.boys)
    return np.sort(rng.choice(len(people), number, replace=False, p=weight / weight.sum()))


def _mule_customers(world: World, rng: np.random.Generator) -> Ints:
    people = world.people
    young = np.flatnonzero((people.age >= 18) & (people.age <= 27) & (people.opened < 0))
    return np.sort(
        rng.choice(young, max(2, round(world.population.extortion.mules * len(people))), replace=False)
    )


def _takings(world: World, rng: np.random.Generator, places: Places, mules: Ints, abroad: Ints) -> Flow:
    """Return what a mule's account takes from the young at other banks, and how fast it goes on."""
    low, high = world.population.extortion.mule_credits
    counts = rng.integers(low, high + 1, len(mules))
    owner, _ = each(counts)
    length = rng.integers(10, 60, len(mules))
    day = rng.integers(0, world.population.days - 62, len(mules))[owner] + (
        rng.random(len(owner)) * length[owner]
    ).astype(np.int64)
    payer = places.strangers[rng.integers(0, len(places.strangers), len(owner))]
    home = np.zeros(len(owner), dtype=np.int64)
    amount, _ = world.sums(rng, lognormal(rng, 70.0, 0.6, len(owner)), home, day, (0.1, 0.8, 0.0, 0.1))
    at_us = world.moments(rng, day, "victim", world.clock(payer))
    taken = world.flow(rng, at_us, payer, mules[owner], amount, rail="bank")
    goes = np.flatnonzero(rng.random(len(owner)) < 0.75)
    onward = owner[goes]
    coin = rng.random(len(goes)) < 0.6
    payee = np.where(
        coin,
        places.exchanges[habit(mules[onward], 85, len(places.exchanges))],
        abroad[habit(mules[onward], 86, len(abroad))],
    )
    keeps = 0.97 - 0.12 * rng.random(len(goes))
    _, arrives = world.sums(rng, amount[goes] * keeps / 100.0, world.where(payee), day[goes], (1, 0, 0, 0))
    gone = world.flow(
        rng,
        at_us[goes] + (lognormal(rng, 1.2, 1.0, len(goes)) * HOUR_US).astype(np.int64),
        mules[onward],
        payee,
        np.maximum(amount[goes] * keeps, 1.0),
        rail=np.where(coin, RAIL["crypto"], RAIL["remittance"]),
        arrives=np.where(coin, 0, arrives),
        code=np.where(coin, EXCHANGE, 0),
        via=habit(mules[onward], 87, 8),
    )
    both = joined([taken, gone])
    both.part[:] = MULE_PART
    return both
