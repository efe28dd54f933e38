"""The same search on a second population, written from the published tables by an author who had not read the detector.

No pack was changed while looking at it, and the population only for two plain mistakes, which the guide names
(docs/guides/payments-evaluation.md). The baselines and the lane's LightGBM were trained on the true outcomes of two
other seeds of this same population, which no institution has.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from bench.payments_baselines import BASELINES, Customers, Floats, customers
from bench.payments_lane import CUSTOMERS, DAYS, AboutMoments, about_moments, best_lane, draw
from bench.payments_precision import MANY, Rank, both, corridors, measured, rows_of
from bench.second_population import write_population
from lightship.app_backtest import outcomes
from lightship.app_payments import currencies, jurisdiction, last_moment, scoring, typology
from lightship.payments.prepare import Terms, Window
from lightship.payments.score import History, measure, open_history

SEEDS = (1, 2, 3)
TRAINING = (51, 52)
PICTURES = ("extortion-lane-second",)


@dataclass(frozen=True)
class Part:
    """What the baselines and the lane's peer learn from one seed."""

    payers: Customers
    lane: AboutMoments


@contextmanager
def world(seed: int) -> Iterator[Path]:
    """Yield a population that lies on the disk for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="second-") as folder:
        write_population(Path(folder), customers=CUSTOMERS, payers=MANY, seed=seed)
        yield Path(folder)


@contextmanager
def history_of(folder: Path) -> Iterator[History]:
    """Yield the year, prepared for all packs."""
    with scoring(folder, spill=folder) as (engine, data):
        window = Window.ending(last_moment(engine, data), DAYS)
        yield open_history(engine, data, Terms(jurisdiction("uk"), currencies()), window)


def part(folder: Path) -> Part:
    """Return what is learned from one seed."""
    facts = outcomes(folder, None)
    assert facts is not None
    with history_of(folder) as history:
        lane = about_moments(measure(history, typology("extortion-victim")), facts.bursts)
    return Part(customers(folder, corridors(), facts.known["livestream-payer"]), lane)


def peers(parts: list[Part]) -> tuple[Mapping[str, Rank], Callable[[AboutMoments], Floats]]:
    """Return the trained baselines and the lane's learned peer."""
    whole = Customers(
        sum((one.payers.ids for one in parts), ()),
        np.concatenate([one.payers.values for one in parts]),
        np.concatenate([one.payers.pays for one in parts]),
    )
    return {name: train(whole) for name, train in BASELINES.items()}, best_lane([one.lane for one in parts])


def children(folder: Path) -> int:
    """Return how many customers are below 18, by the year of birth."""
    born = pq.read_table(folder / "customers.parquet", columns=["born_year"])["born_year"]
    last = pc.max(pq.read_table(folder / "payments.parquet", columns=["at"])["at"]).as_py()
    return int(pc.sum(pc.greater(born, last.year - 18)).as_py())


def run() -> list[dict[str, str]]:
    """Return the rows, all in one run."""
    parts = []
    for seed in TRAINING:
        with world(seed) as folder:
            parts.append(part(folder))
    trained, lane = peers(parts)
    seeds = []
    for seed in SEEDS:
        with world(seed) as folder:
            seeds.append(measured(folder, trained, lane, children(folder)))
    draw({"second population": both(seeds)}, PICTURES[0])
    return rows_of(seeds, MANY, "", len(seeds))
