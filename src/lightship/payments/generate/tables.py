"""Customers, ties and the truth as tables."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa

from lightship.payments.generate.draws import Ints
from lightship.payments.generate.flow import TYPOLOGIES
from lightship.payments.generate.people import GROUPS, TIES
from lightship.payments.generate.table_files import account_ids
from lightship.payments.generate.world import World
from lightship.payments.schema import schema

_EPOCH_DAY_US = 86_400_000_000
TRUTH = pa.schema(
    [
        pa.field("subject", pa.string(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("typology", pa.string()),
    ]
)


def customers_table(world: World, rng: np.random.Generator, seed: int) -> pa.Table:
    """Return the customers, in the order of their ids; some without year of birth or sex."""
    people, population = world.people, world.population
    size = len(people)
    business = np.arange(size) >= size - people.businesses
    codes = np.array([country.code for country in population.countries])
    zones = np.array([country.zone for country in population.countries])
    first_day = world.start_us // _EPOCH_DAY_US
    unborn = business | ((people.age >= 18) & (rng.random(size) < population.everyday.unborn))
    unsexed = business | (rng.random(size) < population.everyday.unsexed)
    last = population.until - timedelta(days=1)
    later = rng.random(size) < 0.5  # in the year than its last day: who is 17 then was born a year earlier
    born = last.year - people.age.astype(np.int64) - later
    # A stream of its own, so that everything else is drawn as before.
    part = np.random.default_rng([seed, 3]).random(size)
    month = 1 + np.where(later, last.month + part * (12 - last.month), part * last.month).astype(np.int64)
    table = pa.table(
        {
            "customer": account_ids(np.arange(size), seed),
            "kind": pa.array(np.where(business, "business", "person")),
            "opened": pa.array((first_day + people.opened).astype(np.int32)).cast(pa.date32()),
            "country": pa.array(codes[people.lives]),
            "zone": pa.array(zones[people.lives]),
            "born_year": pa.array(born.astype(np.int16), mask=unborn),
            "born_month": pa.array(month.astype(np.int16), mask=unborn),
            "sex": pa.array(np.where(people.man, "M", "F"), mask=unsexed),
        },
        schema=schema("customers"),
    )
    return table.sort_by("customer")


def ties_table(world: World, seed: int) -> pa.Table:
    """Return what the bank knows that ties customers to countries."""
    people = world.people
    known = np.flatnonzero(people.known)
    codes = np.array([country.code for country in world.population.countries])
    return pa.table(
        {
            "customer": account_ids(known, seed),
            "country": pa.array(codes[people.abroad[known]]),
            "tie": pa.array(np.array(TIES)[people.tie[known]]),
        },
        schema=schema("ties"),
    ).sort_by("customer")


def truth_table(world: World, seed: int, receivers: dict[str, Ints], subjects: tuple[Ints, ...]) -> pa.Table:
    """Return who is what: all customers by the life they live, and receivers by whom they are paid.

    `subjects` are the accounts of the four typologies, in their order.
    """
    people = world.people
    groups = np.array(GROUPS)[people.group].astype(object)
    label: dict[int, str] = {}
    for name, accounts in receivers.items():
        label.update(dict.fromkeys(accounts.tolist(), f"receiver of {name}"))
    typology: dict[int, str] = {}
    for name, accounts in zip(TYPOLOGIES, subjects, strict=True):
        for account in accounts.tolist():
            typology[account] = name
            label.setdefault(account, "receiver")
    others = np.array(sorted(account for account in label if account >= len(people)), dtype=np.int64)
    numbers = np.concatenate((np.arange(len(people)), others))
    return pa.table(
        {
            "subject": account_ids(numbers, seed),
            "group": pa.array([*groups.tolist(), *(label[one] for one in others.tolist())]),
            "typology": pa.array([typology.get(one) for one in numbers.tolist()], pa.string()),
        },
        schema=TRUTH,
    )
