"""The world that a population lives in: accounts, clocks and rates; what turns a draw into a payment."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from lightship.core.payments import RAILS
from lightship.payments.generate.draws import Floats, Ints, menu, pick
from lightship.payments.generate.flow import NO_TEXT, NO_VIA, Flow
from lightship.payments.generate.parameters import Population
from lightship.payments.generate.people import OTHERS, People

DAY_US = 86_400_000_000
ODD, ROUND, ROUND_ABROAD, TENS = range(4)
"""How a sum is chosen: as it comes, round at home, round in the receiver's money, to the next ten at home."""

RAIL: dict[str, int] = {rail: place for place, rail in enumerate(RAILS)}
NAMELESS = -1


@dataclass(slots=True)
class World:
    """Customers and all other accounts, numbered in one row: the customers first.

    Parameters
    ----------
    population
        What it is drawn from.
    people
        The customers.
    rng
        For all that is drawn once; the everyday weeks have generators of their own.
    """

    population: Population
    people: People
    rng: np.random.Generator
    country: NDArray[np.int8] = field(init=False)
    label: NDArray[np.int8] = field(init=False)
    name: NDArray[np.int32] = field(init=False)
    offset_us: Ints = field(init=False)
    rate: Floats = field(init=False)
    start_us: int = field(init=False)
    edges: dict[str, Floats] = field(init=False)
    _waiting: list[tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int32]]] = field(
        init=False, default_factory=list
    )
    _size: int = field(init=False)

    def __post_init__(self) -> None:
        population, self._size = self.population, len(self.people)
        first = population.until - timedelta(days=population.days)
        start = datetime(first.year, first.month, first.day, tzinfo=UTC)
        self.start_us = int(start.timestamp()) * 1_000_000
        noons = [start + timedelta(days=day, hours=12) for day in range(population.days + 1)]
        shifts = [
            [noon.astimezone(zone).utcoffset() or timedelta(0) for noon in noons]
            for zone in (ZoneInfo(country.zone) for country in population.countries)
        ]
        self.offset_us = np.array([[int(one.total_seconds()) * 1_000_000 for one in row] for row in shifts])
        steps = 0.003 * self.rng.standard_normal((len(population.countries), population.days + 1))
        steps[0] = 0.0
        base = np.array([country.per_home for country in population.countries])
        self.rate = base[:, None] * np.exp(np.cumsum(steps, axis=1))
        self.edges = {name: np.cumsum(row) / sum(row) for name, row in population.hours.items()}
        nobody = np.zeros(self._size, dtype=np.int8)
        self._waiting.append((nobody, nobody - 1, np.full(self._size, NAMELESS, dtype=np.int32)))
        self.seal()

    def add(self, country: NDArray[np.integer], label: str, *, named: bool = False) -> Ints:
        """Return the numbers of new accounts in these countries."""
        size = len(country)
        names = self.rng.integers(0, 2**24, size) if named else np.full(size, NAMELESS)
        self._waiting.append(
            (
                country.astype(np.int8),
                np.full(size, OTHERS.index(label), dtype=np.int8),
                names.astype(np.int32),
            )
        )
        self._size += size
        return np.arange(self._size - size, self._size)

    def seal(self) -> None:
        """Put all accounts of today side by side."""
        self.country, self.label, self.name = (
            np.concatenate([chunk[column] for chunk in self._waiting]) for column in range(3)
        )

    def where(self, accounts: NDArray[np.integer]) -> Ints:
        """Return the countries of accounts."""
        if self._size != len(self.country):
            self.seal()
        return np.asarray(self.country[accounts], dtype=np.int64)

    def clock(self, accounts: NDArray[np.integer]) -> Ints:
        """Return the countries whose clocks the accounts' holders live by."""
        own = accounts < len(self.people)
        lives = self.people.lives[np.where(own, accounts, 0)]
        return np.where(own, lives, self.where(accounts))

    def moments(self, rng: np.random.Generator, day: Ints, hours: str | Ints, zone: Ints) -> Ints:
        """Return moments in UTC on these local days, by one profile of hours or by one a row."""
        draw = rng.random(len(day))
        hour = np.zeros(len(day), dtype=np.int64)
        for place, edges in enumerate(self.edges.values()):
            rows = np.flatnonzero(self.profile(hours, len(day)) == place)
            hour[rows] = np.minimum(np.searchsorted(edges, draw[rows], side="right"), 23)
        inside = rng.integers(0, 3_600_000_000, len(day))
        shift = self.offset_us[zone, np.clip(day, 0, self.population.days)]
        return np.asarray(
            self.start_us + day * DAY_US + hour * 3_600_000_000 + inside - shift, dtype=np.int64
        )

    def profile(self, hours: str | Ints, size: int = 1) -> Ints:
        """Return the place of a profile of hours among the population's, a row."""
        return np.full(size, list(self.edges).index(hours)) if isinstance(hours, str) else hours

    def sums(
        self,
        rng: np.random.Generator,
        wanted: Floats,
        country: NDArray[np.integer],
        day: Ints,
        shares: tuple[float, float, float, float],
    ) -> tuple[Ints, Ints]:
        """Return what leaves in home's minor units and what arrives in the other country's.

        `shares` of payments are odd, round at home, round abroad and to the next ten.
        """
        wanted = np.maximum(wanted, 1.0)
        rate = self.rate[country, np.clip(day, 0, self.population.days)]
        minor = np.array([10.0**one.digits for one in self.population.countries])[country]
        how = pick(rng, list(shares), len(wanted))
        home = np.where(how == ROUND, menu(wanted), np.where(how == TENS, _tens(wanted), wanted))
        arrives = np.where(how == ROUND_ABROAD, menu(wanted * rate), home * rate)
        amount = np.where(how == ROUND_ABROAD, arrives / rate, home)
        cents = np.maximum(np.rint(amount * 100.0), 1).astype(np.int64)
        return cents, np.maximum(np.rint(arrives * minor), 1).astype(np.int64)

    def flow(
        self,
        rng: np.random.Generator,
        at_us: Ints,
        payer: NDArray[np.integer],
        payee: NDArray[np.integer],
        amount: NDArray[np.integer],
        *,
        rail: str | NDArray[np.integer],
        arrives: Ints | int = 0,
        text: NDArray[np.integer] | int = NO_TEXT,
        code: NDArray[np.integer] | int = 0,
        via: NDArray[np.integer] | int = NO_VIA,
    ) -> Flow:
        """Return payments, some bank ones without their hour, some sums abroad unknown where they arrive."""
        size, kinds = len(at_us), self.population.everyday
        rails = np.full(size, RAIL[rail]) if isinstance(rail, str) else rail
        bank = rails == RAIL["bank"]
        timed = ~(bank & (rng.random(size) < kinds.untimed))
        midnight = at_us - (at_us - self.start_us) % DAY_US
        known = (np.broadcast_to(arrives, size) > 0) & (rng.random(size) < kinds.arrival_known)
        sent = (rails == RAIL["remittance"]) | (rails == RAIL["wallet"])
        return Flow(
            np.where(timed, at_us, midnight),
            payer.astype(np.int32),
            payee.astype(np.int32),
            amount.astype(np.int64),
            np.where(known, arrives, 0).astype(np.int64),
            rails.astype(np.int8),
            np.where(sent, via, NO_VIA).astype(np.int8),
            np.broadcast_to(text, size).astype(np.int8),
            np.broadcast_to(code, size).astype(np.int16),
            timed,
            np.full(size, -1, dtype=np.int8),
        )


def _tens(sums: Floats) -> Floats:
    return np.maximum(np.rint(sums / 10.0), 1.0) * 10.0
