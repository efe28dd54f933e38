"""Figures in a sentence, as a regulator reads them beside a measure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lightship.duties.measures_tally import Value
from lightship.duties.targets import in_words as target_in_words


def in_words(name: str, value: Value | None) -> str:
    """Return what a figure says.

    Examples
    --------
    >>> in_words("accuracy", {"count": 9, "of": 10, "share": 0.9, "lower_95": 0.555, "upper_95": 0.9975})
    'Of 10, 9 were confirmed: 90 % (between 55.5 % and 99.8 %, 95 %).'
    """
    if value is None:
        return "Not counted."
    return _WORDS[name](value) if name in _WORDS else _counted(value)


def lasting(seconds: float | None) -> str:
    """Return a length of time for people.

    Examples
    --------
    >>> lasting(0.62), lasting(95.0), lasting(7200.0)
    ('0.6 s', '95 s', '2 h')
    """
    if seconds is None:
        return "–"
    if seconds < 120.0:
        return f"{seconds:.3g} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 7200.0:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800.0 else f"{seconds / 86_400:.0f} days"


def times_in_words(value: Value) -> str:
    """Return times as a sentence."""
    if not value["count"]:
        return "None in the period."
    return (
        f"{value['count']:,}: half within {lasting(value['p50_s'])}, 95 % within {lasting(value['p95_s'])}, "
        f"the longest {lasting(value['longest_s'])}."
    )


def share_in_words(value: Value, what: str) -> str:
    """Return a share as a sentence."""
    if not value["of"]:
        return f"None to tell of yet, so none was {what}."
    return (
        f"Of {value['of']:,}, {value['count']:,} were {what}: {100 * value['share']:.3g} % "
        f"(between {100 * value['lower_95']:.3g} % and {100 * value['upper_95']:.3g} %, 95 %)."
    )


def _counted(value: Value) -> str:
    if "total" not in value:
        return "; ".join(f"{name.replace('_', ' ')}: {one}" for name, one in value.items()) + "."
    each = ", ".join(f"{name} {n:,}" for name, n in value.get("of_each", {}).items())
    return f"{value['total']:,}{f': {each}' if each else ''}."


def _owed(value: Value) -> str:
    oldest = value["oldest_open_h"]
    age = f", the oldest for {lasting(oldest * 3600)}" if oldest is not None else ""
    return f"{_counted(value)} Open at the end: {value['open_at_the_end']:,}{age}."


def _filed(value: Value) -> str:
    return f"{times_in_words(value)} After their time: {value['after_its_time']:,}."


def _cases(value: Value) -> str:
    return f"{_counted(value)} Waiting at the end: {value['waiting_at_the_end']:,}."


def _verdicts(value: Value) -> str:
    return f"{_counted(value)} With a second person: {value['with_a_second_person']:,}."


def _reports(value: Value) -> str:
    return f"{_counted(value)} Not seen at the end: {value['not_seen_at_the_end']:,}."


def _priority(value: Value) -> str:
    return (
        f"Child in danger now: {times_in_words(value['danger_now'])} Other: {times_in_words(value['other'])}"
    )


def _effects(value: Value) -> str:
    took = times_in_words(value["ordered_to_confirmed"])
    return f"{_counted(value)} Failed: {value['failed']:,}. Ordered to confirmed: {took}"


def _appeals(value: Value) -> str:
    return (
        f"{value['received']:,} received, {value['open_at_the_end']:,} open at the end. "
        f"{share_in_words(value['overturned'], 'overturned')} Time to answer: {times_in_words(value['time_to_answer'])}"
    )


def _staffing(value: Value) -> str:
    return (
        f"Somebody was on shift for {100 * value['share']:.4g} % of {value['hours']:g} h; "
        f"the longest without anybody: {lasting(value['longest_without_h'] * 3600)}."
    )


def _surge(value: Value) -> str:
    return f"On {value['times']:,} times, for {value['hours']:g} h."


def _coverage(value: Value) -> str:
    if value["looked_at"] is None:
        return "No stream was watched."
    return (
        f"{value['stream_minutes']:,} minutes of streams; {100 * value['looked_at']:.5g} % looked at, "
        f"{lasting(value['not_looked_at_s'])} not. Parts that stopped: {value['parts_that_stopped']:,}."
    )


def _scans(value: Value) -> str:
    return f"{_counted(value)} Of private streams: {value['private_pictures']:,}."


def _hosts(value: Value) -> str:
    rules = value["rules_in_use"]
    said = "not on record" if rules is None else ", ".join(rules) or "none"
    return f"{_counted(value)} Rules in use at the end: {said}; set {value['times_set']:,} times."


def _policies(value: Value) -> str:
    return f"Watches by policy: {_counted(value)} Digests: {len(value['digests'])}."


def _lists(value: Value) -> str:
    ages = ", ".join(
        f"{name} version {one['version']}"
        + (f", {one['age_days']:.1f} days old" if one["age_days"] is not None else ", none in force")
        for name, one in value["lists"].items()
    )
    return f"{value['total']}: {ages or 'none'}. Stale: {value['stale']}."


def _tuning(value: Value) -> str:
    told = [
        f"{name}: {share_in_words(one['precision'], 'confirmed')} "
        f"Next decision by {one['due']}{' (OVERDUE)' if one['overdue'] else ''}."
        for name, one in value["lists"].items()
    ]
    return " ".join(told) or "No list is governed."


def _posts(value: Value) -> str:
    return f"{_counted(value)} Vacant: {', '.join(value['vacant']) or 'none'}."


def _training(value: Value) -> str:
    return f"Holds for {value['holds_at_the_end']:,}, has run out for {value['run_out']:,}."


def _retention(value: Value) -> str:
    past = value["past_their_day_at_the_end"]
    return (
        f"{value['sealed']:,} sealed, {value['destroyed']:,} destroyed; past their day or on hold: {past:,}."
    )


def _statement(value: Value) -> str:
    if value["version"] is None:
        return "Never made."
    same = "is" if value["of_the_running_configuration"] else "is NOT"
    return f"Version {value['version']} {same} of the running configuration; it changed {value['changes']} times."


def _assessment(value: Value) -> str:
    if value["version"] is None:
        return "None is approved."
    same = "is" if value["of_the_running_configuration"] else "is NOT"
    return f"Version {value['version']} {same} of the running configuration."


def _drift(value: Value) -> str:
    return f"The latest note is version {value['notes']}." if value["notes"] else "No note was made."


def _record(value: Value) -> str:
    return (
        f"{value['entries_at_the_end']:,} entries, {value['entries_in_the_period']:,} of the period; "
        f"verified {value['verified_in_the_period']:,} times in it."
    )


def _targets(value: Value) -> str:
    if "rules" not in value:
        return "Told in the form of an earlier release; see the book's JSON."
    return " ".join(target_in_words(one) for one in value["targets"]) or "No target is set."


def _reversals(value: Value) -> str:
    told = [f"{name}: {share_in_words(one, 'reversed')}" for name, one in value["detectors"].items()]
    return " ".join(told) or "No case that rests on a detector was decided."


_WORDS: Mapping[str, Callable[[Value], str]] = {
    "owed": _owed,
    "aware-to-filed": _filed,
    "cases": _cases,
    "verdicts": _verdicts,
    "time-to-decision": times_in_words,
    "aware-to-stopped": times_in_words,
    "accuracy": lambda value: share_in_words(value, "confirmed"),
    "reports": _reports,
    "report-to-person": times_in_words,
    "priority": _priority,
    "effects": _effects,
    "appeals": _appeals,
    "staffing": _staffing,
    "surge": _surge,
    "coverage": _coverage,
    "scans": _scans,
    "hosts": _hosts,
    "policies": _policies,
    "lists": _lists,
    "tuning": _tuning,
    "posts": _posts,
    "training": _training,
    "retention": _retention,
    "statement": _statement,
    "assessment": _assessment,
    "drift": _drift,
    "record": _record,
    "reversals": _reversals,
    "targets": _targets,
}
