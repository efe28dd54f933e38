"""Figures of what people and machines did: cases, verdicts, times, reports, effects, appeals, staffing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from lightship.core.cases import Case, Effect, Judgement, Report
from lightship.core.entry_time import at_of
from lightship.core.people import Shift
from lightship.duties.measures_log import EARLIER, Log
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import (
    BEGINNING,
    Value,
    counts,
    grouped,
    longest_gap_s,
    seconds,
    share,
    times,
    union_s,
)
from lightship.duties.targets import Aims

_CLOSING = ("abuse", "not-abuse")
_FAR = datetime(9999, 1, 1, tzinfo=UTC)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A closing verdict, and what is known of its case."""

    at: datetime
    verdict: str
    opened_at: datetime
    opener: str
    aware_at: datetime
    detectors: Sequence[str]


def of_cases(source: Source, period: Period, aims: Aims | None = None) -> dict[str, Value]:
    """Return the figures of cases and of the verdicts on them; the targets are told of each."""
    begins, ends = period.begins, period.ends
    opened: Counter[str] = Counter()
    near = 0
    for opener, near_of in source.rows(Case, ("opened_by", "near_of"), "opened_at", begins, ends):
        opened[opener] += 1
        near += bool(near_of)
    stops = []
    for case, aware_at, stopped_at in source.rows(
        Case, ("id", "aware_at", "stopped_at"), "stopped_at", begins, ends
    ):
        stops.append(seconds(aware_at, stopped_at))
        if aims is not None:
            aims.stopped(case, aware_at, stopped_at)
    verdicts: Counter[str] = Counter()
    seconded = reused = 0
    first: dict[str, _Verdict] = {}
    last: dict[str, _Verdict] = {}
    fields = ("case_id", "at", "verdict", "second_by", "reused_of")
    of = (Case, "case_id", ("opened_at", "opened_by", "aware_at", "detectors"))
    for case, at, verdict, second_by, reused_of, *about in source.rows(
        Judgement, fields, "at", begins, ends, of=of
    ):
        verdicts[verdict] += 1
        seconded += bool(second_by)
        reused += bool(reused_of)
        if verdict in _CLOSING and about[0] is not None:
            one = _Verdict(at, verdict, *about)
            first[case] = min(first.get(case, one), one, key=_when)
            last[case] = max(last.get(case, one), one, key=_when)
    straddling = [case for case, one in first.items() if one.opened_at < begins]
    for case in _settled(source, straddling, begins):
        del first[case]  # it was decided before; this is another word on it, such as an appeal's
    if aims is not None:
        for case, one in first.items():
            aims.decided(case, one.aware_at, one.at)
        _waiting(source, period, aims, first)
    closed_here = sum(one.opened_at >= begins for one in first.values())
    of_machine = [one.verdict for one in first.values() if one.opener == "machine"]
    return {
        "cases": counts(
            opened,
            near_duplicates=near,
            waiting_at_the_end=max(0, sum(opened.values()) - closed_here),
        ),
        "verdicts": counts(verdicts, with_a_second_person=seconded, repeated_for_near_duplicates=reused),
        "time-to-decision": times([seconds(one.opened_at, one.at) for one in first.values()]),
        "aware-to-stopped": times(stops),
        "accuracy": share(of_machine.count("abuse"), len(of_machine)),
        "reversals": _reversals(last.values()),
    }


def _when(one: _Verdict) -> tuple[datetime, str]:
    return one.at, one.verdict


def _settled(source: Source, cases: Iterable[str], before: datetime) -> set[str]:
    """Return those of some cases that had a closing verdict before a moment."""
    ids, found = sorted(cases), set[str]()
    for start in range(0, len(ids), _AT_ONCE):
        where = {"verdict": _CLOSING, "case_id": ids[start : start + _AT_ONCE]}
        found.update(
            case for (case,) in source.rows(Judgement, ("case_id",), "at", BEGINNING, before, where=where)
        )
    return found


def _reversals(last: Iterable[_Verdict]) -> Value:
    """Return, for each detector, of how many of its cases people said in the end that it was wrong."""
    decided: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in last:
        decided.update(one.detectors)
        if one.verdict == "not-abuse":
            wrong.update(one.detectors)
    return {
        "total": sum(decided.values()),
        "detectors": {name: share(wrong[name], decided[name]) for name in sorted(decided)},
    }


