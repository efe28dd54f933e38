"""From a dataset's payments to rows in integers: one currency, the payer's clock, ties, texts, reversals taken out.

:func:`sends` keeps a person's payments to people in a listed corridor, :func:`context` what else is known about those
who made any. The corridor chooses what is compared; it has no weight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis
import pyarrow as pa

from lightship.core.payments import RAILS
from lightship.payments.engine import Engine
from lightship.payments.money import Currencies, hundredths, rate_of
from lightship.payments.pack import Corridor, Jurisdiction
from lightship.payments.rows import UNKNOWN
from lightship.payments.vocabulary import TEXTS

DAY_US = 86_400_000_000
HOUR_US = 3_600_000_000
PERSON_RAILS = ("bank", "remittance", "wallet", "cash")
"""Rails by which a person is paid; a merchant's code says that it is none."""


@dataclass(frozen=True, slots=True)
class Window:
    """After `from_us`, up to and including `to_us`; microseconds since 1970."""

    from_us: int
    to_us: int

    @classmethod
    def ending(cls, to_us: int, days: int) -> Window:
        """Return the window of so many days up to a moment."""
        return cls(to_us - days * DAY_US, to_us)

    @property
    def day(self) -> date:
        """The day it ends."""
        return day_of(self.to_us)


def day_of(at_us: int) -> date:
    """Return the day of a moment in UTC."""
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).date()


@dataclass(frozen=True)
class Terms:
    """What the payments are read by: jurisdiction, rates, zones.

    Parameters
    ----------
    jurisdiction
        Corridors, words, codes.
    currencies
        Rates and round sums.
    zones
        Country to the IANA zone of accounts there, for customers without one.
    """

    jurisdiction: Jurisdiction
    currencies: Currencies
    zones: Mapping[str, str] = field(default_factory=dict)

    def sums(self, name: str) -> list[tuple[int, int]]:
        """Return one of the jurisdiction's sums in hundredths of the reference currency, each with when it ends."""
        amount, currency = self.jurisdiction.sums[name]
        known = rate_of(currency, self.currencies)
        starts = [since for since, _ in known.rates]
        ends = [*(microseconds(since) for since in starts[1:]), 2**62]
        return [
            (end, hundredths(amount, currency, since, self.currencies))
            for since, end in zip(starts, ends, strict=True)
        ]


@dataclass(frozen=True)
class Dataset:
    """The tables of a dataset as Ibis tables, `payments` with ``at_us`` in place of ``at``; None where it has none."""

    payments: Any
    customers: Any
    ties: Any = None
    markers: Any = None


