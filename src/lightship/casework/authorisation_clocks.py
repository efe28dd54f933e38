"""When an authorisation begins, ends, and becomes long term. Pure; days are those of the rules' time zone."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lightship.core.undercover import Authorisation, Span, Standing

LAST_MINUTE = time(23, 59)


def months_after(day: date, months: int) -> date:
    """Return the corresponding day so many months on; the first of the next month where that month has none.

    Examples
    --------
    >>> months_after(date(2024, 2, 29), 12)
    datetime.date(2025, 3, 1)
    """
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    try:
        return date(year, month + 1, day.day)
    except ValueError:
        year, month = divmod(index + 1, 12)
        return date(year, month + 1, 1)


def period_end(effect: datetime, months: int, zone: ZoneInfo) -> datetime:
    """Return the end of a period of months beginning with the day of effect: 23:59 on the day before the anniversary.

    Parameters
    ----------
    effect
        Aware; its day is the zone's.
    """
    last = months_after(effect.astimezone(zone).date(), months) - timedelta(days=1)
    return datetime.combine(last, LAST_MINUTE, zone).astimezone(UTC)


def hours_end(effect: datetime, hours: int) -> datetime:
    """Return the end of so many hours that pass, from the minute of effect on; a change of clocks changes nothing."""
    return effect.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(hours=hours)


def next_period_start(span: Span, zone: ZoneInfo) -> datetime:
    """Return when a renewal of a period takes effect: at its hour, or with the day after its last."""
    if span.form == "written":
        following = span.ends_at.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(following, time(), zone).astimezone(UTC)
    return span.ends_at


def standing(authorisation: Authorisation, at: datetime) -> Standing:
    """Return what an authorisation is worth at a moment.

    Between a written period and its renewal lies the minute from 23:59 on; a renewal granted in time covers it.
    """
    state = authorisation.state
    if state in {"applied", "refused", "awaiting_jc"}:
        return state
    if authorisation.cancelled_at is not None and at >= authorisation.cancelled_at:
        return "cancelled"
    spans = authorisation.spans
    if at < spans[0].first_at:
        return "pending"
    return "active" if at < spans[-1].ends_at else "lapsed"


def authorised_days(authorisation: Authorisation, zone: ZoneInfo, without: Iterable[str] = ()) -> set[date]:
    """Return the days on which a source was or will be authorised; a day counts once, however short.

    Parameters
    ----------
    without
        Forms that are not counted.
    """
    skipped, days = set(without), set[date]()
    for span in authorisation.spans:
        if span.form in skipped:
            continue
        cut = authorisation.cancelled_at
        end = span.ends_at if cut is None else min(cut, span.ends_at)
        if end <= span.first_at:
            continue
        days |= days_of(span.first_at, end, zone)
    return days


def days_of(first_at: datetime, ends_at: datetime, zone: ZoneInfo) -> set[date]:
    """Return the days from a first moment up to, not including, an end."""
    before = ends_at - timedelta(microseconds=1)
    first, last = first_at.astimezone(zone).date(), before.astimezone(zone).date()
    return {first + timedelta(days=index) for index in range((last - first).days + 1)}


def is_long_term(days: set[date], months: int) -> bool:
    """Return whether authorised days, taken together, exceed so many months from the first of them on."""
    if not days:
        return False
    first = min(days)
    return len(days) > (months_after(first, months) - first).days


def warned(ends_at: datetime, now: datetime, days: Iterable[int]) -> int:
    """Return the smallest number of days before the end whose warning is out; 0 for none, or once it has ended."""
    left = ends_at - now
    return min((one for one in days if timedelta() < left <= timedelta(days=one)), default=0)
