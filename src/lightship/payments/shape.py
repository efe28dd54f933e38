"""Which payments count in a network: small, across a border, from person to person. Data, from ``packs/payments``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

from lightship.core.canonical import digest
from lightship.core.errors import PolicyError
from lightship.core.payments import RAILS
from lightship.exchange.fx import digits


@dataclass(frozen=True, slots=True)
class Band:
    """What counts as small in one currency, in minor units, both ends included."""

    currency: str
    low_minor: int
    high_minor: int


@dataclass(frozen=True, slots=True)
class Shape:
    """Which payments count, and where following them ends.

    Parameters
    ----------
    hub_payers
        A receiver with more payers is a hub: a fund, a shop, a school.
    hub_receivers
        A payer with more receivers abroad is a hub: an agent, a payroll.
    per_ten
        Payments of every ten payers where payers come back.
    usual_receivers
        A payer with more receivers says less of each.
    digest
        Of the data it was read from.
    """

    name: str
    version: str
    rails: tuple[str, ...]
    bands: tuple[Band, ...]
    hub_payers: int
    hub_receivers: int
    per_ten: int
    usual_receivers: int
    digest: str

    def come_back(self, payers: int, payments: int) -> bool:
        """Return whether payers come back; one more who paid once is counted with them, as a few are thin."""
        return (payments + 1) * 10 >= self.per_ten * (payers + 1)


def money(minor: int, currency: str) -> str:
    """Return an amount as a person reads it.

    Examples
    --------
    >>> money(123450, "GBP"), money(5000, "JPY")
    ('GBP 1,234.50', 'JPY 5,000')
    """
    places = places_of(currency)
    whole, rest = divmod(minor, 10**places)
    return f"{currency} {whole:,}" + (f".{rest:0{places}d}" if places else "")


def places_of(currency: str) -> int:
    """Return the digits of a currency's minor unit; two where it is none that we know."""
    return digits().get(currency, 2)


def parse_shape(text: str, where: str) -> Shape:
    """Return the shape that a file describes.

    Raises
    ------
    PolicyError
        If a field is missing, of another type or out of range.
    """
    try:
        table: dict[str, Any] = tomllib.loads(text)
        bands = tuple(_band(one) for one in table["bands"])
        shape = Shape(
            name=table["name"],
            version=table["version"],
            rails=tuple(table["rails"]),
            bands=bands,
            hub_payers=table["hub_payers"],
            hub_receivers=table["hub_receivers"],
            per_ten=table["per_ten"],
            usual_receivers=table["usual_receivers"],
            digest=digest(table),
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"The shape of payments is refused: {error}.", where, "Correct it.") from error
    if odd := sorted(set(shape.rails) - set(RAILS)):
        raise PolicyError(f"{odd[0]!r} is no rail.", f"{where}, rails", f"Use some of: {', '.join(RAILS)}.")
    if len({band.currency for band in bands}) != len(bands) or not bands:
        raise PolicyError(
            "The bands name a currency twice, or none.", f"{where}, bands", "Give each one band."
        )
    for name in ("hub_payers", "hub_receivers", "per_ten", "usual_receivers"):
        value = getattr(shape, name)
        if not isinstance(value, int) or value < 2:
            raise PolicyError(f"{name} is not a whole number of at least 2.", where, "Correct it.")
    return shape


def _band(one: dict[str, Any]) -> Band:
    unit = 10 ** places_of(one["currency"])
    band = Band(one["currency"], round(one["low"] * unit), round(one["high"] * unit))
    if not 0 < band.low_minor <= band.high_minor:
        raise ValueError(f"the band of {band.currency} is empty")
    if not (one["source"] and one["grade"]):
        raise ValueError(f"the band of {band.currency} has no source or grade")
    return band
