"""Figures of what the law is owed: detections, duties, clocks, posts, exhibits and papers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container
from datetime import datetime

from lightship.core.cases import Exhibit
from lightship.core.duties import Clock, Detection, Duty, Paper, Seat
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import BEGINNING, Value, counts, grouped, seconds, times
from lightship.duties.targets import Aims


def of_detections(source: Source, period: Period, labels: Container[str]) -> dict[str, Value]:
    """Return what was found, by kind and by how it was found; kinds outside the closed set are told together."""
    found: Counter[tuple[str, str]] = Counter()
    danger = 0
    for label, found_by, live_danger in source.rows(
        Detection, ("label", "found_by", "live_danger"), "aware_at", period.begins, period.ends
    ):
        found[label if label in labels else "other", found_by] += 1
        danger += bool(live_danger)
    return {"detections": counts(found, with_a_child_in_danger_then=danger)}


def of_duties(source: Source, period: Period, aims: Aims | None = None) -> dict[str, Value]:
    """Return what is owed of what was found in the period, and what stood open at its end, however old."""
    begins, ends = period.begins, period.ends
    states: Counter[tuple[str, str]] = Counter()
    fields = ("state", "authority", "decided_at", "filed_at")
    for state, authority, decided_at, filed_at in source.rows(Duty, fields, "aware_at", begins, ends):
        states[then(state, decided_at, filed_at, ends), authority or "no authority"] += 1
    filed, late = [], 0
    asked = ("case_id", "priority", "aware_at", "decided_at", "filed_at", "due_at")
    for case, priority, aware_at, decided_at, filed_at, due_at in source.rows(
        Duty, asked, "filed_at", begins, ends
    ):
        filed.append((priority or "no priority", seconds(aware_at, filed_at)))
        late += due_at is not None and filed_at > due_at
        if aims is not None:
            aims.filed(case, priority, aware_at, decided_at, filed_at)
    open_, oldest = 0, ends
    for case, state, priority, decided_at, aware_at in source.rows(
        Duty,
        ("case_id", "state", "priority", "decided_at", "aware_at"),
        "aware_at",
        BEGINNING,
        ends,
        unless=("filed_at", "closed_at"),
    ):
        if then(state, decided_at, None, ends) != "not-owed":
            open_ += 1
            oldest = min(oldest, aware_at)
            if aims is not None:
                known = decided_at if state != "open" else None
                aims.filed(case, priority, aware_at, known, None)
    by = grouped(filed)
    return {
        "owed": counts(
            states,
            open_at_the_end=open_,
            oldest_open_h=round(seconds(oldest, ends) / 3600.0, 2) if open_ else None,
        ),
        "aware-to-filed": times(
            [one for _, one in filed],
            after_its_time=late,
            by_priority={name: times(by[name]) for name in sorted(by)},
        ),
    }


def then(state: str, decided_at: datetime | None, filed_at: datetime | None, ends: datetime) -> str:
    """Return a duty's state as it was at a moment: what came later does not count."""
    if filed_at is not None and filed_at < ends:
        return "filed"
    if state == "open" or decided_at is None or decided_at >= ends:
        return "not decided"
    return "not-owed" if state == "not-owed" or (state == "closed" and filed_at is None) else "owed"


def of_clocks(source: Source, period: Period) -> dict[str, Value]:
    """Return the clocks that began, by kind, and whether each was in time."""
    found: Counter[tuple[str, str]] = Counter()
    for kind, due_at, ended_at in source.rows(
        Clock, ("kind", "due_at", "ended_at"), "began_at", period.begins, period.ends
    ):
        end = ended_at if ended_at is not None and ended_at < period.ends else None
        if end is None:
            found[kind, "running" if due_at >= period.ends else "past its time"] += 1
        else:
            found[kind, "in time" if end <= due_at else "late"] += 1
    return {"clocks": counts(found)}


def of_posts(source: Source, period: Period) -> dict[str, Value]:
    """Return which posts were held at the period's end, and whose training held."""
    held: Counter[str] = Counter()
    trained = expired = 0
    for post, trained_until in source.rows(
        Seat, ("post", "trained_until"), "begins_at", BEGINNING, period.ends, unless=("ends_at",)
    ):
        held[post] += 1
        trained += trained_until is not None and trained_until > period.ends
        expired += trained_until is not None and trained_until <= period.ends
    needed = ("accountable", "administrator", "replacement")
    return {
        "posts": counts(held, vacant=[one for one in needed if not held[one]]),
        "training": {"holds_at_the_end": trained, "run_out": expired},
    }


def of_exhibits(source: Source, period: Period) -> dict[str, Value]:
    """Return what was sealed and destroyed, and what is past its day."""
    begins, ends = period.begins, period.ends
    sealed = sum(1 for _ in source.rows(Exhibit, ("id",), "sealed_at", begins, ends))
    destroyed = sum(1 for _ in source.rows(Exhibit, ("id",), "destroyed_at", begins, ends))
    past = sum(
        1 for _ in source.rows(Exhibit, ("id",), "expires_at", BEGINNING, ends, unless=("destroyed_at",))
    )
    return {"retention": {"sealed": sealed, "destroyed": destroyed, "past_their_day_at_the_end": past}}


def of_papers(source: Source, period: Period) -> dict[str, Value]:
    """Return which configuration ran at the end, and whether the public statement and the assessment are of it."""
    latest: dict[str, tuple[int, str, datetime, datetime | None]] = {}
    fields = ("kind", "version", "configuration", "made_at", "approved_at")
    changes = 0
    for kind, version, configuration, made_at, approved_at in source.rows(
        Paper, fields, "made_at", BEGINNING, period.ends
    ):
        changes += kind == "configuration" and made_at >= period.begins
        approved = approved_at is not None and approved_at < period.ends
        if kind in {"assessment", "measures"} and not approved:
            continue
        if kind not in latest or version > latest[kind][0]:
            latest[kind] = (version, configuration, made_at, approved_at)
    running = latest["configuration"][1] if "configuration" in latest else ""

    def told(kind: str) -> Value:
        if kind not in latest:
            return {"version": None, "of_the_running_configuration": False}
        version, configuration, made_at, _ = latest[kind]
        same = bool(running) and configuration == running
        return {"version": version, "made_at": made_at.isoformat(), "of_the_running_configuration": same}

    return {
        "statement": {"configuration": running, "changes": changes, **told("statement")},
        "assessment": told("assessment"),
        "drift": {"notes": told("drift-note")["version"]},
    }
