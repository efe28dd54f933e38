"""Acts on duties: each within one transaction of the store, with its entry on the ledger, or not at all.

An entry of a duty holds the whole duty, so that :func:`replayed` gives the same duties in the same order from the
ledger alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any, cast, get_args

from lightship.core.duties import Detection, Duty, DutyState, Filing
from lightship.core.errors import AccessDenied, InputError, StoreError
from lightship.core.ports import Work
from lightship.duties import states
from lightship.duties.chooser import Choice, choose, facts_for, urgency
from lightship.duties.law import Criterion, Law


def detect(work: Work, detection: Detection, now: datetime) -> Duty:
    """Keep a detection and its duty; what is there already is left as it is.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    if (found := work.get(Duty, detection.id)) is not None:
        return found
    duty = states.begun(detection)
    try:
        work.save(detection, duty)
    except StoreError:  # another process was quicker
        if (found := work.get(Duty, detection.id)) is None:
            raise
        return found
    told = {"stream": detection.stream_id, "label": detection.label, "basis": detection.basis}
    found_as = {"found_by": detection.found_by, "live_danger": detection.live_danger}
    _record(work, {"kind": "detection", **told, **found_as}, duty, now)
    return duty


def decide(
    work: Work, duty_id: str, law: Law, *, provider: Iterable[str], by: str, now: datetime
) -> tuple[Duty, Choice]:
    """Decide by the rules whom a duty is owed to, from the facts of the provider and of the detection.

    A decision that changes nothing is not recorded again.

    Raises
    ------
    InputError
        If there is no such duty, or a fact is none.
    AccessDenied
        If it was filed or a report of it is under way, or somebody else changed it meanwhile.
    """
    duty, detection = duty_of(work, duty_id), work.get(Detection, duty_id)
    _free(work, duty_id)
    if detection is None:
        raise InputError("This duty has no detection.", f"duty {duty_id}", "Check the store.")
    facts, day = facts_for(detection, provider, law), law.day(detection.aware_at)
    choice = choose(facts, law, day)
    urgent = urgency(facts, law, day)
    return put(work, duty, choice, by=by, now=now, urgent=urgent), choice


def put(
    work: Work, duty: Duty, choice: Choice, *, by: str, now: datetime, urgent: Criterion | None = None
) -> Duty:
    """Put a choice on a duty; one that changes nothing is not recorded again.

    Raises
    ------
    AccessDenied
        As :func:`lightship.duties.states.decided`, or if somebody else changed it meanwhile.
    """
    priority, due_at = "", None
    if urgent is not None and choice.owed is not False:
        priority, due_at = urgent.priority, duty.aware_at + timedelta(minutes=urgent.target_min)
    after = states.decided(duty, choice, by=by, now=now, priority=priority, due_at=due_at)
    if replace(after, decided_by=duty.decided_by, decided_at=duty.decided_at) == duty:
        return duty
    entry = {"kind": "duty-decided", "by": by, "because": choice.rule, "missing": list(choice.missing)}
    return _changed(work, entry, duty, after, now)


def tell(work: Work, duty_id: str, facts: Sequence[str], law: Law, *, by: str, now: datetime) -> Detection:
    """Take in facts of a detection that a person tells; a new value of a fact replaces its old one.

    Raises
    ------
    InputError
        If there is no such detection, or one is no fact here.
    AccessDenied
        If its duty was filed, or a report of it is under way: then new facts go in a supplement.
    """
    _free(work, duty_id)
    detection, duty = work.get(Detection, duty_id), work.get(Duty, duty_id)
    if detection is None or duty is None:
        raise InputError("There is no such detection.", f"duty {duty_id}", "Check its id.")
    if duty.reference:
        raise AccessDenied("This duty was filed.", f"duty {duty_id}", "Send a supplement.")
    told = {one.partition("=")[0]: one for one in (*detection.facts, *facts)}
    after = replace(detection, facts=tuple(told.values()))
    facts_for(after, (), law)
    work.change(Detection, duty_id, {"facts": detection.facts}, facts=after.facts)
    entry = {"kind": "facts-told", "duty": duty_id, "case": duty.case_id, "by": by, "facts": list(facts)}
    work.record({"at": now.isoformat(), **entry})
    return after


UNDER_WAY = ("ready", "sending", "waiting")
"""States of a report for which a person stands already, and which the authority may have."""


def under_way(work: Work, duty_id: str) -> bool:
    """Return whether a duty's first report is on its way, so that nothing may change what it says."""
    wanted = {"duty_id": duty_id, "supplement_of": "", "state": UNDER_WAY}
    return bool(work.find(Filing, wanted, limit=1))


