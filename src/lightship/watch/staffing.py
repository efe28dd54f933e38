"""Whether a trained moderator is there: a state machine of shifts and surges, and a timeline without gaps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from lightship.core.errors import AccessDenied


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who is on shift now.

    Parameters
    ----------
    on
        Moderators on shift, each with when their training runs out.
    surge
        Whether the service is in crisis mode.
    at
        Up to when this holds, as far as is known.
    covered
        Whether somebody on shift is trained.
    """

    at: datetime
    on: tuple[tuple[str, datetime], ...] = ()
    surge: bool = False

    @property
    def covered(self) -> bool:
        """Whether anybody on shift is trained now."""
        return any(until > self.at for _, until in self.on)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the coverage timeline: from its beginning up to the next one's."""

    begins: datetime
    ends: datetime
    covered: bool
    surge: bool


def arrived(staffing: Staffing, moderator: str, trained_until: datetime, now: datetime) -> Staffing:
    """Take in that a moderator comes on shift.

    Raises
    ------
    AccessDenied
        If the training has run out.
    """
    if trained_until <= now:
        raise AccessDenied(
            "This moderator's training has run out.", f"moderator {moderator}", "Renew the training first."
        )
    others = tuple(one for one in staffing.on if one[0] != moderator)
    return replace(staffing, at=now, on=(*others, (moderator, trained_until)))


def left(staffing: Staffing, moderator: str, now: datetime) -> Staffing:
    """Take in that a moderator goes off shift; whoever is not on it changes nothing."""
    return replace(staffing, at=now, on=tuple(one for one in staffing.on if one[0] != moderator))


def at(staffing: Staffing, now: datetime) -> Staffing:
    """Return how it stands at a later moment: training may have run out meanwhile."""
    return replace(staffing, at=max(now, staffing.at))


def surging(
    staffing: Staffing, *, on: bool, by: str, reason: str, now: datetime
) -> tuple[Staffing, dict[str, Any] | None]:
    """Begin or end crisis mode; returns the record of it, None where nothing changes.

    Raises
    ------
    AccessDenied
        If nobody is named or no reason given.
    """
    if not by or not reason.strip():
        raise AccessDenied("Crisis mode needs somebody who decides it, and a reason.", "surge", "Give both.")
    if staffing.surge == on:
        return replace(staffing, at=now), None
    kind = "surge-began" if on else "surge-ended"
    entry = {"kind": kind, "by": by, "reason": reason, "at": now.isoformat()}
    return replace(staffing, at=now, surge=on), entry


def timeline(states: Iterable[Staffing], until: datetime) -> tuple[Stretch, ...]:
    """Return the coverage from the first state on, without gaps; a training that runs out ends a stretch itself.

    Parameters
    ----------
    states
        After each event, in the order of time.
    """
    known = list(states)
    found: list[Stretch] = []
    for one, after in zip(known, [*(next_.at for next_ in known[1:]), until], strict=True):
        edges = sorted({one.at, after, *(when for _, when in one.on if one.at < when < after)})
        for begins, ends in pairwise(edges):
            covered = replace(one, at=begins).covered
            last = found[-1] if found else None
            if last is not None and (last.covered, last.surge) == (covered, one.surge):
                found[-1] = replace(last, ends=ends)
            else:
                found.append(Stretch(begins, ends, covered, one.surge))
    return tuple(found)
