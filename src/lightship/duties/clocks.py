"""Times that run: an authority's question, an intimate image, a complaint, a request to erase; each has an outcome."""

from __future__ import annotations

from datetime import datetime

from lightship.core.duties import Clock
from lightship.core.errors import AccessDenied, InputError
from lightship.core.identity import identity
from lightship.core.ports import Work
from lightship.duties.law import Law

SWEPT = "intimate-image"
"""The clock that ends with a sweep; see :mod:`lightship.duties.intimate`."""

LONGEST = 2_000
"""Characters of a question, and of an answer: what is asked and answered, and no content."""


def begin(
    work: Work,
    law: Law,
    kind: str,
    *,
    about: str,
    began_at: datetime,
    by: str,
    words: str = "",
    reference: str = "",
) -> Clock:
    """Let a clock run; the same one again (kind, what about, reference, beginning) is the one that runs.

    Parameters
    ----------
    reference
        The authority's, or the complainant's.

    Raises
    ------
    PolicyError
        If no such clock runs here on that day.
    InputError
        If it is about nothing, or its words are too long.
    """
    if not about.strip() or len(words) > LONGEST:
        raise InputError(
            f"A clock is about something, in {LONGEST:,} characters at most.",
            f"clock {kind}",
            "Say what about.",
        )
    rule = law.period(kind, law.day(began_at))
    id_ = identity("clock", kind, about, reference, began_at.isoformat())
    if (found := work.get(Clock, id_)) is not None:
        return found
    due_at = law.calendar.later(began_at, rule.length, rule.unit)
    clock = Clock(id_, kind, about, began_at, due_at, words, reference)
    work.save(clock)
    entry = {"kind": "clock-began", "clock": id_, "of": kind, "about": about, "by": by, "rule": law.digest}
    times = {"began_at": began_at.isoformat(), "due_at": due_at.isoformat()}
    work.record({**entry, **times, "reference": reference, "words": words})
    return clock


def end(work: Work, clock_id: str, *, outcome: str, by: str, now: datetime) -> Clock:
    """End a clock with what came of it; where it is late, the outcome says why.

    Raises
    ------
    InputError
        If there is no such clock, or no outcome, or one that is too long.
    AccessDenied
        If it was ended before, or ends with a sweep alone.
    """
    clock = work.get(Clock, clock_id)
    if clock is None:
        raise InputError("There is no such clock.", f"clock {clock_id}", "Check its id.")
    if clock.kind == SWEPT:
        raise AccessDenied(
            "This clock ends when a sweep says that no copy is up.",
            f"clock {clock_id}",
            "Use `lightship duties intimate`.",
        )
    return close(work, clock, outcome=outcome, by=by, now=now)


def close(work: Work, clock: Clock, *, outcome: str, by: str, now: datetime) -> Clock:
    """End a clock of whatever kind.

    Raises
    ------
    InputError
        If there is no outcome, or one that is too long.
    AccessDenied
        If it was ended before.
    """
    where = f"clock {clock.id}"
    if not outcome.strip() or len(outcome) > LONGEST:
        what = "and why it is late" if now > clock.due_at else "in words"
        raise InputError(f"A clock ends with an outcome: what was done, {what}.", where, "Write it.")
    ended = work.change(
        Clock, clock.id, {"ended_at": None}, ended_at=now, ended_by=by, outcome=outcome.strip()
    )
    if ended is None:
        raise AccessDenied("This clock was ended before.", where, "Look at its outcome.")
    late_s = (now - clock.due_at).total_seconds()
    entry = {"kind": "clock-ended", "clock": clock.id, "of": clock.kind, "about": clock.about, "by": by}
    work.record({"at": now.isoformat(), **entry, "late_s": max(0.0, late_s), "outcome": ended.outcome})
    return ended


def running(work: Work, *, limit: int | None = None) -> list[Clock]:
    """Return the clocks that run, the next one due first."""
    return work.find(Clock, {"ended_at": None}, order=("due_at",), limit=limit)


def cybertip_dropped_at(law: Law, opened_at: datetime, changed_at: datetime) -> datetime:
    """Return when NCMEC drops a report that was opened and not finished: the later of its two time-outs.

    Raises
    ------
    PolicyError
        If the jurisdiction's data names neither.
    """
    ends = []
    for kind, since in (("cybertip-opened", opened_at), ("cybertip-changed", changed_at)):
        rule = law.period(kind, law.day(since))
        ends.append(law.calendar.later(since, rule.length, rule.unit))
    return max(ends)