def microseconds(day: date) -> int:
    """Return a day's first moment in UTC, microseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1_000_000


def zone_spans(zones: Iterable[str], window: Window) -> list[tuple[str, int, int, int]]:
    """Return ``(zone, from_us, to_us, offset_s)`` for every stretch of one offset that the window touches.

    One table serves every engine, so that none brings its own rules of daylight saving. Unknown zones are left out.
    """
    found = []
    for zone in sorted(set(zones)):
        try:
            clock = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError):
            continue
        begin = datetime.fromtimestamp(window.from_us // DAY_US * 86400, UTC) - timedelta(days=1)
        days = (window.to_us - window.from_us) // DAY_US + 3
        starts = [(int(begin.timestamp()) * 1_000_000, _offset_s(clock, begin))]
        for day in range(1, days + 1):
            then = begin + timedelta(days=day)
            if _offset_s(clock, then) != starts[-1][1]:
                # The day's change, to the hour.
                at = next(
                    at
                    for at in (then - timedelta(hours=back) for back in range(23, -1, -1))
                    if _offset_s(clock, at) != starts[-1][1]
                )
                starts.append((int(at.timestamp()) * 1_000_000, _offset_s(clock, at)))
        ends = [start for start, _ in starts[1:]] + [window.to_us + DAY_US]
        found += [(zone, start, end, offset) for (start, offset), end in zip(starts, ends, strict=True)]
    return found


def _offset_s(clock: ZoneInfo, at: datetime) -> int:
    offset = at.astimezone(clock).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def rate_spans(currencies: Currencies) -> list[tuple[str, int, int, float, int]]:
    """Return ``(currency, from_us, to_us, hundredths a minor unit, round sum in minor units)``, in order."""
    always = 2**62
    found = []
    for currency in currencies.values():
        days = [(microseconds(since), currency.per_minor(since)) for since, _ in currency.rates]
        if not days:
            continue
        days[0] = (-always, days[0][1])
        found += [
            (currency.code, start, end, rate, currency.round_minor)
            for (start, rate), (end, _) in pairwise([*days, (always, 0.0)])
        ]
    return found


def lookups(engine: Engine, terms: Terms, window: Window, zones: Sequence[str]) -> dict[str, Any]:
    """Return the small tables that :func:`sends` joins: rates, clocks, zones of countries."""
    rates = rate_spans(terms.currencies)
    clocks = zone_spans({*zones, *terms.zones.values()}, window)
    return {
        "rates": engine.lookup(
            f"ls_rates_{window.from_us}",
            pa.table(
                {
                    "rate_currency": pa.array([row[0] for row in rates], pa.string()),
                    "rate_from": pa.array([row[1] for row in rates], pa.int64()),
                    "rate_to": pa.array([row[2] for row in rates], pa.int64()),
                    "per_minor": pa.array([row[3] for row in rates], pa.float64()),
                    "round_minor": pa.array([row[4] for row in rates], pa.int64()),
                }
            ),
        ),
        "clocks": engine.lookup(
            f"ls_clocks_{window.from_us}",
            pa.table(
                {
                    "clock_zone": pa.array([row[0] for row in clocks], pa.string()),
                    "clock_from": pa.array([row[1] for row in clocks], pa.int64()),
                    "clock_to": pa.array([row[2] for row in clocks], pa.int64()),
                    "offset_s": pa.array([row[3] for row in clocks], pa.int64()),
                }
            ),
        ),
        "zones": engine.lookup(
            f"ls_zones_{window.from_us}",
            pa.table(
                {
                    "zone_country": pa.array(list(terms.zones), pa.string()),
                    "country_zone": pa.array(list(terms.zones.values()), pa.string()),
                }
            ),
        ),
    }


def listed(country: Any, at_us: Any, corridors: Iterable[Corridor]) -> Any:
    """Return whether a country is a listed corridor at a moment."""
    return reduce(
        lambda one, other: one | other,
        (
            (country == corridor.country)
            & (at_us >= microseconds(corridor.since))
            & (at_us < (microseconds(corridor.until) if corridor.until else 2**62))
            for corridor in corridors
        ),
        ibis.literal(False),
    )


def grown_us(born_year: Any, born_month: Any, adult_age: int) -> Any:
    """Return the end of the month in which somebody comes of age, UTC: before it they may be under age.

    Where the month is not known, December's. Whole numbers alone, so that columns and Python's own are read alike.

    Parameters
    ----------
    born_year, born_month
        Numbers, or columns of int64; the month 1 to 12.

    References
    ----------
    H. Hinnant, "chrono-compatible low-level date algorithms": years that begin in March.

    Examples
    --------
    >>> day_of(grown_us(2008, 2, 18))
    datetime.date(2026, 3, 1)
    """
    months = (born_year + adult_age) * 12 + born_month - 2
    year, month = months // 12, months % 12
    days = 365 * year + year // 4 - year // 100 + year // 400 + (153 * month + 2) // 5 - 719_468
    return days * DAY_US


def with_grown(customers: Any, terms: Terms) -> Any:
    """Return customers with ``grown_us``, null where no year of birth is known."""
    born = customers.born_year.cast("int64"), customers.born_month.fill_null(12).cast("int64")
    return customers.mutate(grown_us=grown_us(*born, terms.jurisdiction.adult_age))


def standing(payments: Any, window: Window, *conditions: Any) -> Any:
    """Return the payments of a window that meet conditions and were not taken back, nor take one back."""
    taken_back = (
        payments.filter(payments.reverses.notnull(), payments.at_us <= window.to_us)
        .select(taken_back=payments.reverses)
        .distinct()
    )
    kept = payments.filter(
        payments.at_us > window.from_us,
        payments.at_us <= window.to_us,
        payments.reverses.isnull(),
        payments.payer != payments.payee,
        *conditions,
    )
    return kept.anti_join(taken_back, kept.payment == taken_back.taken_back)


def in_reference(rows: Any, rates: Any) -> Any:
    """Return rows with ``ref`` in hundredths of the reference currency, null without a rate."""
    joined = rows.left_join(
        rates,
        [
            rows.currency == rates.rate_currency,
            rows.at_us >= rates.rate_from,
            rows.at_us < rates.rate_to,
        ],
    )
    return joined.mutate(ref=(joined.amount_minor * joined.per_minor + 0.5).floor().cast("int64")).drop(
        "rate_currency", "rate_from", "rate_to", "per_minor"
    )


def rail_place(rail: Any) -> Any:
    """Return a rail's place in the closed list."""
    return ibis.cases(*[(rail == name, place) for place, name in enumerate(RAILS)], else_=UNKNOWN).cast(
        "int64"
    )


def _int(condition: Any) -> Any:
    return condition.fill_null(False).cast("int64")