def _free(work: Work, duty_id: str) -> None:
    if under_way(work, duty_id):
        raise AccessDenied(
            "A report of this duty is under way.",
            f"duty {duty_id}",
            "Record its reference, or take it back with `report retract`; what is new goes in a supplement.",
        )


def file(work: Work, duty_id: str, *, reference: str, by: str, now: datetime) -> Duty:
    """Take in the authority's reference: the duty is filed. The same reference again changes nothing.

    Raises
    ------
    InputError
        If there is no such duty.
    AccessDenied
        As :func:`lightship.duties.states.filed`, or if somebody else changed it meanwhile.
    """
    duty = duty_of(work, duty_id)
    if duty.reference and duty.reference == reference.strip():
        return duty
    after = states.filed(duty, reference=reference, now=now)
    return _changed(work, {"kind": "duty-filed", "by": by}, duty, after, now)


def close(work: Work, duty_id: str, *, by: str, now: datetime) -> Duty:
    """Close a duty.

    Raises
    ------
    InputError
        If there is no such duty.
    AccessDenied
        As :func:`lightship.duties.states.closed`, or if somebody else changed it meanwhile.
    """
    duty = duty_of(work, duty_id)
    return _changed(work, {"kind": "duty-closed", "by": by}, duty, states.closed(duty, now=now), now)


def called(
    work: Work, duty_id: str, *, whom: str, reference: str, words: str, by: str, now: datetime
) -> None:
    """Put a telephone call about a duty on the record: whom, and under which reference.

    Raises
    ------
    InputError
        If there is no such duty, or nobody is named.
    """
    duty = duty_of(work, duty_id)
    if not whom.strip():
        raise InputError("A call is to somebody.", f"duty {duty_id}", "Say who was called, such as 999.")
    entry = {"kind": "duty-call", "duty": duty_id, "case": duty.case_id, "by": by, "whom": whom}
    work.record({"at": now.isoformat(), **entry, "reference": reference, "words": words})


def duty_of(work: Work, duty_id: str) -> Duty:
    """Return a duty.

    Raises
    ------
    InputError
        If there is none of that id.
    """
    duty = work.get(Duty, duty_id)
    if duty is None:
        raise InputError("There is no such duty.", f"duty {duty_id}", "Check its id.")
    return duty


# The record, and back -----------------------------------------------------------------------------

_KINDS = ("detection", "duty-decided", "duty-filed", "duty-closed")


def replayed(entries: Iterable[Mapping[str, Any]]) -> dict[str, Duty]:
    """Return the duties that entries of the ledger, in their order, add up to."""
    found: dict[str, Duty] = {}
    for entry in entries:
        if entry.get("kind") in _KINDS:
            duty = _duty_of(entry["value"])
            found[duty.id] = duty
    return found


def in_order(duties: Iterable[Duty]) -> list[Duty]:
    """Return those that wait, in the order in which they are to be done: P1 first, then who waits longest."""
    waiting = [one for one in duties if one.state in states.WAITING]
    return sorted(waiting, key=lambda one: (one.priority, one.aware_at, one.id))


def _changed(work: Work, entry: Mapping[str, Any], before: Duty, after: Duty, now: datetime) -> Duty:
    """Write a duty's new state where it still has the old one, and record it."""
    if said := states.unsound(after):
        raise AccessDenied(
            f"This duty may not become {after.state}: {said}.", f"duty {after.id}", "Check it."
        )
    values = {one.name: getattr(after, one.name) for one in fields(after)}
    changed = {name: value for name, value in values.items() if value != getattr(before, name)}
    same = {"state": before.state, "decided_at": before.decided_at, "reference": before.reference}
    found = work.change(Duty, before.id, same, **changed)
    if found is None:
        raise AccessDenied("Somebody else changed this duty.", f"duty {before.id}", "Look at it again.")
    _record(work, entry, found, now)
    return found


def _record(work: Work, entry: Mapping[str, Any], duty: Duty, now: datetime) -> None:
    whose = {"at": now.isoformat(), "duty": duty.id, "case": duty.case_id}
    work.record({**whose, **entry, "value": _plain(duty)})


def _plain(duty: Duty) -> dict[str, Any]:
    values = {one.name: getattr(duty, one.name) for one in fields(duty)}
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
        if value not in {None, "", ()}
    }


_TIMES = ("aware_at", "due_at", "decided_at", "filed_at", "closed_at")


def _duty_of(value: Mapping[str, Any]) -> Duty:
    if value["state"] not in get_args(DutyState):
        raise InputError("The ledger holds a duty in no state that a duty has.", f"duty {value['id']}")
    times = {name: datetime.fromisoformat(value[name]) for name in _TIMES if name in value}
    return Duty(
        **{**value, **times, "state": cast(DutyState, value["state"]), "facts": tuple(value.get("facts", ()))}
    )
