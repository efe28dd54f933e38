"""Days, office hours and the ends of periods by a place's clocks: zoneinfo for its time, NumPy for working days."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import PolicyError

Office = Literal["open", "closed", "unknown"]


def zone_of(name: str, where: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises
    ------
    PolicyError
        If this machine knows none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PolicyError(
            f"This machine knows no time zone {name!r}.", where, "Correct it, or install the package tzdata."
        ) from error


@dataclass(frozen=True, eq=False, slots=True)
class Calendar:
    """A place's time zone, its bank holidays and an office's hours.

    Parameters
    ----------
    holidays
        Rising, ``(N,) datetime64[D]``; they fall on working days.
    years
        Whose holidays are all there.
    opens, closes
        Of the office, on working days.
    """

    zone: ZoneInfo
    holidays: NDArray[np.datetime64]
    years: frozenset[int]
    opens: time
    closes: time

    def office(self, at: datetime) -> Office:
        """Return whether the office is open; unknown where the year's holidays are not there."""
        here = at.astimezone(self.zone)
        if not self.opens <= here.time() < self.closes or here.weekday() >= 5:
            return "closed"
        if here.year not in self.years:
            return "unknown"
        return "open" if np.is_busday(here.date(), holidays=self.holidays) else "closed"

    def later(self, at: datetime, length: int, unit: str) -> datetime:
        """Return when a period ends that begins at a moment, UTC.

        Hours pass as they do. Days, months and years end at the same time of day; where the clocks skip that time, as
        much later as they skip; where it comes twice, at the first. A month without such a day gives its last.
        Working days leave out weekends and bank holidays; what begins on none of them begins with the next one.

        Raises
        ------
        PolicyError
            If it counts working days of a year whose bank holidays are not known.
        """
        if unit == "hours":
            return at.astimezone(UTC) + timedelta(hours=length)
        here = at.astimezone(self.zone)
        wall = here.time()
        if unit == "days":
            day = here.date() + timedelta(days=length)
        elif unit == "working-days":
            if not np.is_busday(here.date(), holidays=self.holidays):
                wall = time()
            day = self._working(here.date(), length)
        else:
            months = here.year * 12 + here.month - 1 + length * (12 if unit == "years" else 1)
            year, month = divmod(months, 12)
            day = date(year, month + 1, min(here.day, monthrange(year, month + 1)[1]))
        return datetime.combine(day, wall.replace(fold=0), self.zone).astimezone(UTC)

    def _working(self, day: date, length: int) -> date:
        found: date = np.busday_offset(day, length, roll="forward", holidays=self.holidays).astype(date)
        for year in range(day.year, found.year + 1):
            if year not in self.years:
                raise PolicyError(
                    f"The bank holidays of {year} are not known here.",
                    "duties' clocks",
                    "Add them to the pack.",
                )
        return found
