"""A second population to judge the payments by, written from the published tables alone.

Its author had read the domain notes (the typologies' published priors, the table of look-alikes) and the format of a
dataset, and neither the detector, nor its packs, nor the first generator. Where nothing is published the author judged;
`parameters` marks each such number. It is made otherwise than the first on purpose: households with children and shared
surnames, pay days that move with holidays, standing orders booked at night, a market of receivers in families, trips
with card spending, remitters of whom the bank sees only the card payment.

Nobody in it exists. How well a search does on it does not say how well it does on real customers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .book import World
from .harm import extortion, livestream
from .lives import live
from .people import make_people

__all__ = ["write_population"]


def write_population(folder: Path, *, customers: int = 500_000, payers: int = 100, seed: int = 1) -> None:
    """Write a dataset with its truth: about 20 payments a customer, over a year.

    Parameters
    ----------
    folder
        Where to write ``payments.parquet``, ``customers.parquet``, ``ties.parquet``, ``markers.parquet``,
        ``truth.parquet`` (subject, group, typology) and ``truth_payments.parquet`` (payment, typology).
    customers
        Half a million need about 3 GB of memory.
    payers
        How many of them pay for livestreamed abuse.
    seed
        The same seed gives the same bytes.
    """
    world = World(seed, make_people(np.random.default_rng([seed, 1]), customers))
    live(world)
    livestream(world, payers)
    extortion(world)
    world.write(folder)
