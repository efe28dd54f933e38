"""Everyday payments, a week at a time: shops, bills, friends, pay, pocket money, trade between businesses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from lightship.payments.generate.draws import Floats, Ints, habit, lognormal, pick, scramble
from lightship.payments.generate.flow import SALARY, Flow, joined
from lightship.payments.generate.people import GROUPS
from lightship.payments.generate.places import (
    ABROAD_SHOPS,
    CODES,
    EXCHANGE,
    GAMES,
    GIFTS,
    UTILITIES,
    Places,
)
from lightship.payments.generate.world import DAY_US, RAIL, World

CIRCLE = 12
"""Customers beside each other are friends: they pay each other back."""
FRIENDLY = (0.30, 0.55, 0.0, 0.15)
"""Shares of sums between friends that are odd, round, round abroad, to the next ten."""


@dataclass(slots=True)
class Everyday:
    """The everyday payments of a world.

    Parameters
    ----------
    world, places
        Who pays whom.
    seed
        Each week has its own generator, so that weeks may be made in any order.
    """

    world: World
    places: Places
    seed: int
    _rates: dict[str, Floats]

    @classmethod
    def of(cls, world: World, places: Places, seed: int) -> Everyday:
        """Prepare the running sums of how often each customer does what."""
        return cls(
            world,
            places,
            seed,
            {kind: np.cumsum(rate, dtype=np.float64) for kind, rate in _rates(world).items()},
        )

    def week(self, number: int) -> Flow:
        """Return the payments of a week, sorted by time."""
        rng = np.random.default_rng([self.seed, 1, number])
        days = min(7, self.world.population.days - 7 * number)
        flows = [getattr(self, f"_{kind}")(rng, *self._who(rng, kind, number, days)) for kind in self._rates]
        flows.append(self._pay(rng, number, days))
        whole = joined(flows)
        start = self.world.start_us
        opened = np.maximum(self.world.people.opened * DAY_US + start, start)
        known = len(self.world.people)
        inside = whole.at_us < start + self.world.population.days * DAY_US
        for side in (whole.payer, whole.payee):
            own = side < known
            inside &= whole.at_us >= np.where(own, opened[np.where(own, side, 0)], start)
        return whole.take(inside).sorted()

    def _who(self, rng: np.random.Generator, kind: str, number: int, days: int) -> tuple[Ints, Ints]:
        """Return who does this in a week, and on which day of the year."""
        edges = self._rates[kind]
        count = int(rng.poisson(edges[-1] * days / 365.0))
        who = np.searchsorted(edges, np.sort(rng.random(count)) * edges[-1], side="right")
        return np.minimum(who, len(edges) - 1), 7 * number + rng.integers(0, days, count)

    def _at(self, rng: np.random.Generator, day: Ints, hours: str, who: Ints) -> Ints:
        return self.world.moments(rng, day, hours, self.world.people.lives[who].astype(np.int64))

    def _shops(self, rng: np.random.Generator, who: Ints, day: Ints, median: float, hours: str) -> Flow:
        """Half of the payments go to the six shops that one always goes to."""
        usual = habit(who * 8 + rng.integers(0, 6, len(who)), 3, len(self.places.shops))
        shop = np.where(rng.random(len(who)) < 0.5, usual, rng.integers(0, len(self.places.shops), len(who)))
        cents = np.rint(lognormal(rng, median, 0.9, len(who)) * 100.0)
        priced = np.where(rng.random(len(who)) < 0.45, np.maximum(np.rint(cents / 50) * 50 - 1, 49), cents)
        return self.world.flow(
            rng,
            self._at(rng, day, hours, who),
            who,
            self.places.shops[shop],
            np.maximum(priced, 1),
            rail="card",
            code=CODES[shop % len(CODES)],
        )

    def _card(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._shops(rng, who, day, 22.0, "everyday")

    def _child_card(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._shops(rng, who, day, 7.0, "child")

    def _bill(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        payee = self.places.utilities[habit(who * 4 + rng.integers(0, 3, len(who)), 4, 30)]
        cents = np.rint(lognormal(rng, 62.0, 0.6, len(who)) * 100.0)
        at_us = self._at(rng, day, "office", who)
        return self.world.flow(rng, at_us, who, payee, np.maximum(cents, 100), rail="bank", code=UTILITIES)

    def _beside(self, rng: np.random.Generator, who: Ints, spread: float) -> Ints:
        """Return a friend: a customer of the same circle or, more often, somebody at another bank."""
        near = who - who % CIRCLE + (who + 1 + rng.integers(0, CIRCLE - 1, len(who))) % CIRCLE
        near = np.where(near < len(self.world.people), near, who - 1)
        usual = habit(
            who * 16 + (rng.random(len(who)) ** 2 * spread).astype(np.int64), 5, len(self.places.strangers)
        )
        return np.where(rng.random(len(who)) < 0.3, near, self.places.strangers[usual])

    def _friends(
        self, rng: np.random.Generator, who: Ints, day: Ints, median: float, hours: str, wallets: float
    ) -> Flow:
        payee = self._beside(rng, who, 9.0)
        amount, _ = self.world.sums(
            rng, lognormal(rng, median, 0.85, len(who)), np.zeros(len(who), dtype=np.int64), day, FRIENDLY
        )
        rail = np.where(rng.random(len(who)) < wallets, RAIL["wallet"], RAIL["bank"])
        return self.world.flow(rng, self._at(rng, day, hours, who), who, payee, amount, rail=rail)

    def _friend(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._friends(rng, who, day, 28.0, "evening", 0.2)

    def _child_friend(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._friends(rng, who, day, 7.0, "child", 0.3)

    def _abroad_card(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        country = pick(rng, self.world.population.weights("travel"), len(who))
        shop = country * ABROAD_SHOPS + rng.integers(0, ABROAD_SHOPS, len(who))
        amount, arrives = self.world.sums(
            rng, lognormal(rng, 30.0, 0.8, len(who)), country, day, (1, 0, 0, 0)
        )
        at_us = self._at(rng, day, "evening", who)
        payee = self.places.abroad[shop]
        return self.world.flow(rng, at_us, who, payee, amount, rail="card", arrives=arrives, code=5999)

    def _pocket_money(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        """Return what parents pay: customers as well, or at another bank."""
        people = self.world.people
        grown = len(people) - people.children - people.businesses
        own = people.children + habit(who, 6, grown)
        other = self.places.strangers[habit(who, 7, len(self.places.strangers))]
        payer = np.where(habit(who, 8, 10) < 6, own, other)
        amount, _ = self.world.sums(
            rng, lognormal(rng, 14.0, 0.6, len(who)), np.zeros(len(who), dtype=np.int64), day, FRIENDLY
        )
        return self.world.flow(rng, self._at(rng, day, "everyday", who), payer, who, amount, rail="bank")

    def _game(
        self, rng: np.random.Generator, who: Ints, day: Ints, pool: Ints, rail: str, code: int, median: float
    ) -> Flow:
        payee = pool[habit(who * 4 + rng.integers(0, 3, len(who)), 9, len(pool))]
        wanted = lognormal(rng, median, 0.6, len(who))
        amount, _ = self.world.sums(rng, wanted, np.zeros(len(who), dtype=np.int64), day, (0.2, 0.8, 0, 0))
        at_us = self._at(rng, day, "child", who)
        return self.world.flow(rng, at_us, who, payee, amount, rail=rail, code=code)

    def _child_gaming(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._game(rng, who, day, self.places.games, "gaming", GAMES, 8.0)

    def _child_gift_card(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._game(rng, who, day, self.places.gifts, "gift-card", GIFTS, 18.0)

    def _child_crypto(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        return self._game(rng, who, day, self.places.exchanges, "crypto", EXCHANGE, 25.0)

    def _supplier(self, rng: np.random.Generator, who: Ints, day: Ints) -> Flow:
        payee = self.places.companies[
            habit(who * 32 + rng.integers(0, 12, len(who)), 10, len(self.places.companies))
        ]
        cents = np.rint(lognormal(rng, 420.0, 1.3, len(who)) * 100.0)
        return self.world.flow(
            rng, self._at(rng, day, "office", who), who, payee, np.maximum(cents, 100), rail="bank"
        )

    def _pay(self, rng: np.random.Generator, number: int, days: int) -> Flow:
        """Return the week's wages: monthly on a day of the month or weekly, from a company or a customer's business."""
        people, population = self.world.people, self.world.population
        flows_who, flows_day = [], []
        for day in range(7 * number, 7 * number + days):
            date = population.until - timedelta(days=population.days - day)
            last = (date + timedelta(days=1)).day == 1
            due = people.payday == date.day
            if last:
                due |= (people.payday > date.day) & (people.payday < 100)
            due |= people.payday == 100 + date.weekday()
            found = np.flatnonzero(due)
            flows_who.append(found)
            flows_day.append(np.full(len(found), day))
        who, day_of = np.concatenate(flows_who), np.concatenate(flows_day)
        company = self.places.companies[habit(who, 11, len(self.places.companies))]
        business = len(people) - 1 - habit(who, 12, max(people.businesses, 1))
        payer = np.where(habit(who, 13, 10) < 3, business, company)
        usual = population.everyday.payroll_median * np.exp(
            0.45 * (scramble(who, 14).astype(np.float64) / 2.0**63 - 1.0) * 1.7
        )
        weekly = np.where(people.payday[who] >= 100, 12.0 / 52.0, 1.0)
        cents = np.rint(usual * weekly * np.exp(0.03 * rng.standard_normal(len(who))) * 100.0)
        return self.world.flow(
            rng, self._at(rng, day_of, "office", who), payer, who, cents, rail="bank", text=SALARY
        )


def _rates(world: World) -> dict[str, Floats]:
    """Return how many payments a year each customer makes, by kind."""
    people, kinds = world.people, world.population.everyday
    size = len(people)
    number = np.arange(size)
    young = number < people.children
    business = number >= size - people.businesses
    grown = (~young & ~business) * people.activity
    older = young * people.activity * np.clip((people.age - 7.0) / 5.0, 0.1, 2.0)
    trade = business * people.activity
    plays = np.where(people.group == GROUPS.index("child-gamer"), 0.3, 1.0)
    pocket = young * (habit(number, 2, 1000) < 1000 * kinds.pocket_money_share)
    return {
        "card": grown * kinds.card + trade * kinds.business_card,
        "bill": grown * kinds.bill + trade * kinds.business_bill,
        "friend": grown * kinds.friend * np.where(people.age < 40, 1.6, 0.6),
        "abroad_card": grown * kinds.abroad_card,
        "child_card": older * kinds.child_card,
        "child_friend": older * kinds.child_friend,
        "pocket_money": pocket * 12.0,
        "child_gaming": older * kinds.child_gaming * plays,
        "child_gift_card": older * kinds.child_gift_card,
        "child_crypto": older * kinds.child_crypto * (people.age >= 13),
        "supplier": trade * kinds.business_supplier,
    }
