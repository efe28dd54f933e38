"""The report button: what a viewer says is kept, the stream pinned, the viewer answered, and a person asked to look."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lightship.core.cases import Case, Report, ReportKind, Stream
from lightship.core.errors import InputError, StoreError
from lightship.core.identity import identity
from lightship.core.ports import Work
from lightship.watch import desk, effects, priority, words

PIN = "watch.pin"
"""Topic on which whoever watches a stream is asked to pin its ring: ``{"stream": ..., "case": ...}``."""

INDICATIVE = {
    "child-at-risk-now": "A trained person is asked to look at this now.",
    "other": "A trained person will look at this, usually within a day.",
}


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What the reporter is told.

    Parameters
    ----------
    words
        Plain text with the indicative time.
    """

    report_id: str
    received_at: datetime
    words: str


def receive(
    work: Work, stream_id: str, *, kind: ReportKind, text: str, report_id: str, now: datetime
) -> tuple[Acknowledgement, Report]:
    """Take in a report: it opens the stream's case or joins it. The same id twice is one report.

    When the transaction stands, the caller asks for the ring to be pinned, on the topic :data:`PIN`.

    Raises
    ------
    InputError
        If there is no such stream, or no id.
    """
    stream = work.get(Stream, stream_id)
    if stream is None or not report_id:
        raise InputError("There is no such stream.", "report", "Give the platform's own name for it.")
    found = work.get(Report, report_id)
    if found is not None:
        return Acknowledgement(report_id, found.received_at, INDICATIVE[found.kind]), found
    case = desk.open_case(work, stream_id)
    danger = kind == "child-at-risk-now" or (case is not None and case.danger_now)
    count = 1 + (len(work.find(Report, {"case_id": case.id})) if case is not None else 0)
    place = priority.parts(
        viewers=stream.viewers,
        labels=(),
        weight_db=case.weight_db if case is not None else 0.0,
        child_host=stream.child_host,
        reports=count,
        danger_now=danger,
    )
    if case is None:
        said = "a child is in danger now" if danger else "something is wrong here"
        case = Case(
            identity("case", report_id),
            stream_id,
            "report",
            now,
            now,
            f"A viewer says that {said}. No machine has judged it.",
            0.0,
            "",
            place.reach,
            place.severity,
            place.likelihood,
            live=stream.ended_at is None,
            danger_now=danger,
            place=priority.together(place.reach, place.severity, place.likelihood),
        )
        work.save(case)
    else:
        severity, likelihood = max(case.severity, place.severity), max(case.likelihood, place.likelihood)
        changed = work.change(
            Case,
            case.id,
            {},
            danger_now=danger,
            severity=severity,
            likelihood=likelihood,
            place=priority.together(case.reach, severity, likelihood),
        )
        case = changed or case
    if danger:
        effects.hasten(work, stream_id, now)
    report = Report(report_id, stream_id, kind, words.plain(text), now, case.id)
    work.save(report)
    entry = {"kind": "report", "report": report_id, "stream": stream_id, "case": case.id, "said": kind}
    work.record({**entry, **priority.placed(case)})
    return Acknowledgement(report_id, now, INDICATIVE[kind]), report


def shown(work: Work, case_id: str, now: datetime) -> list[float]:
    """Take in that a person has a case before them: ends the clock of its reports; returns their waits, seconds.

    Raises
    ------
    StoreError
        If there is no such case.
    """
    if work.get(Case, case_id) is None:
        raise StoreError("There is no such case.", f"case {case_id}", "Check its id.")
    waits = []
    for report in work.find(Report, {"case_id": case_id, "seen_at": None}):
        if work.change(Report, report.id, {"seen_at": None}, seen_at=now) is not None:
            wait_s = (now - report.received_at).total_seconds()
            work.record(
                {"kind": "report-seen", "report": report.id, "case": case_id, "wait_s": round(wait_s, 3)}
            )
            waits.append(wait_s)
    return waits