def _waiting(source: Source, period: Period, aims: Aims, decided: Container[str]) -> None:
    """Tell the targets what waited when the period ended: cases without a verdict, and stops without an answer."""
    begins, ends = period.begins, period.ends
    found = dict(
        source.rows(Case, ("id", "aware_at"), "opened_at", BEGINNING, ends, where={"state": ("open",)})
    )
    of = (Case, "case_id", ("opened_at", "aware_at"))
    later = source.rows(Judgement, ("case_id",), "at", ends, _FAR, of=of, where={"verdict": _CLOSING})
    found.update((case, aware_at) for case, opened_at, aware_at in later if opened_at and opened_at < ends)
    waiting = [case for case in found if case not in decided]
    for case in sorted(set(waiting) - _settled(source, waiting, ends)):
        aims.decided(case, found[case], None)
    ordered = source.rows(
        Effect,
        ("case_id", "state", "ordered_at"),
        "ordered_at",
        BEGINNING,
        ends,
        of=(Case, "case_id", ("aware_at", "stopped_at")),
        unless=("done_at",),
        where={"kind": ("stop-stream",), "state": ("waiting", "sending", "failed", "done")},
    )
    running = {
        case: aware_at
        for case, state, ordered_at, aware_at, stopped_at in ordered
        if aware_at is not None
        and (stopped_at is None or stopped_at >= ends)
        and (state != "failed" or ordered_at >= begins)  # what failed for good is told of once
    }
    for case, aware_at in sorted(running.items()):
        aims.stopped(case, aware_at, None)


def of_reports(source: Source, period: Period) -> dict[str, Value]:
    """Return the figures of what viewers said."""
    begins, ends = period.begins, period.ends
    kinds: Counter[str] = Counter()
    waiting = 0
    for kind, seen_at in source.rows(Report, ("kind", "seen_at"), "received_at", begins, ends):
        kinds[kind] += 1
        waiting += seen_at is None or seen_at >= ends
    waits = grouped(
        (kind, seconds(received_at, seen_at))
        for kind, received_at, seen_at in source.rows(
            Report, ("kind", "received_at", "seen_at"), "seen_at", begins, ends
        )
    )
    return {
        "reports": counts(kinds, not_seen_at_the_end=waiting),
        "report-to-person": times([one for some in waits.values() for one in some]),
        "priority": {
            "danger_now": times(waits.get("child-at-risk-now", [])),
            "other": times(
                [one for kind, some in waits.items() if kind != "child-at-risk-now" for one in some]
            ),
        },
    }


def of_effects(source: Source, period: Period, log: Log) -> dict[str, Value]:
    """Return the figures of what was done outside."""
    done: Counter[str] = Counter()
    took: list[float] = []
    for kind, ordered_at, done_at in source.rows(
        Effect, ("kind", "ordered_at", "done_at"), "done_at", period.begins, period.ends
    ):
        done[kind] += 1
        if kind in {"stop-stream", "cover"}:
            took.append(seconds(ordered_at, done_at))
    return {"effects": counts(done, failed=log.failed, ordered_to_confirmed=times(took))}


def of_appeals(period: Period, log: Log) -> dict[str, Value]:
    """Return the figures of appeals, and of the machine's errors among them."""
    asked: dict[str, datetime] = {}
    came = answered = overturned = 0
    took: list[float] = []
    for entry in log.acts:
        if entry["kind"] not in {"appeal", "appeal-answered"}:
            continue
        at, case = at_of(entry), str(entry["case"])
        if entry["kind"] == "appeal":
            asked[case] = at
            came += at >= period.begins
        else:
            began = asked.pop(case, None)
            if at >= period.begins:
                answered += 1
                overturned += bool(entry["overturned"])
                took += [seconds(began, at)] if began is not None else []
    return {
        "appeals": {
            "received": came,
            "open_at_the_end": len(asked),
            "time_to_answer": times(took),
            "overturned": share(overturned, answered),
        }
    }


def of_staffing(source: Source, period: Period, log: Log) -> dict[str, Value]:
    """Return for how much of the period people were on shift, and whether a crisis was declared."""
    begins, ends = period.begins, period.ends
    shifts = [
        (began_at, min(ended_at or ends, ends))
        for began_at, ended_at in source.rows(
            Shift, ("began_at", "ended_at"), "began_at", begins - EARLIER, ends
        )
    ]
    covered = union_s(shifts, begins, ends)
    crises: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for entry in log.acts:
        at = at_of(entry)
        if entry["kind"] == "surge-began":
            since = since or at
        elif entry["kind"] == "surge-ended" and since is not None:
            crises.append((since, at))
            since = None
    crises += [(since, ends)] if since is not None else []
    inside = [one for one in crises if one[1] > begins]
    return {
        "staffing": {
            "hours": round(period.seconds / 3600.0, 2),
            "hours_with_somebody_on_shift": round(covered / 3600.0, 2),
            "share": round(covered / period.seconds, 6),
            "longest_without_h": round(longest_gap_s(shifts, begins, ends) / 3600.0, 2),
        },
        "surge": {"times": len(inside), "hours": round(union_s(inside, begins, ends) / 3600.0, 2)},
    }
