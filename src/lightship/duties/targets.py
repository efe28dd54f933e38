"""Targets for time and accuracy, what became of them, and why each miss was one: counted from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from lightship.core.duties import Duty
from lightship.duties.desk import replayed
from lightship.duties.law import Law, Target
from lightship.duties.states import WAITING

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Miss:
    """A case that missed a target.

    Parameters
    ----------
    took_s
        From awareness; None where it is not done yet, or the target is about no time.
    cause
        The stretch that took longest, or what went wrong, in words.
    """

    case_id: str
    took_s: float | None
    cause: str


@dataclass(frozen=True, slots=True)
class Actual:
    """What became of a target.

    Parameters
    ----------
    of, met
        Cases that it is about, and those that met it.
    """

    target: Target
    of: int
    met: int
    misses: tuple[Miss, ...]

    @property
    def share(self) -> float | None:
        """The share that met it; None where there were none."""
        return self.met / self.of if self.of else None

    @property
    def kept(self) -> bool | None:
        """Whether the target was reached; None where there was nothing to count."""
        return None if self.share is None else self.share >= self.target.share


@dataclass(slots=True)
class _Told:
    """What the ledger tells of one case."""

    aware_at: datetime | None = None
    claimed_at: datetime | None = None
    decided_at: datetime | None = None
    stopped_s: float | None = None
    unconfirmed: int = 0
    overturned: str = ""


@dataclass(slots=True)
class _Tally:
    cases: dict[str, _Told] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        case = str(entry.get("case", ""))
        if not case:
            return
        at, kind = datetime.fromisoformat(entry["at"]), entry.get("kind")
        one = self.cases.setdefault(case, _Told())
        match kind:
            case "case-opened":
                one.aware_at = datetime.fromisoformat(entry["aware_at"])
            case "report" | "detection" if one.aware_at is None:
                one.aware_at = at
            case "claim" if one.claimed_at is None:
                one.claimed_at = at
            case "verdict" if entry["verdict"] in {"abuse", "not-abuse"} and one.decided_at is None:
                one.decided_at = at
            case "effect-done" if "aware_to_stopped_s" in entry and one.stopped_s is None:
                one.stopped_s = float(entry["aware_to_stopped_s"])
            case "effect-not-confirmed":
                one.unconfirmed += 1
            case "second-person-declined":
                one.overturned = "A second person did not agree."
            case "appeal-answered" if entry["overturned"]:
                one.overturned = "An appeal overturned it."


def actuals(
    entries: Iterable[Entry], law: Law, since: date, until: date, now: datetime
) -> tuple[Actual, ...]:
    """Return what became of the targets, of cases of which the provider became aware in a span of days.

    Parameters
    ----------
    entries
        The whole ledger, in its order.
    since, until
        The first day, and the day after the last.
    now
        What is not done by then has taken until then.
    """
    kept = list(entries)
    tally = _Tally()
    for entry in kept:
        tally.take(entry)
    duties = {one.case_id: one for one in replayed(kept).values()}
    told = {
        id_: one
        for id_, one in tally.cases.items()
        if one.aware_at is not None and since <= law.day(one.aware_at) < until
    }
    return tuple(_actual(target, told, duties, now) for target in law.targets if target.on(since))


def _actual(target: Target, told: Mapping[str, _Told], duties: Mapping[str, Duty], now: datetime) -> Actual:
    of, misses = 0, []
    for id_, one in told.items():
        if target.of == "upheld":
            if one.decided_at is not None:
                of += 1
                misses += [Miss(id_, None, one.overturned)] if one.overturned else []
            continue
        took_s, ran_s, cause = _time(target, one, duties.get(id_), now)
        if ran_s is None or (took_s is None and ran_s <= target.within_s):
            continue  # not about this case, or its time is not over
        of += 1
        if ran_s > target.within_s:
            misses.append(Miss(id_, took_s, cause))
    return Actual(target, of, of - len(misses), tuple(misses))


def _time(
    target: Target, one: _Told, duty: Duty | None, now: datetime
) -> tuple[float | None, float | None, str]:
    """Return what it took, what has run so far (None where the target is not about this case), and the cause."""
    aware = one.aware_at or now
    if target.of == "stopped":
        why = f"The platform did not confirm at first ({one.unconfirmed} ×)." if one.unconfirmed else ""
        return one.stopped_s, one.stopped_s, why or "From awareness to the order, or on its way."
    if target.of == "decided":
        stretches = [("until somebody claimed it", one.claimed_at), ("until it was decided", one.decided_at)]
        done = one.decided_at
    else:
        if duty is None or (target.priority and duty.priority != target.priority):
            return None, None, ""
        if duty.state not in WAITING and duty.filed_at is None:
            return None, None, ""  # it was not owed in the end
        aware, done = duty.aware_at, duty.filed_at
        stretches = [
            ("until a person decided it", one.decided_at),
            ("until it was known whom it is owed to", duty.decided_at if duty.state != "open" else None),
            ("until it was filed", duty.filed_at),
        ]
    end = done or now
    return (
        (done - aware).total_seconds() if done else None,
        (end - aware).total_seconds(),
        _longest(aware, stretches, end),
    )


def _longest(aware: datetime, stretches: list[tuple[str, datetime | None]], end: datetime) -> str:
    """Return the stretch that took longest, in words; one that is not over runs until the end, if none after it is."""
    found, begins = [], aware
    for number, (said, at) in enumerate(stretches):
        if at is None and any(later is not None for _, later in stretches[number:]):
            continue  # it was not waited for
        ends = min(at or end, end)
        found.append((max(ends - begins, timedelta()), said))
        begins = max(begins, ends)
    took, said = max(found, key=lambda one: one[0])
    return f"Longest: {said}, {round(took.total_seconds() / 60)} min."
