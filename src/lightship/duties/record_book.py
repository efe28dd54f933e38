"""The record book: every measure, whether it is taken, what the numbers say of it, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lightship.core.duties import Paper
from lightship.duties import record_book_papers as papers
from lightship.duties.measures import Measure, MeasureTable
from lightship.duties.measures_figures import DEFINITIONS, FIGURES
from lightship.duties.measures_period import Period
from lightship.duties.measures_tally import Value
from lightship.duties.record_book_forms import facts_of

FORMAT = "lightship.record-book/1"

_CONFIGURED = {
    "release": "the software's release",
    "policies": "policies",
    "lists": "hash lists",
    "private_bases": "bases for private streams",
    "retention": "terms of retention",
    "controls": "rules for livestreams",
    "most_streams": "streams at once",
}
"""The parts of a configuration, in words."""


def book_of(
    table: MeasureTable,
    period: Period,
    kept: Sequence[Paper],
    figures: Mapping[str, Value],
    code: Mapping[str, str],
) -> dict[str, Any]:
    """Return the record book of a period as JSON: the same whenever it is made, once the period is over.

    Parameters
    ----------
    kept
        The store's papers.
    figures
        Of the period.
    code
        The release, and the digest of the code that counted.
    """
    before = [one for one in kept if one.made_at < period.ends]
    assessment = _in_force(before, "assessment", period.ends)
    statement = _in_force(before, "measures", period.ends)
    running = max(
        (one for one in before if one.kind == "configuration"), key=lambda one: one.version, default=None
    )
    assessed = papers.body(assessment) if assessment is not None else None
    stated = papers.body(statement) if statement is not None else {}
    facts = facts_of(assessed, table) if assessed is not None else frozenset({"all"})
    rows = {str(one["id"]): one for one in stated.get("measures", ())}
    return {
        "format": FORMAT,
        "service": str((assessed or stated).get("service", "")),
        "period": period.told(),
        "code": dict(code),
        "table": {
            "name": table.name,
            "title": table.title,
            "version": table.version,
            "digest": table.digest,
            "source": table.source,
        },
        "definitions": DEFINITIONS,
        "configuration": running.configuration if running is not None else "",
        "facts": {one: table.facts[one] for one in sorted(facts) if one in table.facts},
        "assessment": {"paper": _named(assessment), "says": assessed},
        "statement": _named(statement),
        "versions": [_named(one) for one in before if one.kind in {"assessment", "measures"}],
        "flags": list(flags(table, before, period.ends)),
        "measures": [_row(one, rows.get(one.id), facts, figures) for one in table.on(period.last)],
        "figures": dict(figures),
    }


def flags(table: MeasureTable, kept: Sequence[Paper], at: datetime) -> Iterable[str]:
    """Yield what is wrong with the papers at a moment, in sentences: above all a change that nobody assessed."""
    assessment = _in_force(kept, "assessment", at)
    statement = _in_force(kept, "measures", at)
    running = max(
        (one for one in kept if one.kind == "configuration" and one.made_at < at),
        key=lambda one: one.version,
        default=None,
    )
    if running is None:
        yield "No configuration is on record: the platform was never started with this release."
    if assessment is None:
        yield "No risk assessment is approved."
    else:
        due = assessment.made_at + timedelta(days=table.review_days)
        if at > due:
            yield f"The risk assessment was due anew on {due:%-d %B %Y}: it is reviewed at least once a year."
        if running is not None and assessment.configuration != running.configuration:
            changed = _changed(kept, assessment.configuration, running)
            yield (
                f"The configuration changed on {running.made_at:%-d %B %Y} ({changed}) without a fresh risk "
                f"assessment: version {assessment.version} is of another one."
            )
    if statement is None:
        yield "No statement of measures is approved."
    elif assessment is not None and statement.made_at < assessment.made_at:
        yield (
            f"The statement of measures (version {statement.version}) is older than the risk assessment "
            f"(version {assessment.version})."
        )
    public = [one for one in kept if one.kind == "statement" and one.made_at < at]
    if not public:
        yield "No public statement of what is scanned and why was made."
    elif (
        running is not None
        and max(public, key=lambda one: one.version).configuration != running.configuration
    ):
        yield "The public statement is not of the running configuration. Make it anew."
    waiting = [
        f"{one.kind} {one.version}"
        for one in kept
        if one.kind in {"assessment", "measures"} and one.approved_at is None and one.made_at < at
    ]
    if waiting:
        yield f"Not approved yet: {', '.join(waiting)}."


def _in_force(kept: Iterable[Paper], kind: str, at: datetime) -> Paper | None:
    return papers.in_force([one for one in kept if one.kind == kind], at)


def _named(paper: Paper | None) -> dict[str, Any] | None:
    if paper is None:
        return None
    return {
        "id": paper.id,
        "kind": paper.kind,
        "version": paper.version,
        "made_at": paper.made_at.isoformat(),
        "author": paper.author,
        "approved_by": paper.approved_by,
        "approved_at": paper.approved_at.isoformat() if paper.approved_at else None,
        "configuration": paper.configuration,
        "before": paper.before,
    }


def _changed(kept: Iterable[Paper], assessed: str, running: Paper) -> str:
    """Return the parts in which the running configuration differs from the assessed one."""
    old = next((one for one in kept if one.kind == "configuration" and one.configuration == assessed), None)
    if old is None:
        return "the assessed one is not on record"
    then, now = papers.body(old), papers.body(running)
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return ", ".join(_CONFIGURED.get(name, name) for name in changed)


def _row(
    measure: Measure, stated: Mapping[str, Any] | None, facts: frozenset[str], figures: Mapping[str, Value]
) -> dict[str, Any]:
    binds = measure.binds(facts)
    return {
        "id": measure.id,
        "says": measure.says,
        "who": measure.who,
        "binds": binds,
        "stands": str(stated["stands"]) if stated is not None else None,
        "stated": dict(stated) if stated is not None else None,
        "owes": measure.owes,
        "figures": list(measure.figures),
        "no_figure": measure.no_figure,
        "missing": list(missing(measure, stated, figures)) if binds else [],
        "in_force": measure.begins.isoformat(),
        "source": measure.source,
        "grade": measure.grade,
        "tbv": measure.tbv,
    }


def missing(
    measure: Measure, stated: Mapping[str, Any] | None, figures: Mapping[str, Value]
) -> Iterable[str]:
    """Yield what a measure lacks: a statement, a figure, or a figure as it should be."""
    if stated is None:
        yield "Nobody says whether it is taken, or what is done instead."
    elif stated["stands"] == "does-not-apply":
        yield "It is stated as not applying, and binds by the assessment."
    if stated is not None and not stated.get("evidence") and not measure.figures:
        yield f"No evidence is named, and no figure tells of it: {measure.no_figure}"
    for name in measure.figures:
        if empty(figures.get(name)):
            yield f"No figure: {FIGURES[name].title.lower()}."
        else:
            yield from _bad(name, figures[name])


def empty(value: Value | None) -> bool:
    """Return whether a figure tells of nothing at all."""
    if not value:
        return True
    whole = [value[name] for name in ("total", "count", "of", "received", "stream_minutes") if name in value]
    if whole:
        return not any(whole)
    return all(not one or (isinstance(one, dict) and empty(one)) for one in value.values())


def _bad(name: str, value: Value) -> Iterable[str]:
    """Yield what a figure itself says is not as it should be."""
    troubles = {
        "lists": (("stale", "Lists older than their terms allow: {}."),),
        "tuning": (("overdue", "Lists whose settings should have been decided on: {}."),),
        "targets": (("missed", "Targets missed: {}."),),
        "training": (("run_out", "People whose training has run out: {}."),),
        "effects": (("failed", "Acts that failed for good: {}."),),
        "scans": (
            ("private_pictures", "Pictures of private streams that were scanned: {}. See on what basis."),
        ),
        "aware-to-filed": (("after_its_time", "Reports filed late: {}."),),
    }
    for key, said in troubles.get(name, ()):
        if value.get(key):
            yield said.format(f"{value[key]:,}")
    if name == "posts" and value["vacant"]:
        yield f"Vacant: {', '.join(value['vacant'])}."
    if name in {"statement", "assessment"} and not value["of_the_running_configuration"]:
        yield f"The {FIGURES[name].title.lower()} is not of the running configuration."
