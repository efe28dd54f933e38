"""Currencies: what a round sum is, and what a unit was worth in the reference currency on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import log10

from lightship.core.errors import InputError
from lightship.exchange.fx import Rates, digits

REFERENCE = "EUR"
"""Sums are compared in hundredths of it, whatever currency an institution shows."""


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency.

    Parameters
    ----------
    code
        ISO 4217.
    digits
        Minor digits.
    round_minor
        A multiple of this is a round sum, minor units.
    rates
        From a day on, reference units for one unit; in order of days.
    """

    code: str
    digits: int
    round_minor: int
    rates: tuple[tuple[date, float], ...]

    def per_minor(self, day: date) -> float:
        """Return hundredths of the reference currency for one minor unit on a day; the first rate before all."""
        found = self.rates[0][1]
        for since, rate in self.rates:
            if since <= day:
                found = rate
        return found * 100 / float(10**self.digits)


Currencies = Mapping[str, Currency]


def hundredths(amount_hundredths: int, currency: str, day: date, currencies: Currencies) -> int:
    """Return a sum of a pack, in hundredths of `currency`, in hundredths of the reference currency.

    Raises
    ------
    InputError
        If there is no rate for the currency.
    """
    known = rate_of(currency, currencies)
    return int(amount_hundredths * known.per_minor(day) * 10**known.digits / 100 + 0.5)


def rate_of(code: str, currencies: Currencies) -> Currency:
    """Return a currency.

    Raises
    ------
    InputError
        If the table has none of that code, or no rate for it.
    """
    if code not in currencies or not currencies[code].rates:
        raise InputError(
            f"There is no rate for {code}.",
            "exchange rates",
            "Add it to the table of exchange rates, with its day.",
        )
    return currencies[code]


def parse_currencies(text: str, where: str = "currencies") -> dict[str, Currency]:
    """Read what a round sum is and what units were worth from TOML; the digits are those of ISO 4217.

    Raises
    ------
    InputError
        If it is not one.
    """
    import tomllib

    try:
        table = tomllib.loads(text)
        table.pop("source")
        return {
            code: Currency(
                code,
                digits()[code],
                round(one["round"] * 10 ** digits()[code]),
                tuple(sorted((date.fromisoformat(day), float(rate)) for day, rate in one["rates"])),
            )
            for code, one in table.items()
        }
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"This is no table of currencies: {error}.", where, "Correct it.") from error


def with_rates(known: Currencies, rates: Rates) -> dict[str, Currency]:
    """Return currencies with an institution's own dated rates in place of those that came with the package.

    A currency that the package does not know gets a round sum of about ten reference units, as a power of ten.
    """
    found = dict(known)
    for code in {*rates.days, rates.base}:
        dated = tuple(_in_reference(code, rates))
        if not dated:
            continue
        if code in found:
            found[code] = replace(found[code], rates=dated)
        else:
            units = 10 ** max(0, round(log10(10 / dated[-1][1])))
            found[code] = Currency(code, digits()[code], units * 10 ** digits()[code], dated)
    return found


def _in_reference(code: str, rates: Rates) -> list[tuple[date, float]]:
    """Return the days of a currency's rates with what one unit was worth in reference units."""
    days = sorted({*rates.days.get(code, ((),))[0], *rates.days.get(REFERENCE, ((),))[0]})
    pairs = ((day, rates.per_base(REFERENCE, day), rates.per_base(code, day)) for day in days)
    return [(day, reference / own) for day, reference, own in pairs if reference and own]
