"""A stretch of time that a record tells of: a month, a quarter, a half or a whole year, in UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from lightship.core.errors import InputError

_NAMED = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])|-Q([1-4])|-H([12]))?")


@dataclass(frozen=True, slots=True)
class Period:
    """From a moment up to, but not including, another.

    Parameters
    ----------
    name
        Such as ``"2026-10"``, ``"2026-Q4"``, ``"2026-H2"`` or ``"2026"``.
    """

    name: str
    begins: datetime
    ends: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.ends - self.begins).total_seconds()

    def over(self, now: datetime) -> bool:
        """Return whether it has ended."""
        return now >= self.ends

    def months(self) -> tuple[Period, ...]:
        """Return its months.

        Examples
        --------
        >>> [one.name for one in period_of("2026-Q4").months()]
        ['2026-10', '2026-11', '2026-12']
        """
        first = self.begins.year * 12 + self.begins.month - 1
        last = self.ends.year * 12 + self.ends.month - 1
        return tuple(_months(f"{one // 12}-{one % 12 + 1:02}", one, 1) for one in range(first, last))

    def before(self, months: int) -> tuple[Period, ...]:
        """Return so many months before it, oldest first."""
        first = self.begins.year * 12 + self.begins.month - 1
        return tuple(
            _months(f"{one // 12}-{one % 12 + 1:02}", one, 1) for one in range(first - months, first)
        )


def period_of(name: str) -> Period:
    """Return a period by its name.

    Raises
    ------
    InputError
        If it names none.

    Examples
    --------
    >>> period_of("2026-H2").begins.isoformat()
    '2026-07-01T00:00:00+00:00'
    """
    found = _NAMED.fullmatch(name)
    if not found or found[1] == "0000":
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
    return _months(name, 12 * year + first, length)


def _months(name: str, first: int, length: int) -> Period:
    ends = first + length
    return Period(
        name,
        datetime(first // 12, first % 12 + 1, 1, tzinfo=UTC),
        datetime(ends // 12, ends % 12 + 1, 1, tzinfo=UTC),
    )
