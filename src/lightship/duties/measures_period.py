"""A stretch of time that a record tells of: a month, a quarter, a half or a whole year of the regulator's calendar."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from lightship.core.errors import InputError

_NAMED = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])|-Q([1-4])|-H([12]))?")


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to, but not including, another.

    Parameters
    ----------
    name
        Such as ``"2026-10"``, ``"2026-Q4"``, ``"2026-H2"`` or ``"2026"``.
    first, after
        Its first day, and the day after its last.
    zone
        Where the days begin: the regulator's, so that all that is told of a month is told of the same month.
    """

    name: str
    first: date
    after: date
    zone: tzinfo

    @property
    def begins(self) -> datetime:
        """The first moment of its first day, UTC."""
        return _midnight(self.first, self.zone)

    @property
    def ends(self) -> datetime:
        """The first moment of the day after it, UTC."""
        return _midnight(self.after, self.zone)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.after - timedelta(days=1)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.ends - self.begins).total_seconds()

    def over(self, now: datetime) -> bool:
        """Return whether it has ended."""
        return now >= self.ends

    def told(self) -> dict[str, str]:
        """Return it as a document names it."""
        return {
            "name": self.name,
            "begins": self.begins.isoformat(),
            "ends": self.ends.isoformat(),
            "first_day": self.first.isoformat(),
            "last_day": self.last.isoformat(),
            "zone": str(self.zone),
        }

    def month_of(self, at: datetime) -> str:
        """Return the name of the month that a moment lies in, where its days begin."""
        return f"{at.astimezone(self.zone):%Y-%m}"

    def months(self) -> tuple[Period, ...]:
        """Return its months.

        Examples
        --------
        >>> [one.name for one in period_of("2026-Q4", UTC).months()]
        ['2026-10', '2026-11', '2026-12']
        """
        first = self.first.year * 12 + self.first.month - 1
        last = self.after.year * 12 + self.after.month - 1
        return tuple(_month(one, self.zone) for one in range(first, last))

    def before(self, months: int) -> tuple[Period, ...]:
        """Return so many months before it, oldest first."""
        first = self.first.year * 12 + self.first.month - 1
        return tuple(_month(one, self.zone) for one in range(first - months, first))


def period_of(name: str, zone: tzinfo) -> Period:
    """Return a period by its name, of days that begin in a zone.

    Raises
    ------
    InputError
        If it names none.

    Examples
    --------
    >>> from zoneinfo import ZoneInfo
    >>> period_of("2026-H2", ZoneInfo("Europe/London")).begins.isoformat()
    '2026-06-30T23:00:00+00:00'
    """
    found = _NAMED.fullmatch(name)
    if not found or found[1] < "1970":
        raise InputError(
            f"“{name[:40]}” is no period.", "--period", "Write 2026-10, 2026-Q4, 2026-H2 or 2026."
        )
    year, month, quarter, half = (int(one) if one else 0 for one in found.groups())
    first, length = (
        (month - 1, 1)
        if month
        else (3 * (quarter - 1), 3)
        if quarter
        else (6 * (half - 1), 6)
        if half
        else (0, 12)
    )
    return _months(name, 12 * year + first, length, zone)


def _month(number: int, zone: tzinfo) -> Period:
    return _months(f"{number // 12:04}-{number % 12 + 1:02}", number, 1, zone)


def _months(name: str, first: int, length: int, zone: tzinfo) -> Period:
    after = first + length
    if after // 12 > date.max.year:
        raise InputError(f"The period {name} lies beyond the calendar.", "--period", "Name a year before.")
    return Period(
        name,
        date(first // 12, first % 12 + 1, 1),
        date(after // 12, after % 12 + 1, 1),
        zone,
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
