"""Targets for time and accuracy (measure C4): what became of each in a period, and why each miss was one.

What is counted is what the other figures of a period count, so that a month has one set of numbers: what was done in
it, and what waited past its time when it ended. Nobody falls between two months, and a month that is over stays as it
was told.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lightship.duties.law import Law, Target
from lightship.duties.measures_log import Log
from lightship.duties.measures_period import Period
from lightship.duties.measures_tally import Value, seconds

SHOWN = 20
"""Misses of a target that are named: those that took longest. All are counted, by their causes."""

Stretch = tuple[str, datetime | None]
"""What was waited for, in words, and when it came; None where it has not."""

_WAITED = (
    "until somebody claimed it",
    "until a person decided it",
    "until it was known whom it is owed to",
    "until it was filed",
)


@dataclass(slots=True)
class Aim:
    """A target and what becomes of it."""

    target: Target
    cases: int = 0
    met: int = 0
    waiting: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    longest: list[tuple[float, str, str, bool]] = field(default_factory=list)

    def miss(self, case: str, took_s: float, cause: str, *, waits: bool = False) -> None:
        """Take in a case that missed it."""
        self.cases += 1
        self.waiting += waits
        self.causes[cause] += 1
        keep = heapq.heappush if len(self.longest) < SHOWN else heapq.heappushpop
        keep(self.longest, (took_s, case, cause, waits))

    def value(self, *, named: bool) -> Value:
        """Return what became of it, as JSON; the misses that took longest only where cases may be named."""
        share = self.met / self.cases if self.cases else None
        longest = [
            {"case": case, "took_s": round(took_s, 3), "cause": cause, "waits": waits}
            for took_s, case, cause, waits in sorted(self.longest, key=lambda one: (-one[0], one[1]))
        ]
        return {
            "id": self.target.id,
            "says": self.target.says,
            "wanted": self.target.share,
            "within_s": self.target.within_s or None,
            "cases": self.cases,
            "met": self.met,
            "share": round(share, 6) if share is not None else None,
            "kept": share >= self.target.share if share is not None else None,
            "waiting_past_its_time": self.waiting,
            "causes": dict(sorted(self.causes.items())),
            **({"longest": longest} if named else {}),
        }


class Aims:
    """The targets of a period; told of each case by whoever counts it for another figure.

    Parameters
    ----------
    now
        What waits has waited until then, or until the period ended.
    """

    def __init__(self, law: Law, period: Period, log: Log, now: datetime) -> None:
        self._log, self._until, self._digest = log, min(now, period.ends), law.digests["targets"]
        self._aims = [Aim(one) for one in law.targets if one.on(period.last)]
        self._decided: dict[str, datetime] = {}
        self._overturned = {
            **dict.fromkeys(log.declined, "a second person did not agree"),
            **{
                str(one["case"]): "an appeal overturned it"
                for one in log.acts
                if one["kind"] == "appeal-answered"
                and one["overturned"]
                and datetime.fromisoformat(str(one["at"])) >= period.begins
            },
        }

    def stopped(self, case: str, aware_at: datetime, at: datetime | None) -> None:
        """Take in that a stream was stopped, or is still to be."""
        failed = self._log.unconfirmed[case]
        cause = (
            "the platform did not confirm at first"
            if failed
            else "from awareness to the order, or on its way"
        )
        for aim in self._of("stopped"):
            self._timed(aim, case, aware_at, at, cause)

    def decided(self, case: str, aware_at: datetime, at: datetime | None) -> None:
        """Take in a person's first closing verdict, or that there is none yet."""
        if at is not None:
            self._decided[case] = at
            for aim in self._of("upheld"):
                if case not in self._overturned:
                    aim.cases += 1
                    aim.met += 1
        stretches = [(_WAITED[0], self._log.claimed.get(case)), (_WAITED[1], at)]
        for aim in self._of("decided"):
            self._timed(aim, case, aware_at, at, stretches)

    def filed(
        self, case: str, priority: str, aware_at: datetime, owed_at: datetime | None, at: datetime | None
    ) -> None:
        """Take in that a report was filed, or waits; ``owed_at`` is when it was known whom it is owed to."""
        for aim in self._of("filed"):
            if aim.target.priority in {"", priority}:
                stretches = [(_WAITED[1], self._decided.get(case)), (_WAITED[2], owed_at), (_WAITED[3], at)]
                self._timed(aim, case, aware_at, at, stretches)

    def value(self, *, named: bool = False) -> dict[str, Value]:
        """Return what became of all; see :meth:`Aim.value`."""
        for aim in self._of("upheld"):
            for case, why in sorted(self._overturned.items()):
                aim.miss(case, 0.0, why)
        found = [one.value(named=named) for one in self._aims]
        missed = sum(one["kept"] is False for one in found)
        counted = sum(one["cases"] > 0 for one in found)
        return {"targets": {"total": counted, "missed": missed, "rules": self._digest, "targets": found}}

    def _of(self, what: str) -> Iterable[Aim]:
        return (one for one in self._aims if one.target.of == what)

    def _timed(
        self, aim: Aim, case: str, aware_at: datetime, at: datetime | None, cause: str | list[Stretch]
    ) -> None:
        took_s = seconds(aware_at, at or self._until)
        if took_s <= aim.target.within_s:
            aim.cases += at is not None  # what still waits within its time is not counted yet
            aim.met += at is not None
            return
        why = cause if isinstance(cause, str) else longest(aware_at, cause, at or self._until)
        aim.miss(case, took_s, why, waits=at is None)


def longest(aware_at: datetime, stretches: list[Stretch], ends: datetime) -> str:
    """Return which stretch took longest; one that is not over runs until the end, if none after it is.

    Examples
    --------
    >>> from datetime import UTC
    >>> at = [datetime(2026, 11, 1, 9, minute, tzinfo=UTC) for minute in (0, 40, 45)]
    >>> longest(at[0], [("until somebody claimed it", at[1]), ("until a person decided it", at[2])], at[2])
    'until somebody claimed it'
    """
    found, begins = [], aware_at
    for number, (said, at) in enumerate(stretches):
        if at is None and any(later is not None for _, later in stretches[number:]):
            continue  # it was not waited for
        until = min(at or ends, ends)
        found.append((max(until - begins, timedelta()), said))
        begins = max(begins, until)
    return max(found, key=lambda one: one[0])[1]


def in_words(one: Mapping[str, Any]) -> str:
    """Return what became of a target, in a sentence."""
    if one["share"] is None:
        return f"{one['says']} Nothing to count."
    said = f"{one['says']} {one['share']:.1%} of {one['cases']:,} ({one['wanted']:.0%} wanted): "
    said += "kept." if one["kept"] else "MISSED."
    if one["waiting_past_its_time"]:
        said += f" {one['waiting_past_its_time']:,} of them waited past their time at the end."
    if one["causes"]:
        told = sorted(one["causes"].items(), key=lambda item: (-item[1], item[0]))
        why = "Misses by what took longest" if one["within_s"] else "Misses"
        said += f" {why}: {', '.join(f'{cause} {n:,}' for cause, n in told)}."
    return said
