"""Rises and new patterns, from metadata alone: what came oftener than chance allows, and what never came before.

Each series is held against its own past: with counts of earlier weeks, the next count follows a negative binomial law
(the predictive law of Poisson counts under the prior of Jeffreys), stretched where the past itself was more uneven than
Poisson counts are. A series rises where so many or more would come by chance less often than its part of the budget of
false notes allows.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lightship.core.cases import Case, Report
from lightship.core.duties import Detection
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source

WEEKS = 26
"""Of the past that a week is held against."""
LEAST_WEEKS = 8
FALSE_NOTES_A_YEAR = 1.0
"""How many false rises a year all series together may show."""
NEW_LEAST = 3
"""A pattern that was never seen is told of when it came so often."""
GROUP_LEAST = 4
"""Near-duplicates of one case in a week that make a group."""


@dataclass(frozen=True, slots=True)
class Rise:
    """A series in a week in which it rose.

    Parameters
    ----------
    usual
        The mean of the weeks before.
    chance
        That so many or more came by chance.
    high
        The largest count that is no rise.
    past
        The counts before, oldest first.
    """

    series: str
    week: str
    count: int
    usual: float
    chance: float
    high: int
    past: tuple[int, ...]


def tail(count: int, past: Sequence[int]) -> float:
    """Return the chance that so many or more come after such a past.

    Examples
    --------
    >>> tail(4, [3, 5, 4, 4, 3, 5, 4, 4]) > 0.4
    True
    >>> tail(40, [3, 5, 4, 4, 3, 5, 4, 4]) < 1e-9
    True
    """
    total, weeks = sum(past), len(past)
    mean = total / weeks
    spread = sum((one - mean) ** 2 for one in past) / max(1, weeks - 1)
    uneven = max(1.0, spread / mean) if mean > 0 else 1.0
    odds = weeks / (
        uneven * (weeks + 1)
    )  # so that the variance is the mean, times the unevenness, times 1 + 1/weeks
    size = (total + 0.5) / weeks * odds / (1.0 - odds)
    log_term = size * math.log(odds)
    below = 0.0
    for k in range(count):
        below += math.exp(log_term)
        log_term += math.log((size + k) / (k + 1) * (1.0 - odds))
        if below > 1.0 - 1e-15:
            return max(0.0, 1.0 - below)
    return max(0.0, 1.0 - below)


def rises(series: Mapping[str, Sequence[int]], weeks: Sequence[str], tell_from: str) -> list[Rise]:
    """Return the rises of all series in the weeks from one on.

    Parameters
    ----------
    series
        A count for each week.
    weeks
        Their names, oldest first.
    tell_from
        The first week that is told of; those before are past alone.
    """
    level = FALSE_NOTES_A_YEAR / 52.0 / max(1, len(series))
    found = []
    for name in sorted(series):
        counts = series[name]
        for place, week in enumerate(weeks):
            past = tuple(counts[max(0, place - WEEKS) : place])
            if week < tell_from or len(past) < LEAST_WEEKS:
                continue
            chance = tail(counts[place], past)
            if chance < level:
                mean = sum(past) / len(past)
                found.append(Rise(name, week, counts[place], mean, chance, _high(past, level), past))
    return found


def _high(past: Sequence[int], level: float) -> int:
    """Return the largest count that is no rise."""
    low, high = 0, 1
    while tail(high, past) >= level:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if tail(middle, past) >= level else (low, middle)
    return low


def week_of(day: date) -> str:
    """Return the Monday of a day's week.

    Examples
    --------
    >>> week_of(date(2026, 11, 29))
    '2026-11-23'
    """
    return (day - timedelta(days=day.weekday())).isoformat()


def weeks_between(since: date, until: date) -> list[str]:
    """Return the weeks that lie whole from a day on and before another."""
    first = since + timedelta(days=-since.weekday() % 7)
    found = []
    while first + timedelta(days=7) <= until:
        found.append(first.isoformat())
        first += timedelta(days=7)
    return found


def note_of(source: Source, period: Period) -> dict[str, Any]:
    """Return the note of a period, such as a quarter, as JSON."""
    begins = period.begins - timedelta(weeks=WEEKS)
    events = [(_day(at, period), name) for at, name in _events(source, begins, period.ends)]
    since = min(
        (day for day, _ in events), default=_day(begins, period)
    )  # before its first event a platform has no past, not a quiet one
    weeks = weeks_between(since, period.after)
    tell_from = next((one for one in weeks if one >= period.first.isoformat()), "9999")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for day, name in events:
        counts[name][week_of(day)] += 1
    series = {name: [found[week] for week in weeks] for name, found in counts.items()}
    rose = rises(series, weeks, tell_from)
    return {
        "format": "lightship.drift-note/1",
        "period": period.name,
        "weeks": weeks,
        "series": len(series),
        "false_notes_a_year": FALSE_NOTES_A_YEAR,
        "rises": [
            {
                "series": one.series,
                "week": one.week,
                "count": one.count,
                "usual": round(one.usual, 2),
                "chance": float(f"{one.chance:.2g}"),
                "high": one.high,
                "past": list(one.past),
            }
            for one in rose
        ],
        "new": _new(series, weeks, tell_from),
        "groups": _groups(source, period),
    }


def _day(at: datetime, period: Period) -> date:
    return at.astimezone(period.zone).date()


def _events(source: Source, begins: datetime, ends: datetime) -> Iterable[tuple[datetime, str]]:
    """Yield each event's time and the series that it belongs to: kinds, ways, hours, and their pairs; no names."""
    fields = ("aware_at", "label", "found_by", "live_danger")
    for at, label, found_by, danger in source.rows(Detection, fields, "aware_at", begins, ends):
        part = ("night", "morning", "afternoon", "evening")[at.hour // 6]
        yield at, f"kind {label}"
        yield at, f"found by {found_by}"
        yield at, f"kind {label}, found by {found_by}"
        yield at, f"kind {label}, {part} (UTC)"
        if danger:
            yield at, "a child in danger then"
    for at, kind in source.rows(Report, ("received_at", "kind"), "received_at", begins, ends):
        yield at, f"report {kind}"
    for at, opener, near in source.rows(
        Case, ("opened_at", "opened_by", "near_of"), "opened_at", begins, ends
    ):
        yield at, f"case opened by {opener}"
        if near:
            yield at, "near-duplicates"


def _new(series: Mapping[str, Sequence[int]], weeks: Sequence[str], tell_from: str) -> list[dict[str, Any]]:
    """Return the series that have no past, and come often enough to be told of."""
    if tell_from not in weeks or weeks.index(tell_from) < LEAST_WEEKS:
        return []
    first = weeks.index(tell_from)
    return [
        {"series": name, "count": sum(counts[first:]), "first_week": weeks[first + _first(counts[first:])]}
        for name, counts in sorted(series.items())
        if not any(counts[:first]) and sum(counts[first:]) >= NEW_LEAST
    ]


def _first(counts: Sequence[int]) -> int:
    return next(place for place, one in enumerate(counts) if one)


def _groups(source: Source, period: Period) -> list[dict[str, Any]]:
    """Return how many cases of a week were near-duplicates of one case, where they were many; the case is not named."""
    found: Counter[tuple[str, str]] = Counter()
    for at, near in source.rows(Case, ("opened_at", "near_of"), "opened_at", period.begins, period.ends):
        if near:
            found[near, week_of(_day(at, period))] += 1
    groups = sorted(((week, n) for (_, week), n in found.items() if n >= GROUP_LEAST), reverse=True)
    return [{"week": week, "cases": n} for week, n in groups]


def note_text(note: Mapping[str, Any]) -> str:
    """Return the note as Markdown."""
    lines = [f"# Rises and new patterns, {note['period']}", ""]
    lines += [
        (
            f"{note['series']} series of metadata, week by week, each against up to {WEEKS} weeks before; by chance "
            f"alone all of them together would show {note['false_notes_a_year']:g} rise a year."
        ),
        "",
        "## Rises",
        "",
    ]
    lines += [
        f"- Week of {one['week']}: {one['series']}: {one['count']:,}, where {one['usual']:g} is usual and up to "
        f"{one['high']:,} would be no rise (chance {one['chance']:.2g})."
        for one in note["rises"]
    ] or ["None."]
    lines += ["", "## Never seen before", ""]
    lines += [
        f"- {one['series']}: {one['count']:,}, first in the week of {one['first_week']}."
        for one in note["new"]
    ] or ["Nothing."]
    lines += ["", "## Groups of near-duplicates", ""]
    lines += [
        f"- Week of {one['week']}: {one['cases']:,} cases of one picture." for one in note["groups"]
    ] or ["None."]
    return "\n".join([*lines, ""])
