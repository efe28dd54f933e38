"""Whom everybody pays: shops at home and abroad, employers, platforms, people at other banks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lightship.payments.generate.draws import Ints
from lightship.payments.generate.world import World

CODES = np.array([5411, 5812, 5411, 5814, 4111, 5541, 5651, 5732, 5912, 7832, 5942, 5999, 5311, 4814, 7997])
"""Merchant category codes of shops at home, by how common they are. Card networks' public lists."""
ABROAD_CODES = np.array([7011, 5812, 5814, 4121, 6011, 5999, 5411, 7991])
UTILITIES, AIRLINE, GAMES, GIFTS, ADULT, CHARITY, SCHOOL, EXCHANGE = (
    4900,
    4511,
    5816,
    5947,
    5967,
    8398,
    8299,
    6051,
)
ABROAD_SHOPS = 40
"""A country."""


@dataclass(frozen=True, slots=True)
class Places:
    """Accounts that are no customer's, by what they are.

    Parameters
    ----------
    shops, strangers, companies
        At home.
    abroad
        `ABROAD_SHOPS` a country, by country.
    utilities, games, gifts, adult, charities, exchanges, payouts
        Merchants and platforms at home; `payouts` pay to people.
    payouts_abroad
        The same kind of platform in another country.
    """

    shops: Ints
    strangers: Ints
    companies: Ints
    abroad: Ints
    utilities: Ints
    games: Ints
    gifts: Ints
    adult: Ints
    charities: Ints
    exchanges: Ints
    payouts: Ints
    payouts_abroad: Ints

    @classmethod
    def found(cls, world: World) -> Places:
        """Open their accounts."""
        size = len(world.people)
        countries = np.arange(len(world.population.countries))

        def home(count: int, label: str) -> Ints:
            return world.add(np.zeros(count, dtype=np.int64), label)

        return cls(
            home(max(150, size // 150), "company"),
            world.add(np.zeros(max(500, size // 2), dtype=np.int64), "stranger", named=True),
            home(max(100, size // 40), "company"),
            world.add(np.repeat(countries, ABROAD_SHOPS), "company"),
            home(30, "company"),
            home(15, "platform"),
            home(25, "company"),
            home(12, "platform"),
            home(40, "company"),
            home(6, "platform"),
            home(20, "platform"),
            world.add(np.full(8, len(countries) - 2), "platform"),
        )
