"""A made-up population as a dataset with its truth: everyday lives, every group that looks like a typology, and those.

Nobody in it exists. The reference texts are the everyday categories of the official guidance; nothing else is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.payments.generate import families, leisure, work
from lightship.payments.generate.draws import Ints
from lightship.payments.generate.everyday import Everyday
from lightship.payments.generate.extortion import extorted
from lightship.payments.generate.flow import TYPOLOGIES, Flow, joined
from lightship.payments.generate.parameters import Population, load
from lightship.payments.generate.payers import SHARED_LIVES, abusers, payment_counts
from lightship.payments.generate.people import GROUPS, OTHERS, drawn
from lightship.payments.generate.places import Places
from lightship.payments.generate.table_files import PaymentsFile, account_ids, beside, write_table
from lightship.payments.generate.tables import customers_table, ties_table, truth_table
from lightship.payments.generate.world import DAY_US, NAMELESS, World
from lightship.payments.schema import schema

__all__ = [
    "GROUPS",
    "OTHERS",
    "SHARED_LIVES",
    "TYPOLOGIES",
    "Made",
    "Population",
    "account_ids",
    "generate",
    "load",
    "payment_counts",
    "schema",
    "small",
]

FEWEST = 500


@dataclass(frozen=True, slots=True)
class Made:
    """What was written.

    Parameters
    ----------
    folder
        The dataset.
    customers, payments
        How many.
    groups
        Customers and payments they made or took, by group.
    typologies
        Subjects by typology.
    """

    folder: Path
    customers: int
    payments: int
    groups: dict[str, tuple[int, int]]
    typologies: dict[str, int]

    def __str__(self) -> str:
        lines = [f"{'group':<24}{'customers':>10}{'share':>9}{'payments each':>15}"]
        lines += [
            f"{name:<24}{count:>10,}{count / self.customers:>9.3%}{paid / max(count, 1):>15.1f}"
            for name, (count, paid) in self.groups.items()
        ]
        lines += [f"{name:<24}{count:>10,}" for name, count in self.typologies.items()]
        return "\n".join(lines)


def generate(
    folder: Path,
    customers: int,
    payers: int,
    seed: int,
    *,
    shifted: str = "",
    progress: Callable[[float], None] = lambda _: None,
) -> Made:
    """Write a population's dataset and its truth; the same arguments give the same bytes.

    Parameters
    ----------
    folder
        Where; it is made, and files of the same names are replaced.
    customers
        How many customers; each has about 20 payments a year.
    payers
        How many of them pay for livestreamed abuse.
    seed
        Of all draws.
    shifted
        ``"A"`` or ``"B"`` for a variant whose assumptions differ.
    progress
        Called with the share that is done.

    Raises
    ------
    InputError
        If there are too few customers, more payers than could be, or the folder cannot be written.
    """
    if customers < FEWEST:
        raise InputError(f"A population has at least {FEWEST} customers.", f"--customers {customers}")
    if not 0 < payers <= customers // 20:
        raise InputError(
            "There is at least one payer, and at most one in twenty customers.", f"--payers {payers}"
        )
    population = load(shifted=shifted)
    rng = np.random.default_rng([seed, 0])
    people = drawn(population, customers, rng)
    world = World(population, people, rng)
    places = Places.found(world)
    flow, label, subjects = _lives(world, rng, places, payers)
    tables = {
        "customers": customers_table(world, rng, seed),
        "ties": ties_table(world, seed),
        "markers": schema("markers").empty_table(),
        "truth": truth_table(world, seed, label, subjects),
    }
    touched = np.zeros(len(GROUPS), dtype=np.int64)
    weeks = -(-population.days // 7)
    with beside(folder) as new:
        for name, table in tables.items():
            write_table(new / f"{name}.parquet", table)
        with PaymentsFile(new / "payments.parquet", world, seed) as out:
            parts = _weeks(world, Everyday.of(world, places, seed), flow, weeks)
            for number, part in enumerate(parts):
                out.write(part, np.random.default_rng([seed, 2, number]))
                for side in (part.payer, part.payee):
                    touched += np.bincount(people.group[side[side < len(people)]], minlength=len(GROUPS))
                progress((number + 1) / weeks)
            write_table(new / "truth_payments.parquet", pa.concat_tables(out.parts))
    sizes = np.bincount(people.group, minlength=len(GROUPS))
    return Made(
        folder,
        customers,
        out.rows,
        {name: (int(sizes[place]), int(touched[place])) for place, name in enumerate(GROUPS)},
        {name: len(found) for name, found in zip(TYPOLOGIES, subjects, strict=True)},
    )


def small(folder: Path, seed: int, customers: int = 2000, payers: int = 20) -> Made:
    """Write a small population for tests: two thousand customers, twenty payers, in less than a second."""
    return generate(folder, customers, payers, seed)


def _lives(
    world: World, rng: np.random.Generator, places: Places, payers: int
) -> tuple[Flow, dict[str, Ints], tuple[Ints, ...]]:
    """Return the payments of all but everyday lives, the benign receivers by group, and the typologies' subjects."""
    people = world.people
    once = np.flatnonzero(
        (people.age >= 18)
        & (rng.random(len(people)) < world.population.everyday.abroad_person * people.activity)
    )
    abroad = {
        "overseas-family": families.overseas_family(world, rng, people.of("overseas-family")),
        "irregular-helper": families.irregular_helper(world, rng, people.of("irregular-helper")),
        "partner-abroad": families.partner_abroad(world, rng, places, people.of("partner-abroad")),
        "student-support": families.student_support(world, rng, people.of("student-support")),
        "charity-sponsor": families.charity_sponsor(world, rng, places, people.of("charity-sponsor")),
        "payroll-abroad": work.payroll_abroad(world, rng, people.of("payroll-abroad")),
        "romance-fraud-victim": leisure.romance_fraud_victim(world, rng, people.of("romance-fraud-victim")),
        "traveller": leisure.traveller(world, rng, places, people.of("traveller")),
        "everyday": work.once_abroad(world, rng, once),
        "child": leisure.children(world, rng, places),
    }
    others = [
        work.gig(world, rng, places, people.of("gig")),
        work.collector(world, rng, places, people.of("collector")),
        leisure.adult_platform(world, rng, places, people.of("adult-platform")),
        leisure.gamer(world, rng, places, people.of("gamer"), 14.0, "night"),
        leisure.gamer(world, rng, places, people.of("child-gamer"), 8.0, "child"),
    ]
    found = abusers(world, rng, places, payers)
    burst = extorted(world, rng, places)
    whole = joined(
        [
            *abroad.values(),
            *others,
            _relatives(rng, abroad["overseas-family"], found.receivers, world),
            found.flow,
            burst.flow,
        ]
    )
    return (
        whole,
        {name: _people_abroad(world, flow.payee) for name, flow in abroad.items()},
        (found.payers, found.receivers, burst.victims, burst.mules),
    )


