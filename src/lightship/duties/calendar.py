"""Days, office hours and the ends of periods by a place's clocks: zoneinfo for its time, python-holidays for its days.

The library computes bank holidays of any year; a day that is proclaimed at short notice is added in the pack.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lightship.core.errors import PolicyError

if TYPE_CHECKING:
    from holidays import HolidayBase

Office = Literal["open", "closed"]


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


@cache
def _holidays(country: str, subdivision: str, added: tuple[date, ...]) -> HolidayBase:
    import holidays

    found = holidays.country_holidays(country, subdiv=subdivision)
    found.update(dict.fromkeys(added, "Added in the pack"))
    return found


def holidays_of(country: str, subdivision: str, added: tuple[date, ...], where: str) -> HolidayBase:
    """Return a place's bank holidays.

    Raises
    ------
    PolicyError
        If the library knows no such place, or is not installed.
    """
    try:
        return _holidays(country, subdivision, added)
    except ImportError as error:
        raise PolicyError(
            "Bank holidays need the package python-holidays.",
            where,
            "Install: pip install 'lightship[duties]'",
        ) from error
    except NotImplementedError as error:
        raise PolicyError(
            f"No bank holidays are known of it: {error}.", where, "Correct the place."
        ) from error


@dataclass(frozen=True, eq=False, slots=True)
class Calendar:
    """A place's time zone, its bank holidays and an office's hours.

    Parameters
    ----------
    opens, closes
        Of the office, on working days.
    """

    zone: ZoneInfo
    holidays: HolidayBase
    opens: time
    closes: time

    def office(self, at: datetime) -> Office:
        """Return whether the office is open."""
        here = at.astimezone(self.zone)
        works = self.holidays.is_working_day(here.date())
        return "open" if works and self.opens <= here.time() < self.closes else "closed"

    def later(self, at: datetime, length: int, unit: str) -> datetime:
        """Return when a period ends that begins at a moment, UTC.

        Hours pass as they do. Days, months and years end at the same time of day; where the clocks skip that time, as
        much later as they skip; where it comes twice, at the first. A month without such a day gives its last.
        Working days leave out weekends and bank holidays; what begins on none of them begins with the next one.
        """
        if unit == "hours":
            return at.astimezone(UTC) + timedelta(hours=length)
        here = at.astimezone(self.zone)
        wall, day = here.time(), here.date()
        if unit == "days":
            day += timedelta(days=length)
        elif unit == "working-days":
            first = self.holidays.get_nth_working_day(day, 0)
            wall = wall if first == day else time()
            day = self.holidays.get_nth_working_day(first, length)
        else:
            months = day.year * 12 + day.month - 1 + length * (12 if unit == "years" else 1)
            year, month = divmod(months, 12)
            day = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
        return datetime.combine(day, wall.replace(fold=0), self.zone).astimezone(UTC)
