"""Platform customers, travellers, gamers, the deceived; and children with a birthday."""

from __future__ import annotations

import numpy as np

from lightship.payments.generate.draws import Ints, each, habit, lognormal, pick, steady, within
from lightship.payments.generate.families import stay
from lightship.payments.generate.flow import Flow, joined
from lightship.payments.generate.places import ADULT, AIRLINE, EXCHANGE, GAMES, GIFTS, Places
from lightship.payments.generate.sending import clocks, hosts, receivers, send, shared
from lightship.payments.generate.world import RAIL, World

HOME = (0.2, 0.7, 0.0, 0.1)
"""How sums are chosen where nobody abroad is concerned."""


def adult_platform(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return what lawful platforms are paid: by card, menu prices, at night, to merchants, to nobody abroad."""
    owner, _, day = steady(rng, lognormal(rng, 24.0, 0.9, len(who)), 0.9, world.population.days)
    price = lognormal(rng, lognormal(rng, 26.0, 0.5, len(who))[owner], 0.5, len(owner))
    amount, _ = world.sums(rng, price, np.zeros(len(owner), dtype=np.int64), day, (0.1, 0.9, 0, 0))
    payee = places.adult[habit(who[owner] * 4 + rng.integers(0, 2, len(owner)), 61, 12)]
    at_us = world.moments(rng, day, "night", world.clock(who[owner]))
    return world.flow(rng, at_us, who[owner], payee, amount, rail="card", code=ADULT)


def traveller(world: World, rng: np.random.Generator, places: Places, who: Ints) -> Flow:
    """Return one or two visits: a flight, cards used there; one in eight pays people there too, about that time."""
    days = world.population.days
    country = world.people.abroad[who].astype(np.int64)
    owner, _ = each(1 + (rng.random(len(who)) < 0.3))
    begin = rng.integers(0, days - 25, len(owner))
    there = stay(world, rng, places, who[owner], country[owner], begin)
    flown = rng.random(len(owner)) < 0.7
    day = np.maximum(begin - rng.integers(3, 90, len(owner)), 0)[flown]
    fare = np.rint(lognormal(rng, 310.0, 0.6, int(flown.sum())) * 100.0)
    airline = places.companies[rng.integers(0, 8, len(day))]
    at_us = world.moments(rng, day, "evening", world.clock(who[owner[flown]]))
    flights = world.flow(rng, at_us, who[owner[flown]], airline, fare, rail="card", code=AIRLINE)
    pays = np.flatnonzero(habit(who[owner], 62, 8) < 1)
    counts = pick(rng, [0, 60, 30, 10], len(pays))
    first = receivers(world, country[owner[pays]], counts, "friend-abroad")
    row, _ = each(1 + rng.poisson(1.2, len(pays)))
    near = np.clip(begin[pays][row] + rng.integers(-20, 60, len(row)), 0, days - 1)
    payee = first[row] + (rng.random(len(row)) * counts[row]).astype(np.int64)
    paid = send(
        world,
        rng,
        who[owner[pays]][row],
        hosts(world, rng, payee, country[owner[pays]][row]),
        near,
        lognormal(rng, 70.0, 0.7, len(row)),
        shares=(0.15, 0.4, 0.35, 0.1),
        hours=clocks(world, who[owner[pays]][row], {"everyday": 0.5, "evening": 0.5}),
    )
    return joined([there, flights, paid])


def romance_fraud_victim(world: World, rng: np.random.Generator, who: Ints) -> Flow:
    """Return what a deceived person sends: to one to three receivers, growing fast, over months, until it ends."""
    days = world.population.days
    country = world.people.abroad[who].astype(np.int64)
    counts = pick(rng, [0, 50, 35, 15], len(who))
    first = shared(rng, receivers(world, country, counts), counts, country, 0.35)
    number = rng.integers(4, 26, len(who))
    owner, step = each(number)
    length = rng.uniform(40, 240, len(who))
    gaps = lognormal(rng, 1.0, 0.6, len(owner)) / np.sqrt(1.0 + step)
    reach = within(gaps, number)
    begin = rng.uniform(-60, days - 30, len(who))
    day = begin[owner] + length[owner] * reach / reach[np.cumsum(number)[owner] - 1]
    from_, grown = lognormal(rng, 85.0, 0.6, len(who)), lognormal(rng, 14.0, 0.7, len(who))
    wanted = from_[owner] * grown[owner] ** (step / number[owner]) * lognormal(rng, 1.0, 0.3, len(owner))
    inside = (day >= 0) & (day < days)
    owner, step, wanted = owner[inside], step[inside], wanted[inside]
    slot = (counts[owner] * step / number[owner]).astype(np.int64)
    return send(
        world,
        rng,
        who[owner],
        first[owner] + slot,
        day[inside].astype(np.int64),
        wanted,
        shares=(0.15, 0.55, 0.15, 0.15),
        hours=clocks(world, who[owner], {"evening": 0.6, "everyday": 0.4}),
        rails={"bank": 0.45, "remittance": 0.35, "crypto": 0.2},
    )


def gamer(
    world: World, rng: np.random.Generator, places: Places, who: Ints, median: float, hours: str
) -> Flow:
    """Return a long, steady history of games, some gift cards, and a spree now and then."""
    owner, _, day = steady(rng, lognormal(rng, 17.0, 0.6, len(who)), 1.0, world.population.days)
    again, _ = each(np.where(rng.random(len(owner)) < 0.04, rng.integers(2, 6, len(owner)), 0))  # a spree
    owner, day = np.concatenate((owner, owner[again])), np.concatenate((day, day[again]))
    price, _ = world.sums(
        rng,
        lognormal(rng, median, 0.7, len(owner)),
        np.zeros(len(owner), dtype=np.int64),
        day,
        (0.1, 0.9, 0, 0),
    )
    cards = rng.random(len(owner)) < 0.2
    payee = np.where(
        cards,
        places.gifts[habit(who[owner], 63, len(places.gifts))],
        places.games[habit(who[owner] * 4 + rng.integers(0, 3, len(owner)), 64, len(places.games))],
    )
    return world.flow(
        rng,
        world.moments(rng, day, hours, world.clock(who[owner])),
        who[owner],
        payee,
        np.maximum(price - 1, 1),
        rail=np.where(cards, RAIL["gift-card"], RAIL["gaming"]),
        code=np.where(cards, GIFTS, GAMES),
    )


def children(world: World, rng: np.random.Generator, places: Places) -> Flow:
    """Return what children do now and then: a spree on a birthday, a stranger's trainers, money to a relative."""
    people, kinds, days = world.people, world.population.everyday, world.population.days
    older = np.flatnonzero(people.age[: people.children] >= 11)
    spree = older[rng.random(len(older)) < kinds.child_splurge_share]
    owner, _ = each(rng.integers(2, 7, len(spree)))
    begin = rng.integers(0, days - 3, len(spree))
    day = begin[owner] + (rng.random(len(owner)) * 2.0).astype(np.int64)
    way = pick(rng, [35, 15, 2, 28, 20], len(owner))  # games, gift cards, crypto, shops, friends
    pools = (places.games, places.gifts, places.exchanges, places.shops, places.strangers)
    payee = np.choose(way, [pool[habit(spree[owner] + 7 * way, 65, len(pool))] for pool in pools])
    rails = np.array([RAIL[rail] for rail in ("gaming", "gift-card", "crypto", "card", "bank")])[way]
    codes = np.array([GAMES, GIFTS, EXCHANGE, 5651, 0])[way]
    home = np.zeros(len(owner), dtype=np.int64)
    amount, _ = world.sums(rng, lognormal(rng, 24.0, 0.7, len(owner)), home, day, HOME)
    at_us = world.moments(rng, day, "child", world.clock(spree[owner]))
    birthday = world.flow(rng, at_us, spree[owner], payee, amount, rail=rails, code=codes)
    gift, _ = world.sums(rng, lognormal(rng, 60.0, 0.5, len(spree)), home[: len(spree)], begin, (0, 1, 0, 0))
    giver = places.strangers[habit(spree, 66, len(places.strangers))]
    gifts = world.flow(
        rng, world.moments(rng, begin, "everyday", world.clock(giver)), giver, spree, gift, rail="bank"
    )
    buyer = older[rng.random(len(older)) < kinds.child_stranger_share]
    owner, _ = each(rng.integers(1, 4, len(buyer)))
    day = rng.integers(0, days - 3, len(buyer))[owner] + (rng.random(len(owner)) < 0.2)
    seller = places.strangers[habit(buyer[owner], 67, len(places.strangers))]
    amount, _ = world.sums(
        rng, lognormal(rng, 38.0, 0.8, len(owner)), np.zeros(len(owner), dtype=np.int64), day, HOME
    )
    at_us = world.moments(rng, day, "child", world.clock(buyer[owner]))
    strangers = world.flow(rng, at_us, buyer[owner], seller, amount, rail="bank")
    tied = np.flatnonzero(
        (people.abroad[: people.children] > 0) & (rng.random(people.children) < kinds.child_abroad)
    )
    country = people.abroad[tied].astype(np.int64)
    first = receivers(world, country, np.ones(len(tied), dtype=np.int64))
    owner, _ = each(1 + rng.poisson(1.0, len(tied)))
    relatives = send(
        world,
        rng,
        tied[owner],
        first[owner],
        rng.integers(0, days, len(owner)),
        lognormal(rng, 25.0, 0.6, len(owner)),
        shares=(0.1, 0.7, 0.2, 0.0),
        hours="child",
    )
    return joined([birthday, gifts, strangers, relatives])
