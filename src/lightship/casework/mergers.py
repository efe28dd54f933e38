"""Two inquiries become one, and can be parted again: referrals, tasks, owner and clock follow the desk's rules.

The more urgent one goes on with its owner; all open tasks are its own from then on, so its clock is the earliest of
both, and its place is what all its referrals say together. What a merger wrote is kept field by field: parting gives
each field back that nobody changed since. No machine merges (:mod:`lightship.casework.links`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypeVar

from lightship.casework import desk
from lightship.casework.desk import LIVE, by_rung, identity, log_use, whole_of
from lightship.casework.urgency import Ladder
from lightship.core.canonical import canonical
from lightship.core.casework import Inquiry, Link, Merger, Referral, Task, referral_of
from lightship.core.errors import AccessDenied, InputError
from lightship.core.ports import Work

_KINDS: Mapping[str, type[Inquiry | Referral | Task]] = {
    "inquiry": Inquiry,
    "referral": Referral,
    "task": Task,
}
T = TypeVar("T", Inquiry, Referral, Task)
_Row = Inquiry | Referral | Task


def join(work: Work, ladder: Ladder, link: Link, *, by: str, now: datetime) -> Merger | None:
    """Make the inquiries of a link's two referrals one; returns None where they are one already, or both filed away.

    Raises
    ------
    InputError
        If a referral or inquiry is not there, or somebody changed it meanwhile.
    """
    first, second = (_inquiry_of(work, person) for person in (link.one, link.other))
    if first.id == second.id or not {first.state, second.state} & set(LIVE):
        log_use(work, "consultation", link.id, by, now)
        return None
    kept, gone = sorted(
        (first, second), key=lambda one: (one.state not in LIVE, one.urgency, one.opened_at, one.id)
    )
    before = _rows(work, kept, gone)
    for task in work.find(Task, {"inquiry_id": gone.id}):
        ended: dict[str, Any] = {}
        if task.kind == "hand-off" and task.state == "open":
            ended = {
                "state": "withdrawn",
                "done_at": now,
                "done_by": by,
                "outcome": f"became part of {kept.id}",
            }
        work.change(Task, task.id, {"inquiry_id": gone.id}, inquiry_id=kept.id, **ended)
    moved = tuple(one.id for one in work.find(Referral, {"inquiry_id": gone.id}))
    for id_ in moved:
        work.change(Referral, id_, {"inquiry_id": gone.id}, inquiry_id=kept.id)
    merged = work.change(
        Inquiry,
        gone.id,
        {"state": gone.state, "owner": gone.owner},
        state="merged",
        merged_into=kept.id,
        handed_to="",
        handed_at=None,
    )
    if merged is None:
        raise InputError("Somebody else changed this inquiry meanwhile.", f"inquiry {gone.id}", "Look again.")
    desk.reassess(work, ladder, kept.id, now=now)
    changes = _changes(before, _rows(work, kept, merged), leave=kept.id)
    number = work.count(Merger, {"link_id": link.id})
    merger = Merger(
        identity("merger", link.id, str(number)), link.id, kept.id, gone.id, moved, changes, now, by
    )
    work.save(merger)
    work.record(
        {
            "kind": "inquiries-merged",
            "inquiry": kept.id,
            "gone": gone.id,
            "link": link.id,
            "by": by,
            "at": now.isoformat(),
            "owner": kept.owner,
        }
    )
    log_use(work, "combination", kept.id, by, now)
    log_use(work, "combination", gone.id, by, now)
    return merger


def part(
    work: Work, ladder: Ladder, merger: Merger, accepted: Iterable[Link], *, by: str, now: datetime
) -> Merger:
    """Part two inquiries that a link made one; they stay one where another accepted link says the same.

    What came meanwhile under a sender's reference of the one that was gone goes back with it, and somebody there is to
    read it.

    Parameters
    ----------
    accepted
        The other accepted links of people of the referrals that would go.

    Raises
    ------
    AccessDenied
        If a later merger rests on this one.
    InputError
        If they were parted already.
    """
    where = f"merger {merger.id}"
    if merger.undone_at is not None:
        raise InputError("They were parted already.", where, "Look again.")
    later = meanwhile(work, merger)
    moved = {*merger.referrals, *later}
    others = [one for one in accepted if one.id != merger.link_id]
    across = [one for one in others if (referral_of(one.one) in moved) != (referral_of(one.other) in moved)]
    within = [
        one
        for one in across
        if {_place_of(work, one.one), _place_of(work, one.other)} == {merger.kept}
        and not work.find(Merger, {"link_id": one.id, "undone_at": None}, limit=1)
    ]
    if within:
        stands = work.change(Merger, merger.id, {"undone_at": None}, link_id=within[0].id)
        work.record(
            {
                "kind": "merger-stands",
                "inquiry": merger.kept,
                "gone": merger.gone,
                "link": within[0].id,
                "by": by,
                "at": now.isoformat(),
            }
        )
        log_use(work, "consultation", merger.kept, by, now)
        return stands or merger
    resting = work.find(Merger, {"gone": merger.kept, "undone_at": None}, limit=1) or [
        one
        for link in across
        for one in work.find(Merger, {"link_id": link.id, "undone_at": None})
        if one.kept == merger.kept
    ]
    if resting:
        raise AccessDenied(
            "A later merger rests on this one.", where, f"Undo link {resting[0].link_id} first."
        )
    for one in reversed(json.loads(merger.changes)):
        _give_back(work, one)
    for id_ in later:
        work.change(Referral, id_, {"inquiry_id": merger.kept}, inquiry_id=merger.gone)
        entry = {"kind": "referral-went-back", "referral": id_, "inquiry": merger.gone}
        work.record({**entry, "was": merger.kept, "by": by, "at": now.isoformat()})
        log_use(work, "alteration", id_, by, now)
    gone = work.get(Inquiry, merger.gone)
    for id_ in (merger.kept, merger.gone):
        inquiry = work.get(Inquiry, id_)
        if inquiry is not None and inquiry.state in LIVE:
            desk.reassess(work, ladder, id_, now=now)
        log_use(work, "alteration", id_, by, now)
    if later:
        _to_read(work, ladder, merger.gone, len(later), by, now)
    undone = work.change(Merger, merger.id, {"undone_at": None}, undone_at=now, undone_by=by)
    if undone is None or gone is None:
        raise InputError("Somebody else changed this merger meanwhile.", where, "Look again.")
    work.record(
        {
            "kind": "inquiries-parted",
            "inquiry": merger.kept,
            "gone": merger.gone,
            "link": merger.link_id,
            "by": by,
            "at": now.isoformat(),
            "owner": gone.owner,
        }
    )
    return undone


def meanwhile(work: Work, merger: Merger) -> list[str]:
    """Return the referrals that came to the whole under a sender's reference of the inquiry that is gone.

    None where that one was filed away before: what comes under its references is not its own any more.
    """
    was = [one["was"] for one in json.loads(merger.changes) if one["id"] == merger.gone]
    if not any(one.get("state") in LIVE for one in was):
        return []
    there = work.find(Referral, {"inquiry_id": merger.kept}, order=("received_at", "id"))
    joined = work.find(Merger, {"kept": merger.kept, "undone_at": None})
    known = {id_ for one in joined for id_ in one.referrals}
    references = {
        (one.sender, one.reference) for one in there if one.id in merger.referrals and one.reference
    }
    return [
        one.id
        for one in there
        if one.id not in known
        and one.received_at >= merger.made_at
        and (one.sender, one.reference) in references
    ]


def _to_read(work: Work, ladder: Ladder, inquiry_id: str, count: int, by: str, now: datetime) -> None:
    rung = ladder.rungs[_there(work, inquiry_id).urgency - 1]
    desk.add_task(
        work,
        inquiry_id,
        "triage",
        f"Read what came to it while it was part of another inquiry: {count} referral{'s' if count > 1 else ''}.",
        now + timedelta(hours=rung.act_within_hours),
        by_rung(ladder, rung),
        by=by,
        now=now,
    )


def _there(work: Work, id_: str) -> Inquiry:
    inquiry = work.get(Inquiry, id_)
    if inquiry is None:
        raise InputError("There is no such inquiry.", f"inquiry {id_}", "Restore the store.")
    return inquiry


def _place_of(work: Work, person: str) -> str:
    referral = work.get(Referral, referral_of(person))
    return "" if referral is None else referral.inquiry_id


def _inquiry_of(work: Work, person: str) -> Inquiry:
    place = _place_of(work, person)
    if not place:
        raise InputError("There is no such referral.", f"person {person}", "Look again.")
    return _there(work, whole_of(work, place))


def _rows(work: Work, *inquiries: Inquiry) -> dict[tuple[str, str], _Row]:
    found: dict[tuple[str, str], _Row] = {}
    for inquiry in inquiries:
        found["inquiry", inquiry.id] = _there(work, inquiry.id)
        found |= {("referral", one.id): one for one in work.find(Referral, {"inquiry_id": inquiry.id})}
        found |= {("task", one.id): one for one in work.find(Task, {"inquiry_id": inquiry.id})}
    return found


def _changes(
    before: Mapping[tuple[str, str], _Row], after: Mapping[tuple[str, str], _Row], *, leave: str
) -> str:
    """Return the fields that differ; the place and clock of ``leave`` follow from its referrals and tasks anyway."""
    found = []
    for (kind, id_), was in before.items():
        now = after[kind, id_]
        if id_ != leave and was != now:
            names = [one.name for one in dataclasses.fields(was) if _of(was, one.name) != _of(now, one.name)]
            found.append(
                {
                    "of": kind,
                    "id": id_,
                    "was": {name: _plain(_of(was, name)) for name in names},
                    "is": {name: _plain(_of(now, name)) for name in names},
                }
            )
    return canonical(found).decode()


def _give_back(work: Work, change: Mapping[str, Any]) -> None:
    kind = _KINDS[change["of"]]
    now = work.get(kind, change["id"])
    if now is not None:
        same = {name for name, value in change["is"].items() if _plain(_of(now, name)) == value}
        work.change(
            kind,
            change["id"],
            {},
            **{name: _rich(name, change["was"][name]) for name in change["was"] if name in same},
        )


def _of(row: _Row, name: str) -> object:
    return getattr(row, name)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _rich(name: str, value: Any) -> object:
    return datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
