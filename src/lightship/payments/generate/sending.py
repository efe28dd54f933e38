"""What all who send money to people abroad have in common."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lightship.payments.generate.draws import Floats, Ints, habit, pick
from lightship.payments.generate.flow import FAMILY_TEXTS, NO_TEXT, VIAS, Flow
from lightship.payments.generate.world import RAIL, World

REMITTED = {"remittance": 0.58, "wallet": 0.18, "bank": 0.24}
"""Ways in which private people send money abroad. A."""


HOST_FAN = 4
"""Customers of a host or seller abroad, in the mean. A."""


def receivers(world: World, country: Ints, counts: Ints, label: str = "receiver-abroad") -> Ints:
    """Return for each owner the first of so many new receivers in his country; the others follow it."""
    accounts = world.add(np.repeat(country, counts), label, named=True)
    return (
        accounts[0] + np.cumsum(counts) - counts if len(accounts) else np.zeros(len(counts), dtype=np.int64)
    )


def shared(rng: np.random.Generator, first: Ints, counts: Ints, country: Ints, share: float) -> Ints:
    """Return the first receivers, some of them those of another owner: two of one family, two victims of one fraud."""
    order = np.lexsort((counts, country))
    one, other = order[1:], order[:-1]
    same = (country[one] == country[other]) & (counts[one] <= counts[other])
    same &= rng.random(len(one)) < share
    found = first.copy()
    found[one[same]] = first[other[same]]
    return found


def hosts(world: World, rng: np.random.Generator, first: Ints, country: Ints) -> Ints:
    """Return the receivers, some of them hosts and sellers whom many pay: the k-th of a country gets 1/k of them."""
    share = world.population.everyday.popular
    if not share:
        return first
    chosen = np.flatnonzero(rng.random(len(first)) < share)
    found = first.copy()
    for one in np.unique(country[chosen]):
        rows = chosen[country[chosen] == one]
        pool = world.add(np.full(1 + len(rows) // HOST_FAN, one), "friend-abroad", named=True)
        found[rows] = pool[pick(rng, 1.0 / np.arange(1, len(pool) + 1), len(rows))]
    return found


def send(
    world: World,
    rng: np.random.Generator,
    who: Ints,
    payee: Ints,
    day: Ints,
    wanted: Floats,
    *,
    shares: tuple[float, float, float, float],
    hours: str | Ints,
    rails: dict[str, float] = REMITTED,
    text: NDArray[np.integer] | int = NO_TEXT,
) -> Flow:
    """Return payments to people abroad; each sender keeps to the way and the remitter that he is used to."""
    amount, arrives = world.sums(rng, wanted, world.where(payee), day, shares)
    ways = np.array([RAIL[rail] for rail in rails])
    usual = ways[
        np.searchsorted(np.cumsum(list(rails.values()))[:-1], habit(who, 21, 1000) / 1000.0, side="right")
    ]
    rail = np.where(rng.random(len(who)) < 0.85, usual, ways[pick(rng, list(rails.values()), len(who))])
    return world.flow(
        rng,
        world.moments(rng, day, hours, world.clock(who)),
        who,
        payee,
        amount,
        arrives=arrives,
        rail=rail,
        via=np.where(
            rng.random(len(who)) < 0.8, habit(who, 22, len(VIAS)), rng.integers(0, len(VIAS), len(who))
        ),
        text=text,
    )


def words(rng: np.random.Generator, who: Ints, share: float) -> NDArray[np.int64]:
    """Return reference texts: a share of the senders write one, most often the same."""
    writes = habit(who, 23, 1000) < 1000 * share
    usual = habit(who, 24, len(FAMILY_TEXTS))
    found = np.where(rng.random(len(who)) < 0.7, usual, rng.integers(0, len(FAMILY_TEXTS), len(who)))
    return np.where(writes & (rng.random(len(who)) < 0.8), found, NO_TEXT)


def clocks(world: World, who: Ints, profiles: dict[str, float]) -> Ints:
    """Return each row's profile of hours: a person keeps to one, such as those who work at night."""
    edges = np.cumsum(list(profiles.values()))[:-1]
    places = np.concatenate([world.profile(name) for name in profiles])
    return places[np.searchsorted(edges, habit(who, 25, 1000) / 1000.0, side="right")]