def _people_abroad(world: World, payees: Ints | NDArray[np.int32]) -> Ints:
    """Return the people among those who are paid abroad."""
    found = np.unique(payees).astype(np.int64)
    people = (world.where(found) > 0) & (world.name[found] != NAMELESS)
    return np.asarray(found[people], dtype=np.int64)


def _relatives(rng: np.random.Generator, family: Flow, receivers: Ints, world: World) -> Flow:
    """Return ordinary remittances to some of the receivers: each is somebody's relative too, and may be a victim."""
    payers = np.unique(family.payer)
    some = receivers[rng.random(len(receivers)) < 0.2]
    country, lives = world.where(some), world.people.abroad[payers]
    parts = []
    for receiver, there in zip(some.tolist(), country.tolist(), strict=True):
        fit = payers[lives == there]
        if len(fit):
            rows = family.take(family.payer == fit[rng.integers(0, len(fit))])
            parts.append(
                Flow(
                    rows.at_us + 3_600_000_000,
                    rows.payer,
                    np.full_like(rows.payee, receiver),
                    rows.amount,
                    rows.arrives,
                    rows.rail,
                    rows.via,
                    rows.text,
                    rows.code,
                    rows.timed,
                    rows.part,
                ).take(rng.random(len(rows)) < 0.4)
            )
    return joined(parts) if parts else family.take(slice(0, 0))


def _weeks(world: World, everyday: Everyday, lives: Flow, weeks: int) -> Iterator[Flow]:
    """Yield all payments, a week at a time and each week by time."""
    end_us = world.start_us + world.population.days * DAY_US
    opened = np.maximum(world.people.opened * DAY_US + world.start_us, world.start_us)
    inside = (lives.at_us < end_us) & (lives.at_us >= world.start_us)
    for side in (lives.payer, lives.payee):
        own = side < len(opened)
        inside &= ~own | (lives.at_us >= opened[np.where(own, side, 0)])
    lives = lives.take(inside).sorted()
    edges = world.start_us + 7 * DAY_US * np.arange(weeks + 1)
    cuts = np.searchsorted(lives.at_us, edges)
    held = lives.take(slice(0, 0))
    for number in range(weeks):
        week = joined(
            [held, everyday.week(number), lives.take(slice(cuts[number], cuts[number + 1]))]
        ).sorted()
        late = number + 1 < weeks
        cut = int(np.searchsorted(week.at_us, edges[number + 1])) if late else len(week)
        yield week.take(slice(0, cut))
        held = week.take(slice(cut, len(week)))
