"""Whether a trained moderator is there, from shifts and signs of life; crisis mode; and a timeline without gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import uuid4

from lightship.core.cases import Surge
from lightship.core.errors import AccessDenied
from lightship.core.people import Account, Session, Shift
from lightship.core.ports import Work

IDLE = timedelta(minutes=15)
"""Somebody who has shown no sign of life for so long is not there, whatever their shift says; sessions end then too."""

LATELY = timedelta(hours=24)
_SHIFTS = 2_000
_REVIEWS = frozenset({"moderator", "lead"})


@dataclass(frozen=True, slots=True)
class Staffing:
    """Who is there at a moment.

    Parameters
    ----------
    on
        Moderators and leads on shift, each with when their training runs out.
    surge
        Whether the service is in crisis mode.
    """

    at: datetime
    on: tuple[tuple[str, datetime], ...] = ()
    surge: bool = False

    @property
    def trained(self) -> int:
        """How many of them are trained."""
        return sum(until > self.at for _, until in self.on)

    @property
    def covered(self) -> bool:
        """Whether anybody on shift is trained."""
        return self.trained > 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the coverage timeline: from its beginning up to the next one's."""

    begins: datetime
    ends: datetime
    covered: bool
    surge: bool


def timeline(
    shifts: Iterable[Shift],
    trained: Mapping[str, datetime],
    surges: Iterable[Surge],
    since: datetime,
    until: datetime,
) -> tuple[Stretch, ...]:
    """Return the coverage from one moment to a later one, without gaps; training that runs out ends a stretch too.

    Parameters
    ----------
    trained
        Until when each moderator's and lead's training holds; shifts of others do not count.
    """
    counted = [one for one in shifts if one.account in trained and (one.ended_at or until) > since]
    known = [one for one in surges if (one.ended_at or until) > since]
    events = [one.began_at for one in counted] + [one.began_at for one in known]
    ends_at = [one.ended_at for one in counted] + [one.ended_at for one in known]
    times = {at for at in (*events, *ends_at, *trained.values()) if at is not None and since < at < until}
    found: list[Stretch] = []
    for begins, ends in pairwise(sorted({since, *times, until})):
        state = _at(counted, trained, known, begins)
        last = found[-1] if found else None
        if last is not None and (last.covered, last.surge) == (state.covered, state.surge):
            found[-1] = replace(last, ends=ends)
        else:
            found.append(Stretch(begins, ends, state.covered, state.surge))
    return tuple(found)


def now_of(work: Work, now: datetime) -> Staffing:
    """Return who is there now."""
    trained, shifts = _people(work, work.find(Shift, {"ended_at": None}), now)
    return _at(shifts, trained, work.find(Surge, {"ended_at": None}), now)


def lately(work: Work, now: datetime) -> tuple[Stretch, ...]:
    """Return the coverage of the last day up to now; its last stretch is the present one."""
    trained, shifts = _people(work, work.find(Shift, {}, order=("-began_at",), limit=_SHIFTS), now)
    surges = work.find(Surge, {}, order=("-began_at",), limit=_SHIFTS)
    return timeline(shifts, trained, surges, now - LATELY, now)


def begin_surge(work: Work, *, by: str, reason: str, now: datetime) -> Surge:
    """Begin crisis mode, on the record; where it is on already nothing changes.

    Raises
    ------
    AccessDenied
        If no reason is given.
    """
    reason = _reason(reason)
    found = work.find(Surge, {"ended_at": None}, limit=1)
    if found:
        return found[0]
    surge = Surge(uuid4().hex, now, by, reason)
    work.save(surge)
    work.record({"kind": "surge-began", "at": now.isoformat(), "by": by, "reason": reason})
    return surge


def end_surge(work: Work, *, by: str, reason: str, now: datetime) -> Surge | None:
    """End crisis mode, on the record; returns what ended, None where it was not on.

    Raises
    ------
    AccessDenied
        If no reason is given.
    """
    reason = _reason(reason)
    ended = None
    for one in work.find(Surge, {"ended_at": None}):
        ended = work.change(Surge, one.id, {"ended_at": None}, ended_at=now, ended_by=by, ended_why=reason)
    if ended is not None:
        work.record({"kind": "surge-ended", "at": now.isoformat(), "by": by, "reason": reason})
    return ended


def _reason(reason: str) -> str:
    if not reason.strip():
        raise AccessDenied("Crisis mode needs a reason.", "surge", "Write it.")
    return reason.strip()


def _at(
    shifts: Iterable[Shift], trained: Mapping[str, datetime], surges: Iterable[Surge], at: datetime
) -> Staffing:
    on = sorted({one.account for one in shifts if _during(one, at)})
    return Staffing(at, tuple((one, trained[one]) for one in on), any(_during(one, at) for one in surges))


def _during(one: Shift | Surge, at: datetime) -> bool:
    return one.began_at <= at and (one.ended_at is None or at < one.ended_at)


def _people(work: Work, shifts: Sequence[Shift], now: datetime) -> tuple[dict[str, datetime], list[Shift]]:
    """Return until when who may review is trained, and their shifts, each ended where its signs of life end."""
    names = tuple({one.account for one in shifts})
    accounts = work.find(Account, {"id": names}) if names else []
    trained = {one.id: one.trained_until for one in accounts if one.active and one.role in _REVIEWS}
    open_now = tuple(one.account for one in shifts if one.ended_at is None and one.account in trained)
    sessions = work.find(Session, {"account": open_now}) if open_now else []
    there: dict[str, datetime] = {}
    for one in sessions:
        idle = one.seen_at + IDLE
        until = idle if one.ended_at is None else min(one.ended_at, idle)
        there[one.account] = max(until, there.get(one.account, until))
    found = []
    for shift in shifts:
        if shift.account not in trained or (shift.opted_out and shift.ended_at is None):
            continue
        over = max(there.get(shift.account, shift.began_at), shift.began_at)
        gone = shift.ended_at is None and over <= now
        found.append(replace(shift, ended_at=over) if gone else shift)
    return trained, found
