"""What a made-up population is drawn from: ``packs/populations/*.toml``, which says where each number is from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import PolicyError
from lightship.packs import root

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Everyday:
    """Everyday payments; the pack describes each number."""

    activity_sigma: float
    card: float
    bill: float
    friend: float
    abroad_card: float
    abroad_person: float
    popular: float
    payroll_share: float
    payroll_median: float
    pocket_money_share: float
    child_card: float
    child_friend: float
    child_gaming: float
    child_gift_card: float
    child_crypto: float
    child_abroad: float
    child_splurge_share: float
    child_stranger_share: float
    business_card: float
    business_bill: float
    business_supplier: float
    foreign_born: float
    tie_known: float
    children_tie_known: float
    unsexed: float
    unborn: float
    untimed: float
    reversed: float
    arrival_known: float


@dataclass(frozen=True, slots=True)
class Payer:
    """The payer of livestreamed abuse; the pack describes each number."""

    count_mu: float
    count_sigma: float
    count_cap: int
    sum_median: float
    sum_person_sigma: float
    sum_payment_sigma: float
    tail_share: float
    tail_sigma: float
    menu_home: float
    menu_abroad: float
    growth: tuple[float, float]
    gap_occasional: tuple[float, float]
    gap_prolific: tuple[float, float]
    gap_sigma: float
    hours: str
    receivers: float
    same_country: float
    receiver_fan: tuple[int, int]
    market_share: float
    men: float
    age: tuple[float, float]
    from_lookalikes: float
    also_travel: float
    also_platform: float
    tie: float
    text: float
    rails: dict[str, float]


@dataclass(frozen=True, slots=True)
class Extortion:
    """The extorted child and the mule; the pack describes each number."""

    victims: float
    count: tuple[int, int]
    hours_max: float
    gap_median_h: float
    first: tuple[float, float]
    total_max: float
    rails: dict[str, float]
    switch: float
    abroad: float
    boys: float
    ages: tuple[int, int]
    grown: float
    recovery_fee: float
    mules: float
    mule_credits: tuple[int, int]
    hours: str


@dataclass(frozen=True, slots=True)
class Country:
    """A country with its money, its clock and how often each kind of customer looks there."""

    code: str
    currency: str
    zone: str
    per_home: float
    weights: dict[str, float]
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Population:
    """All of it. The first country is home."""

    name: str
    version: str
    until: date
    days: int
    mix: dict[str, float]
    everyday: Everyday
    payer: Payer
    extortion: Extortion
    countries: tuple[Country, ...]
    hours: dict[str, list[float]]

    def weights(self, kind: str) -> Floats:
        """Return the countries' shares for one kind of customer, summing to 1; home has none."""
        found = np.array([country.weights.get(kind, 0.0) for country in self.countries])
        return np.asarray(found / found.sum(), dtype=np.float64)


def load(name: str = "gb", shifted: str = "") -> Population:
    """Return a population by name, or one of its shifted variants.

    Raises
    ------
    PolicyError
        If there is none of that name, or a number is missing, unknown or out of place.
    """
    path = root() / "populations" / f"{name}.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        for key, value in table["shifted"][shifted].items() if shifted else ():
            _shift(table, key.split("."), value)
        return Population(
            table["name"],
            table["version"] + (f"+{shifted}" if shifted else ""),
            table["until"],
            table["days"],
            table["mix"],
            Everyday(**table["everyday"]),
            Payer(**table["payer"]),
            Extortion(**table["extortion"]),
            tuple(Country(**country) for country in table["country"]),
            table["hours"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{name}, shifted {shifted}," if shifted else name
        raise PolicyError(
            f"The population {what} cannot be used: {error}.", str(path), "Correct it, or name another."
        ) from error


def _shift(table: dict[str, Any], path: list[str], value: object) -> None:
    """Put a variant's number in the place of the usual one, which must be there."""
    if path[0] == "country":
        _, code, kind = path
        country = next(one for one in table["country"] if one["code"] == code)
        table, path = country["weights"], [kind]
    *rooms, last = path
    for room in rooms:
        table = table[room]
    if last not in table:
        raise KeyError(last)
    table[last] = value
