"""The yearly report for everybody: what was found and done, in tables from which no small count can be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from lightship.core.canonical import digest
from lightship.core.cases import Case, Effect, Judgement, Report
from lightship.core.duties import Detection, Duty
from lightship.duties import measures_moderation, measures_owed, measures_record
from lightship.duties.crosswalk import Crosswalk
from lightship.duties.measures_figures import DEFINITIONS
from lightship.duties.measures_log import read_log
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source
from lightship.duties.measures_tally import Value
from lightship.duties.transparency_suppression import LEAST, Published, publish

FORMAT = "lightship.transparency/1"

TITLES: Mapping[str, str] = {
    "found": "What was found, by kind and by how",
    "months": "What was found, by month",
    "owed": "What became of the duty to report it",
    "verdicts": "What people decided, by who opened the case",
    "acts": "What was done to streams and accounts, by who ordered it",
    "reports": "What users reported, and whether a person had seen it by the end of the period",
    "appeals": "What became of appeals",
}
"""The tables, in their order. Two of them share no total but the whole."""

Found = Mapping[tuple[str, str], int]


def report_of(
    source: Source, period: Period, crosswalk: Crosswalk, code: Mapping[str, str]
) -> dict[str, Any]:
    """Return the report of a year, or of another period, as JSON; the same whenever it is made, once that is over."""
    found, months = _found(source, period, crosswalk.ids)
    names = tuple(one.id for one in crosswalk.labels)
    monthly = {
        one.name: measures_moderation.of_cases(source, one)["aware-to-stopped"] for one in period.months()
    }
    log = read_log(source, period)
    watch = measures_record.of_watch(source, period, log)
    cases = measures_moderation.of_cases(source, period)
    appeals = measures_moderation.of_appeals(period, log)["appeals"]
    overturned = appeals["overturned"]
    tables = {
        "found": _table(found, names, ("machine", "report", "person")),
        "months": _table(months, ("found",), tuple(one.name for one in period.months())),
        "owed": _table(_owed(source, period), (), ("filed", "owed", "not-owed", "not decided")),
        "verdicts": _table(
            _verdicts(source, period), ("abuse", "not-abuse", "unsure"), ("machine", "report")
        ),
        "acts": _table(_acts(source, period), (), ("machine", "person")),
        "reports": _table(_reports(source, period), ("child-at-risk-now", "other"), ("seen", "not seen")),
        "appeals": _table(
            {
                ("appeals", "overturned"): overturned["count"],
                ("appeals", "stood"): overturned["of"] - overturned["count"],
                ("appeals", "open"): appeals["open_at_the_end"],
            },
            ("appeals",),
            ("overturned", "stood", "open"),
        ),
    }
    return {
        "format": FORMAT,
        "period": period.told(),
        "least": LEAST,
        "mapping": crosswalk.mapping,
        "labels": {one.id: one.says for one in crosswalk.labels},
        "definitions": DEFINITIONS,
        "code": dict(code),
        "tables": {name: _json(one) for name, one in tables.items()},
        "times": {
            "aware-to-stopped": _bounded(cases["aware-to-stopped"]),
            "time-to-decision": _bounded(cases["time-to-decision"]),
            "report-to-person": _bounded(measures_moderation.of_reports(source, period)["report-to-person"]),
            "appeal-to-answer": _bounded(appeals["time_to_answer"]),
            "aware-to-filed": _bounded(measures_owed.of_duties(source, period)["aware-to-filed"]),
        },
        "stopped_by_month": {name: _bounded(one) for name, one in monthly.items()},
        "shares": {"accuracy": _rounded(cases["accuracy"]), "overturned": _rounded(overturned)},
        "reversed_by_detector": {
            name: _rounded(one) for name, one in cases["reversals"]["detectors"].items()
        },
        "watch": {
            "stream_minutes": watch["coverage"]["stream_minutes"],
            "looked_at": watch["coverage"]["looked_at"],
            "private_pictures": watch["scans"]["private_pictures"],
        },
    }


def report_digest(report: Mapping[str, Any]) -> str:
    """Return what names a report."""
    return digest(report)


def _found(source: Source, period: Period, labels: frozenset[str]) -> tuple[Found, Found]:
    kinds: Counter[tuple[str, str]] = Counter()
    months: Counter[tuple[str, str]] = Counter()
    for label, found_by, aware_at in source.rows(
        Detection, ("label", "found_by", "aware_at"), "aware_at", period.begins, period.ends
    ):
        kinds[label if label in labels else "csea-other", found_by] += 1
        months["found", period.month_of(aware_at)] += 1
    return kinds, months


def _owed(source: Source, period: Period) -> Found:
    found: Counter[tuple[str, str]] = Counter()
    fields = ("state", "authority", "decided_at", "filed_at")
    for state, authority, decided_at, filed_at in source.rows(
        Duty, fields, "aware_at", period.begins, period.ends
    ):
        found[authority or "none", measures_owed.then(state, decided_at, filed_at, period.ends)] += 1
    return found


def _verdicts(source: Source, period: Period) -> Found:
    rows = source.rows(
        Judgement, ("verdict",), "at", period.begins, period.ends, of=(Case, "case_id", ("opened_by",))
    )
    return Counter((verdict, opener or "machine") for verdict, opener in rows)


def _acts(source: Source, period: Period) -> Found:
    return Counter(
        (kind, "machine" if ordered_by.startswith("policy ") else "person")
        for kind, ordered_by in source.rows(
            Effect, ("kind", "ordered_by"), "done_at", period.begins, period.ends
        )
    )


def _reports(source: Source, period: Period) -> Found:
    return Counter(
        (kind, "seen" if seen_at is not None and seen_at < period.ends else "not seen")
        for kind, seen_at in source.rows(
            Report, ("kind", "seen_at"), "received_at", period.begins, period.ends
        )
    )


def _table(found: Found, rows: Sequence[str], columns: Sequence[str]) -> Published:
    """Return a table with the rows that have anything; without named rows, all there are."""
    named = [row for row in rows if any(one == row for one, _ in found)] or sorted({one for one, _ in found})
    return publish(named, columns, found)


def _json(table: Published) -> dict[str, Any]:
    return {
        "rows": list(table.rows),
        "columns": list(table.columns),
        "cells": [list(line) for line in table.cells],
        "withheld_small": table.small,
        "withheld_others": table.others,
    }


def _bounded(value: Value) -> dict[str, Any]:
    """Return times of enough people; of fewer, nothing: the longest of all is one person's and never told."""
    if value["count"] < LEAST:
        return {"p50_s": None, "p95_s": None}
    return {"p50_s": value["p50_s"], "p95_s": value["p95_s"] if value["count"] >= 4 * LEAST else None}


def _rounded(value: Value) -> dict[str, Any]:
    """Return a share in whole percent, so that no count can be told from it; of few, nothing."""
    few = value["of"] < 4 * LEAST or any(
        0 < one < LEAST for one in (value["count"], value["of"] - value["count"])
    )
    if few:
        return {"percent": None, "lower_95": None, "upper_95": None}
    return {
        "percent": round(100 * value["share"]),
        "lower_95": round(100 * value["lower_95"]),
        "upper_95": round(100 * value["upper_95"]),
    }