def sends(data: Dataset, terms: Terms, window: Window, small: Mapping[str, Any]) -> Any:
    """Return a person's payments to people in listed corridors, one row each, in integers.

    Columns: payment, at_us, payer, payee, country, amount_minor, currency, ref, round, hour, untied, rail, and one for
    each category of texts. ``ref`` is null where there is no rate: see :func:`lightship.payments.score`.
    """
    p = data.payments
    rows = standing(
        p,
        window,
        p.merchant_code.isnull(),
        p.rail.isin(PERSON_RAILS),
        listed(p.payee_country, p.at_us, terms.jurisdiction.corridors),
    )
    people = with_grown(data.customers.filter(data.customers.kind == "person"), terms)
    people = people.select("customer", "grown_us", home=people.country, own_zone=people.zone)
    rows = rows.inner_join(people, rows.payer == people.customer)
    # An account of a child who pays abroad is the extortion lane's, never a payer's.
    rows = rows.filter((rows.at_us >= rows.grown_us).fill_null(True))
    rows = rows.mutate(from_country=ibis.coalesce(rows.payer_country, rows.home, ""))
    rows = rows.filter(rows.from_country != rows.payee_country)
    rows = in_reference(rows, small["rates"])
    rounds = small["rates"].group_by("rate_currency").aggregate(payee_round=small["rates"].round_minor.max())
    rows = rows.left_join(rounds, rows.payee_currency == rounds.rate_currency).drop("rate_currency")
    rows = with_hour(rows, small)
    if data.ties is None:
        rows = rows.mutate(untied=ibis.literal(UNKNOWN, "int64"))
    else:
        ties = data.ties.select(tied=data.ties.customer, tied_to=data.ties.country).distinct()
        rows = rows.left_join(ties, [rows.payer == ties.tied, rows.payee_country == ties.tied_to])
        rows = rows.mutate(untied=rows.tied.isnull().cast("int64"))
    text = rows.text.lower()
    return rows.select(
        "payment",
        "at_us",
        "payer",
        "payee",
        "amount_minor",
        "currency",
        "ref",
        "hour",
        "untied",
        country=rows.payee_country,
        round=_int(
            (rows.amount_minor % rows.round_minor == 0) | (rows.payee_amount_minor % rows.payee_round == 0)
        ),
        rail=rail_place(rows.rail),
        **{name: _int(text.re_search(terms.jurisdiction.texts[name])) for name in TEXTS},
    )


def with_hour(rows: Any, small: Mapping[str, Any]) -> Any:
    """Return rows with the payer's local hour, by their columns ``own_zone`` and ``from_country``."""
    zones, clocks = small["zones"], small["clocks"]
    rows = rows.left_join(zones, rows.from_country == zones.zone_country)
    rows = rows.mutate(zone_used=ibis.coalesce(rows.own_zone, rows.country_zone))
    rows = rows.left_join(
        clocks,
        [
            rows.zone_used == clocks.clock_zone,
            rows.at_us >= clocks.clock_from,
            rows.at_us < clocks.clock_to,
        ],
    )
    hour = ((rows.at_us // 1_000_000 + rows.offset_s) // 3600) % 24
    return rows.mutate(hour=(rows.time_known & rows.offset_s.notnull()).ifelse(hour, UNKNOWN).cast("int64"))


def context(
    data: Dataset, terms: Terms, window: Window, small: Mapping[str, Any], senders: Any | None
) -> Any:
    """Return what else the payments say of the customers who sent any: one row a fact.

    Parameters
    ----------
    senders
        Table with one column, ``sender``; None for all customers.

    Returns
    -------
    Columns payment, subject, role, other, country, at_us; roles ``presence`` (own card used in a listed country),
    ``platform``, ``crypto``, ``back`` (someone in a listed country paid the customer) and ``pay``.
    """
    p, j = data.payments, terms.jurisdiction
    is_platform = p.merchant_code.isin(j.merchants["platform"]).fill_null(False)
    is_presence = (p.rail == "card") & listed(p.payee_country, p.at_us, j.corridors).fill_null(False)
    given = standing(p, window, is_platform | is_presence | (p.rail == "crypto"))
    if senders is None:
        senders = data.customers.select(sender=data.customers.customer)
    given = in_reference(given.semi_join(senders, given.payer == senders.sender), small["rates"])
    role = ibis.cases(
        (given.merchant_code.isin(j.merchants["platform"]).fill_null(False), "platform"),
        ((given.rail == "crypto") & (given.ref <= _sum_at(terms, "small_crypto", given.at_us)), "crypto"),
        (given.rail == "card", "presence"),
        else_="",
    )
    given = given.select(
        "payment", "at_us", subject=given.payer, role=role, other=given.payee, country=given.payee_country
    )
    abroad = listed(p.payer_country, p.at_us, j.corridors).fill_null(False)
    taken = standing(p, window, p.merchant_code.isnull(), (p.rail == "bank") | abroad)
    taken = in_reference(taken.semi_join(senders, taken.payee == senders.sender), small["rates"])
    role = ibis.cases(
        (listed(taken.payer_country, taken.at_us, j.corridors).fill_null(False), "back"),
        ((taken.rail == "bank") & (taken.ref >= _sum_at(terms, "salary", taken.at_us)), "pay"),
        else_="",
    )
    taken = taken.select(
        "payment", "at_us", subject=taken.payee, role=role, other=taken.payer, country=taken.payer_country
    )
    both = given.union(taken)
    return both.filter(both.role != "")


def _sum_at(terms: Terms, name: str, at_us: Any) -> Any:
    *before, (_, last) = terms.sums(name)
    return (
        ibis.cases(*[(at_us < end, value) for end, value in before], else_=last)
        if before
        else ibis.literal(last)
    )
