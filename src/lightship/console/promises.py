"""What each rung's alarm budget promised, and what happened: counted from the record, with exact Poisson bounds."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lightship.core.entry_time import at_of
from lightship.core.ladder import Policy
from lightship.core.poisson import poisson_lower, poisson_upper
from lightship.core.watchkeeper import Budget

LATEST = 1_000
"""Verdicts of which it is told how many needed nobody to open a picture."""
CONFIDENCE = 0.95
"""Of each of the two bounds."""
_MINUTE_S = 60.0
_CLOSING = {"abuse": False, "not-abuse": True}

Entry = Mapping[str, Any]
Alarm = tuple[str, str]
"""A policy's digest and a rung."""


@dataclass(slots=True)
class Tally:
    """What the record tells, entry by entry: watched time, responses, and which of them people overturned.

    A response belongs to the case that it opened or joined; a verdict or an answered appeal on the case says whether
    it was false. One that belongs to no case was seen by nobody, and may have been either.
    ``looked`` says of the latest verdicts whether somebody had opened a picture before.
    """

    watched_s: Counter[str] = field(default_factory=Counter)
    alarms: Counter[Alarm] = field(default_factory=Counter)
    looked: deque[bool] = field(default_factory=lambda: deque(maxlen=LATEST))
    _policy: dict[tuple[str, object], str] = field(default_factory=dict)
    _since: dict[tuple[str, object], datetime] = field(default_factory=dict)
    _loose: dict[str, Alarm] = field(default_factory=dict)
    _open: dict[str, str] = field(default_factory=dict)
    _stream: dict[str, str] = field(default_factory=dict)
    _tied: dict[str, Counter[Alarm]] = field(default_factory=dict)
    _false: dict[str, bool] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Take in an entry."""
        match entry.get("kind"):
            case "watch-began":
                run = (str(entry["stream"]), entry.get("run"))
                self._policy[run], self._since[run] = str(entry["policy_digest"]), at_of(entry)
            case "coverage":
                self._cover(entry)
            case "watch-ended":
                run = (str(entry["stream"]), entry.get("run"))
                self._policy.pop(run, None)
                self._since.pop(run, None)
            case "decision":
                self._respond(entry)
            case "case-opened":
                self._begin(
                    str(entry["case"]), str(entry["stream"]), by_machine=entry["opened_by"] == "machine"
                )
            case "verdict" if entry["verdict"] in _CLOSING:
                self.looked.append(bool(entry["seen"]))
                self._close(str(entry["case"]), false=_CLOSING[entry["verdict"]])
            case "appeal-answered" if entry["overturned"]:
                self._close(str(entry["case"]), false=True)
            case "decision-undone" | "second-person-declined":
                self._reopen(str(entry["case"]))

    def false(self, alarm: Alarm) -> int:
        """Return how many of these responses people overturned."""
        return self._reviewed(alarm, false=True)

    def unreviewed(self, alarm: Alarm) -> int:
        """Return how many of these responses nobody has judged."""
        return self.alarms[alarm] - self._reviewed(alarm, false=True) - self._reviewed(alarm, false=False)

    def _reviewed(self, alarm: Alarm, *, false: bool) -> int:
        return sum(self._tied[case][alarm] for case, was in self._false.items() if was is false)

    def _cover(self, entry: Entry) -> None:
        run = (str(entry["stream"]), entry.get("run"))
        if run not in self._policy:
            return
        at = at_of(entry)
        # the last minute of a watch is shorter, and is not counted as a whole one
        length_s = min(_MINUTE_S, max(0.0, (at - self._since[run]).total_seconds()))
        self._since[run] = at
        self.watched_s[self._policy[run]] += max(0.0, length_s - float(entry["gap_s"]))  # type: ignore[assignment]

    def _respond(self, entry: Entry) -> None:
        if entry.get("rung") is None or entry.get("by") != "evidence":
            return
        stream, alarm = str(entry["stream"]), (str(entry["policy_digest"]), str(entry["rung"]))
        self.alarms[alarm] += 1
        if stream in self._open:
            self._tied[self._open[stream]][alarm] += 1
        else:
            self._loose[stream] = alarm

    def _begin(self, case: str, stream: str, *, by_machine: bool) -> None:
        self._open[stream], self._stream[case] = case, stream
        opener = self._loose.pop(stream, None)
        self._tied[case] = Counter([opener] if by_machine and opener is not None else [])

    def _close(self, case: str, *, false: bool) -> None:
        if case in self._tied:
            self._false[case] = false
            if self._open.get(self._stream[case]) == case:
                del self._open[self._stream[case]]

    def _reopen(self, case: str) -> None:
        if self._false.pop(case, None) is not None:
            self._open[self._stream[case]] = case


@dataclass(frozen=True, slots=True)
class Kept:
    """A rung's budget, and what happened.

    Parameters
    ----------
    hours
        Watched under the policy.
    responses, false, unreviewed
        All, those that people overturned, and those that nobody has judged.
    lower, upper
        Bounds on false responses in the budget's own time, each of 95 %; what is not reviewed counts in the upper.
    kept
        Whether the promise holds; None where too little was seen or reviewed to say.
    """

    policy: str
    rung: str
    budget: Budget
    hours: float
    responses: int
    false: int
    unreviewed: int
    lower: float
    upper: float

    @property
    def per_hours(self) -> float:
        """The time that the rates are told for, hours."""
        return max(1.0, self.budget.mean_time_s / 3600.0)

    @property
    def allowed(self) -> float:
        """False responses that the budget allows in that time."""
        return self.per_hours * 3600.0 / self.budget.mean_time_s

    @property
    def kept(self) -> bool | None:
        """Whether the promise holds; None where too little was seen or reviewed to say."""
        if self.upper <= self.allowed:
            return True
        return False if self.lower > self.allowed else None


def kept_of(tally: Tally, policy: Policy) -> list[Kept]:
    """Return what became of the budgets of a policy."""
    hours = tally.watched_s[policy.digest] / 3600.0
    rows = []
    for rule in policy.rungs:
        alarm = (policy.digest, rule.rung)
        false, unreviewed = tally.false(alarm), tally.unreviewed(alarm)
        per_hours = max(1.0, rule.budget.mean_time_s / 3600.0)
        times = per_hours / hours if hours > 0.0 else float("inf")
        low = poisson_lower(false, CONFIDENCE)
        rows.append(
            Kept(
                policy.name,
                rule.rung,
                rule.budget,
                hours,
                tally.alarms[alarm],
                false,
                unreviewed,
                low * times if low else 0.0,
                poisson_upper(false + unreviewed, CONFIDENCE) * times,
            )
        )
    return rows
