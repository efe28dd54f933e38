"""Figures of what people and machines did: cases, verdicts, times, reports, effects, appeals, staffing."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from lightship.core.cases import Case, Effect, Judgement, Report
from lightship.core.people import Shift
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import (
    Value,
    counts,
    grouped,
    longest_gap_s,
    seconds,
    share,
    times,
    union_s,
)

_EARLIER = timedelta(days=92)
"""How long before the period an appeal, or a shift, may have begun that is answered, or ends, in it."""

_CLOSING = ("abuse", "not-abuse")


def of_cases(source: Source, period: Period) -> dict[str, Value]:
    """Return the figures of cases and of the verdicts on them."""
    begins, ends = period.begins, period.ends
    opened: Counter[str] = Counter()
    near = 0
    for opener, near_of in source.rows(Case, ("opened_by", "near_of"), "opened_at", begins, ends):
        opened[opener] += 1
        near += bool(near_of)
    stops = [
        seconds(aware_at, stopped_at)
        for aware_at, stopped_at in source.rows(Case, ("aware_at", "stopped_at"), "stopped_at", begins, ends)
    ]
    verdicts: Counter[str] = Counter()
    seconded = reused = closed_here = right = machine = 0
    first: dict[str, float] = {}
    fields = ("case_id", "at", "verdict", "second_by", "reused_of")
    of = (Case, "case_id", ("opened_at", "opened_by"))
    for case, at, verdict, second_by, reused_of, opened_at, opener in source.rows(
        Judgement, fields, "at", begins, ends, of=of
    ):
        verdicts[verdict] += 1
        seconded += bool(second_by)
        reused += bool(reused_of)
        if verdict not in _CLOSING:
            continue
        if opened_at is not None and case not in first:
            first[case] = seconds(opened_at, at)
            closed_here += opened_at >= begins
            machine += opener == "machine"
            right += opener == "machine" and verdict == "abuse"
    return {
        "cases": counts(
            opened,
            near_duplicates=near,
            waiting_at_the_end=max(0, sum(opened.values()) - closed_here),
        ),
        "verdicts": counts(verdicts, with_a_second_person=seconded, repeated_for_near_duplicates=reused),
        "time-to-decision": times(list(first.values())),
        "aware-to-stopped": times(stops),
        "accuracy": share(right, machine),
    }


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


def of_effects(source: Source, period: Period) -> dict[str, Value]:
    """Return the figures of what was done outside."""
    done: Counter[str] = Counter()
    took: list[float] = []
    for kind, ordered_at, done_at in source.rows(
        Effect, ("kind", "ordered_at", "done_at"), "done_at", period.begins, period.ends
    ):
        done[kind] += 1
        if kind in {"stop-stream", "cover"}:
            took.append(seconds(ordered_at, done_at))
    failed = sum(1 for _ in source.entries(["effect-failed"], period.begins, period.ends))
    return {"effects": counts(done, failed=failed, ordered_to_confirmed=times(took))}


def of_appeals(source: Source, period: Period) -> dict[str, Value]:
    """Return the figures of appeals, and of the machine's errors among them."""
    asked: dict[str, datetime] = {}
    came = answered = overturned = 0
    took: list[float] = []
    earliest = period.begins - _EARLIER
    for entry in source.entries(["appeal", "appeal-answered"], earliest, period.ends):
        at, case = datetime.fromisoformat(str(entry["at"])), str(entry["case"])
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


def of_staffing(source: Source, period: Period) -> dict[str, Value]:
    """Return for how much of the period people were on shift, and whether a crisis was declared."""
    begins, ends = period.begins, period.ends
    shifts = [
        (began_at, min(ended_at or ends, ends))
        for began_at, ended_at in source.rows(
            Shift, ("began_at", "ended_at"), "began_at", begins - _EARLIER, ends
        )
    ]
    covered = union_s(shifts, begins, ends)
    crises: list[tuple[datetime, datetime]] = []
    since: datetime | None = None
    for entry in source.entries(["surge-began", "surge-ended"], begins - _EARLIER, ends):
        at = datetime.fromisoformat(str(entry["at"]))
        if entry["kind"] == "surge-began":
            since = since or at
        elif since is not None:
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
