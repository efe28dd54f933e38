"""What the live step knows beside the payments: accounts, customers, corridors, rates, clocks, packs and baselines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

from lightship.payments.baseline import Baseline
from lightship.payments.derive import Fact, Out, Passing, Send
from lightship.payments.features import resolved
from lightship.payments.money import rate_of
from lightship.payments.pack import Corridor, Pack
from lightship.payments.prepare import DAY_US, Terms, Window, microseconds, rate_spans, zone_spans
from lightship.payments.rows import UNKNOWN
from lightship.payments.vocabulary import TEXTS, Params

_Spans = Mapping[str, list[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Profile:
    """What the institution's own records say of one customer.

    Parameters
    ----------
    kind
        ``person`` or ``business``.
    opened
        Day the account was opened.
    country, zone, born_year
        As in the table ``customers``.
    ties
        Countries to which something ties the customer.
    born_month
        As there.
    """

    kind: str
    opened: date
    country: str | None = None
    zone: str | None = None
    born_year: int | None = None
    ties: frozenset[str] = frozenset()
    born_month: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What the step holds of one party, each in order of time.

    Parameters
    ----------
    sends, receipts
        As payer and as receiver of payments into listed corridors.
    facts, outs, passing
        What `derive` needs besides.
    children
        As receiver: what children's accounts paid, each with the account in place of the other.
    gone
        Payments taken back that had not come yet.
    reached
        Typology to the last time that its threshold was reached.
    """

    sends: tuple[Send, ...] = ()
    receipts: tuple[Send, ...] = ()
    facts: tuple[Fact, ...] = ()
    outs: tuple[Out, ...] = ()
    passing: tuple[Passing, ...] = ()
    children: tuple[Out, ...] = ()
    gone: tuple[str, ...] = ()
    reached: tuple[tuple[str, int], ...] = ()


EMPTY = Account()


@dataclass(frozen=True)
class World:
    """What does not change from payment to payment.

    Parameters
    ----------
    terms
        Jurisdiction, rates, zones.
    packs
        Those to score, as `covered` left them.
    baselines
        By typology; one is needed for each pack.
    profile
        Returns a customer's record, None for who is none.
    markers
        Returns the markers of a subject.
    ties_known
        Whether the institution has a table of ties at all.
    """

    terms: Terms
    packs: tuple[Pack, ...]
    baselines: Mapping[str, Baseline]
    profile: Callable[[str], Profile | None]
    markers: Callable[[str], tuple[str, ...]] = lambda _: ()
    ties_known: bool = True
    _texts: Mapping[str, re.Pattern[str]] = field(init=False)

    def __post_init__(self) -> None:
        patterns = {name: re.compile(self.terms.jurisdiction.texts[name], re.ASCII) for name in TEXTS}
        object.__setattr__(self, "_texts", patterns)

    @cached_property
    def _rates(self) -> Mapping[str, list[tuple[int, int, float, int]]]:
        found: dict[str, list[tuple[int, int, float, int]]] = {}
        for code, start, end, rate, round_minor in rate_spans(self.terms.currencies):
            found.setdefault(code, []).append((start, end, rate, round_minor))
        return found

    @cached_property
    def _corridors(self) -> tuple[_Spans, _Spans]:
        return _spans_of(self.terms.jurisdiction.corridors), _spans_of(self.terms.jurisdiction.extortion)

    def listed(self, country: str | None, at_us: int) -> bool:
        """Return whether a country is a listed corridor at a moment."""
        return any(start <= at_us < end for start, end in self._corridors[0].get(country or "", ()))

    def listed_for_extortion(self, country: str | None, at_us: int) -> bool:
        """Return whether a country is a listed corridor of extortion at a moment."""
        return any(start <= at_us < end for start, end in self._corridors[1].get(country or "", ()))

    def reference(self, amount_minor: int, currency: str, at_us: int) -> int:
        """Return a sum in hundredths of the reference currency.

        Raises
        ------
        InputError
            If there is no rate for the currency.
        """
        rate_of(currency, self.terms.currencies)
        rate = next(rate for start, end, rate, _ in self._rates[currency] if start <= at_us < end)
        return int((amount_minor * rate + 0.5) // 1)

    def is_round(self, amount_minor: int | None, currency: str | None) -> bool:
        """Return whether a sum is a round one of its currency."""
        if amount_minor is None or currency is None or currency not in self.terms.currencies:
            return False
        return amount_minor % self.terms.currencies[currency].round_minor == 0

    def sum_at(self, name: str, at_us: int) -> int:
        """Return one of the jurisdiction's sums in hundredths of the reference currency at a moment."""
        return next(value for end, value in self._sums[name] if at_us < end)

    @cached_property
    def _sums(self) -> Mapping[str, list[tuple[int, int]]]:
        return {name: self.terms.sums(name) for name in self.terms.jurisdiction.sums}

    def hour(self, zone: str | None, at_us: int) -> int:
        """Return the local hour."""
        if zone is None:
            return UNKNOWN
        offset_s = _offset(zone, at_us // DAY_US // 30, at_us)
        return UNKNOWN if offset_s is None else ((at_us // 1_000_000 + offset_s) // 3600) % 24

    def text(self, name: str, text: str | None) -> int:
        """Return 1 if a reference is of a category."""
        return int(text is not None and self._texts[name].search(text.lower()) is not None)

    @cached_property
    def _params(self) -> dict[tuple[str, date], Mapping[str, Params]]:
        return {}

    def params(self, pack: Pack, day: date) -> Mapping[str, Params]:
        """Return a pack's parameters on a day, by indicator."""
        key = (pack.id, day)
        if key not in self._params:
            self._params[key] = {one.id: resolved(one, day, self.terms.currencies) for one in pack.computed}
        return self._params[key]


def _spans_of(corridors: Iterable[Corridor]) -> _Spans:
    found: dict[str, list[tuple[int, int]]] = {}
    for one in corridors:
        end = microseconds(one.until) if one.until else 2**62
        found.setdefault(one.country, []).append((microseconds(one.since), end))
    return found


@lru_cache(maxsize=4096)
def _spans(zone: str, month: int) -> list[tuple[str, int, int, int]]:
    begin = month * 30 * DAY_US
    return zone_spans([zone], Window(begin, begin + 30 * DAY_US))


def _offset(zone: str, month: int, at_us: int) -> int | None:
    return next((offset for _, start, end, offset in _spans(zone, month) if start <= at_us < end), None)
