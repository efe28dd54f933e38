"""The six-month record of a list's settings: distance, a sampled review, precision with exact bounds, and what is due.

Ofcom's measure C9 asks that the settings of perceptual matching are reviewed at least every six months, that people
look at a suitable proportion of matches, likeliest-false first, and that balance, outcomes and proportion are recorded.
"""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from lightship.core.binomial import share_bounds
from lightship.core.governance import Item, Listed

MONTHS = 6
CONFIRMED, FALSE, UNSURE = "confirmed", "false-positive", "unsure"


def draw(matches: Iterable[Item], seed: int, number: int) -> tuple[list[Item], int]:
    """Draw matches to review, each source and entry once: the same for the same seed, whatever their order.

    Parameters
    ----------
    matches
        Of one list.
    seed
        Decides which are drawn.
    number
        How many.

    Returns
    -------
    tuple
        The sample, likeliest false first, and how many matches it was drawn from.
    """
    units: dict[tuple[str, str], Item] = {}
    for one in matches:
        key = (one.source, one.reference)
        if key not in units or one.weight_db > units[key].weight_db:
            units[key] = one
    chosen = sorted(units.values(), key=lambda one: _place(seed, one))[:number]
    return sorted(chosen, key=lambda one: (one.weight_db, -one.distance, one.item)), len(units)


def _place(seed: int, one: Item) -> bytes:
    return hashlib.sha256(f"{seed}\0{one.source}\0{one.reference}".encode()).digest()


@dataclass(frozen=True, slots=True)
class TuningRecord:
    """What is known of how well a list's settings do.

    Parameters
    ----------
    name, owner, version
        The list and its version in force.
    distance, since
        In force, bits, and since when.
    distances
        Those before, with the day each began.
    matches, seed, drawn
        Matches in the period, and how many were drawn for review by which seed.
    confirmed, false_positive, unsure
        What people said of those drawn.
    decided, decision, reason, by
        When the settings were last decided on, what, why and by whom; None if never.
    due
        When they must be, at the latest.
    """

    name: str
    owner: str
    version: int
    distance: int
    since: date
    distances: tuple[tuple[date, int], ...]
    matches: int
    seed: int
    drawn: int
    confirmed: int
    false_positive: int
    unsure: int
    decided: date | None
    decision: str
    reason: str
    by: str
    due: date

    @property
    def reviewed(self) -> int:
        """Matches of which a person said which they are."""
        return self.confirmed + self.false_positive

    @property
    def bounds(self) -> tuple[float, float]:
        """Exact two-sided 95 % bounds on precision (Clopper-Pearson), of those matches that a person could tell."""
        return share_bounds(self.confirmed, self.reviewed)

    def overdue(self, today: date) -> bool:
        """Return whether the settings should have been decided on by now."""
        return today > self.due

    def to_json(self, today: date) -> dict[str, Any]:
        """Return the record as a JSON object."""
        low, high = self.bounds
        return {
            "list": self.name,
            "owner": self.owner,
            "version": self.version,
            "distance_bits": self.distance,
            "since": self.since.isoformat(),
            "distances": [{"from": day.isoformat(), "distance_bits": bits} for day, bits in self.distances],
            "matches": self.matches,
            "sample": {"seed": self.seed, "drawn": self.drawn, "unsure": self.unsure},
            "reviewed": self.reviewed,
            "confirmed": self.confirmed,
            "false_positive": self.false_positive,
            "precision": self.confirmed / self.reviewed if self.reviewed else None,
            "precision_bounds_95": [low, high],
            "decided": self.decided.isoformat() if self.decided else None,
            "decision": self.decision,
            "reason": self.reason,
            "by": self.by,
            "due": self.due.isoformat(),
            "overdue": self.overdue(today),
        }

    def to_markdown(self, today: date) -> str:
        """Return the record as a page."""
        low, high = self.bounds
        share = f"{self.confirmed / self.reviewed:.3f}" if self.reviewed else "not known: none was reviewed"
        rows = (
            ("distance in force", f"{self.distance} bits, since {self.since}"),
            (
                "distances before",
                ", ".join(f"{bits} from {day}" for day, bits in self.distances[:-1]) or "none",
            ),
            ("matches, one a source and entry", f"{self.matches:,}"),
            ("drawn for review", f"{self.drawn} (seed {self.seed}), likeliest false shown first"),
            ("proportion reviewed", f"{self.reviewed / self.matches:.1%}" if self.matches else "-"),
            (
                "confirmed, false, could not be told",
                f"{self.confirmed}, {self.false_positive}, {self.unsure}",
            ),
            ("precision", share),
            ("exact 95 % bounds (Clopper-Pearson)", f"{low:.3f} to {high:.3f}"),
            (
                "settings last decided",
                f"{self.decided}: {self.decision}, {self.reason} ({self.by})" if self.decided else "never",
            ),
            ("next decision due", f"{self.due}{' — OVERDUE' if self.overdue(today) else ''}"),
        )
        lines = [f"# Settings of the list {self.name}, {today}", ""]
        lines += [
            f"Owner: {self.owner or 'not named'}. Version {self.version}.",
            "",
            "| what | |",
            "|---|---|",
        ]
        return "\n".join([*lines, *(f"| {what} | {said} |" for what, said in rows)]) + "\n"


def tuning_record(name: str, listed: Listed) -> TuningRecord:
    """Return the record of a list from what is known of it."""
    said = [act.what for act in listed.verdicts.values()]
    tuned = listed.tuned
    last: datetime = tuned.at if tuned is not None else listed.began_at
    return TuningRecord(
        name,
        listed.terms.owner,
        listed.version,
        listed.terms.distance,
        listed.distances[-1][0].date(),
        tuple((at.date(), bits) for at, bits in listed.distances),
        listed.matches,
        listed.seed,
        len(listed.sample),
        said.count(CONFIRMED),
        said.count(FALSE),
        said.count(UNSURE),
        tuned.at.date() if tuned is not None else None,
        tuned.what if tuned is not None else "",
        tuned.reason if tuned is not None else "",
        tuned.by if tuned is not None else "",
        months_later(last.date(), MONTHS),
    )


def months_later(day: date, months: int) -> date:
    """Return the same day some months on, or the month's last.

    Examples
    --------
    >>> months_later(date(2026, 8, 31), 6)
    datetime.date(2027, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))
