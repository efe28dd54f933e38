"""Figures that anybody can recompute from the ledger's entries alone; ``docs/reference/export.md`` defines each."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

DEFINITIONS: Mapping[str, str] = {
    "entries": "Entries of all logs.",
    "kinds": "Entries by their `kind`.",
    "duties": "Duties by the state in their last entry that holds a `value`.",
    "reports_filed": "First reports (`report-filed` with an empty `supplement_of`) by `authority`.",
    "supplements_filed": "Supplements (`report-filed` with a `supplement_of`) by `authority`.",
    "filed_twice": "Duties with more than one first report filed.",
    "filed_undeclared": "Reports filed of whose `snapshot` no earlier `report-declared` of the same filing speaks.",
    "aware_to_filed_s": "Seconds `aware_at` to `filed_at` of first reports: number, p50, p95 (nearest rank), most.",
    "exhibits": "Exhibits sealed and destroyed (`exhibit-sealed`, `exhibit-destroyed`), each counted once.",
}


def figures(entries: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures of entries, those of all logs one after the other."""
    kinds: Counter[str] = Counter()
    duties: dict[str, str] = {}
    declared: set[tuple[str, str]] = set()
    first: Counter[str] = Counter()
    more: Counter[str] = Counter()
    of_duty: Counter[str] = Counter()
    sealed, destroyed, undeclared, total = set(), set(), 0, 0
    waits_s: list[float] = []
    for entry in entries:
        kind = str(entry.get("kind", ""))
        kinds[kind] += 1
        total += 1
        value = entry.get("value")
        if isinstance(value, Mapping) and "duty" in entry and "state" in value:
            duties[entry["duty"]] = value["state"]
        if kind == "report-declared":
            declared.add((entry["filing"], entry["snapshot"]))
        elif kind == "report-filed":
            undeclared += (entry["filing"], entry["snapshot"]) not in declared
            if entry["supplement_of"]:
                more[entry["authority"]] += 1
                continue
            first[entry["authority"]] += 1
            of_duty[entry["duty"]] += 1
            if "aware_at" in entry:
                waits_s.append(_between_s(entry["aware_at"], entry["filed_at"]))
        elif kind == "exhibit-sealed":
            sealed.add(entry["exhibit"])
        elif kind == "exhibit-destroyed":
            destroyed.add(entry["exhibit"])
    return {
        "entries": total,
        "kinds": dict(kinds),
        "duties": dict(Counter(duties.values())),
        "reports_filed": dict(first),
        "supplements_filed": dict(more),
        "filed_twice": sum(number > 1 for number in of_duty.values()),
        "filed_undeclared": undeclared,
        "aware_to_filed_s": _spread(waits_s),
        "exhibits": {"sealed": len(sealed), "destroyed": len(destroyed)},
    }


def _between_s(begin: str, end: str) -> float:
    return round((datetime.fromisoformat(end) - datetime.fromisoformat(begin)).total_seconds(), 3)


def _spread(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {"number": 0}
    ranked = sorted(values)
    return {
        "number": len(ranked),
        "p50": ranked[math.ceil(0.50 * len(ranked)) - 1],
        "p95": ranked[math.ceil(0.95 * len(ranked)) - 1],
        "most": ranked[-1],
    }
