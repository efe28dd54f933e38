"""Money: the digits of a currency's minor unit, and dated rates between currencies, both as data.

A table of rates is a CSV: the first column is the day, every other one a currency, each value what one unit of the base
bought on that day; an empty value or ``N/A`` is none. Comment lines before the header say where it is from::

    # source: https://example.org/rates
    # grade: P
    # base: EUR
    day,GBP,PHP
    2026-03-01,0.85,63.1

Central banks publish tables of this shape. A rate holds from its day on, for at most :data:`AGE_DAYS`.
"""

from __future__ import annotations

import csv
import hashlib
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from lightship import packs
from lightship.core.errors import InputError

AGE_DAYS = 35
"""So long a rate holds: a month, and some days in which the next table is late."""

EXAMPLE = "fx-example.csv"
RATES = "rates.csv"
"""A dataset's own table, where it was read with one."""


@cache
def digits() -> Mapping[str, int]:
    """Return the currencies there are, with the digits of their minor unit."""
    return {row["currency"]: int(row["digits"]) for row in shipped("currencies.csv")}


def shipped(name: str) -> list[dict[str, str]]:
    """Return the rows of a table of ``packs/payments``."""
    lines = (packs.root() / "payments" / name).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


@dataclass(frozen=True, slots=True)
class Rates:
    """Dated rates of several currencies to one.

    Parameters
    ----------
    base
        The currency that all are given against.
    source, grade
        Where they are from, and how well that is known.
    digest
        ``sha256:`` of the file.
    days
        Of each currency the days that it has a rate of, rising, and the rates: what one unit of the base bought.
    """

    base: str
    source: str
    grade: str
    digest: str
    days: Mapping[str, tuple[Sequence[date], Sequence[float]]]

    def per_base(self, currency: str, day: date) -> float | None:
        """Return what one unit of the base bought, None where that is not known of the day."""
        if currency == self.base:
            return 1.0
        days, rates = self.days.get(currency, ((), ()))
        place = bisect_right(days, day) - 1
        if place < 0 or (day - days[place]).days > AGE_DAYS:
            return None
        return rates[place]

    def minor(self, currency: str, into: str, day: date) -> float | None:
        """Return how many minor units of ``into`` one minor unit of ``currency`` is, None where that is not known."""
        own, other = self.per_base(currency, day), self.per_base(into, day)
        if own is None or other is None:
            return None
        return other / own * 10.0 ** (digits()[into] - digits()[currency])


def text_of(path: Path | None = None) -> bytes:
    """Return a table's bytes; the example's where none is given.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = path or packs.root() / "payments" / EXAMPLE
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The rates cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def read(path: Path | None = None) -> Rates:
    """Read a table of rates; the example's where none is given.

    Raises
    ------
    InputError
        If it cannot be read, or a day, a currency or a rate is none.
    """
    data, path = text_of(path), path or Path(EXAMPLE)
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError("The rates are not UTF-8 text.", str(path), "Save them as UTF-8.") from error
    said = {"base": "EUR", "source": "", "grade": ""}
    for line in lines:
        key, found, value = line.lstrip("# ").partition(":")
        if line.startswith("#") and found and key.strip() in said:
            said[key.strip()] = value.strip()
    rows = csv.reader(line for line in lines if line.strip() and not line.startswith("#"))
    head = [name.strip() for name in next(rows, [])]
    todo = "See packs/payments/fx-example.csv for the form."
    unknown = [name for name in [*head[1:], said["base"]] if name and name not in digits()]
    if len(head) < 2 or unknown:
        what = (
            f"The rates name a currency that is none: {unknown[0]}." if unknown else "The file has no rates."
        )
        raise InputError(what, str(path), todo)
    days: dict[str, dict[date, float]] = {name: {} for name in head[1:] if name}
    for number, row in enumerate(rows, 1):
        try:
            day = date.fromisoformat(row[0].strip())
            for name, text in zip(head[1:], row[1:], strict=False):
                if name and text.strip() not in {"", "N/A"}:
                    days[name][day] = _rate(text, days[name].get(day), f"{name} has two rates of {day}")
        except ValueError as error:
            raise InputError(f"The rates cannot be used: {error}.", f"{path}, row {number}", todo) from error
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    ordered = {name: tuple(zip(*sorted(found.items()), strict=True)) for name, found in days.items() if found}
    return Rates(
        said["base"], said["source"], said["grade"], digest, {k: (v[0], v[1]) for k, v in ordered.items()}
    )


def _rate(text: str, before: float | None, twice: str) -> float:
    rate = float(text)
    if not 0.0 < rate < math.inf:
        raise ValueError(f"{text.strip()[:20]!r} is no rate")
    if before not in {None, rate}:
        raise ValueError(twice)
    return rate
