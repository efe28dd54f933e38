"""What an analyst sees: the queue with what is next for each, and all of one inquiry. Each look is logged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lightship.casework.desk import LIVE, log_use, whole_of
from lightship.casework.urgency import Ladder
from lightship.casework.why import Why, why
from lightship.core.casework import (
    Dissemination,
    Identifier,
    Inquiry,
    Link,
    Merger,
    Referral,
    Task,
    referral_of,
)
from lightship.core.errors import InputError
from lightship.core.lookup import any_of
from lightship.core.ports import Work

_ORDER = ("urgency", "-urgency_db", "due_at")


@dataclass(frozen=True, slots=True)
class Sight:
    """All of an inquiry.

    Parameters
    ----------
    named
        Its identifiers by referral; one that names nobody is not in it.
    tasks
        The open ones first, each by its time.
    parts
        Ids of the inquiries that became part of it.
    sent
        What partners were sent of it and its parts.
    links
        Those of its people, whether to others of it or elsewhere, the heaviest first.
    persons
        How all that names each of those links' people is marked, by person.
    why
        Its place in the queue, explained.
    """

    inquiry: Inquiry
    referrals: Sequence[Referral]
    named: Mapping[str, Sequence[Identifier]]
    tasks: Sequence[Task]
    parts: Sequence[str]
    sent: Sequence[Dissemination]
    links: Sequence[Link]
    persons: Mapping[str, Sequence[str]]
    why: Why


@dataclass(frozen=True, slots=True)
class Screen:
    """A page of the queue.

    Parameters
    ----------
    tasks
        The earliest open task of each, the child's safety before others, by the inquiry's id.
    children
        What names a child in the referrals of the first.
    came
        How those referrals are marked, by their id.
    markings
        How the referrals of each are marked, by the inquiry's id.
    count
        How many are open.
    more
        Whether others follow.
    """

    inquiries: Sequence[Inquiry]
    tasks: Mapping[str, Task]
    children: Sequence[Identifier]
    came: Mapping[str, str]
    markings: Mapping[str, Sequence[str]]
    count: int
    more: bool


def screen(
    work: Work, owner: str = "", limit: int = 50, *, after: str = "", by: str, now: datetime
) -> Screen:
    """Return a page of the queue with what is next for each; logged as a consultation.

    Parameters
    ----------
    owner
        Only theirs; empty for everybody's.
    after
        Id of the last one of the page before.
    """
    log_use(work, "consultation", "queue", by, now)
    found = work.find(Inquiry, _open(owner), order=_ORDER, limit=limit + 1, after=after)
    shown = found[:limit]
    tasks = any_of(work, Task, "inquiry_id", [one.id for one in shown], {"state": "open"})
    first = work.find(Referral, {"inquiry_id": shown[0].id}) if shown else []
    return Screen(
        shown,
        {one.inquiry_id: one for one in sorted(tasks, key=_urgent, reverse=True)},
        any_of(work, Identifier, "referral_id", [one.id for one in first], {"role": "child"}),
        {one.id: one.marking for one in first},
        markings_of(work, [one.id for one in shown]),
        work.count(Inquiry, _open(owner)),
        len(found) > limit,
    )


def sight(work: Work, ladder: Ladder, inquiry_id: str, *, by: str, now: datetime) -> Sight:
    """Return all of an inquiry; logged as a consultation.

    Raises
    ------
    InputError
        If it is not there.
    """
    inquiry = work.get(Inquiry, inquiry_id)
    if inquiry is None:
        raise InputError("There is no such inquiry.", f"inquiry {inquiry_id}", "Look at the queue.")
    log_use(work, "consultation", inquiry_id, by, now)
    referrals = work.find(Referral, {"inquiry_id": inquiry_id}, order=("received_at",))
    named: dict[str, list[Identifier]] = {}
    for one in any_of(work, Identifier, "referral_id", [each.id for each in referrals]):
        named.setdefault(one.referral_id, []).append(one)
    tasks = work.find(Task, {"inquiry_id": inquiry_id})
    parts = _parts(work, inquiry_id)
    persons = list({one.person for each in named.values() for one in each})
    touching = [*any_of(work, Link, "one", persons), *any_of(work, Link, "other", persons)]
    links = sorted({one.id: one for one in touching}.values(), key=lambda one: (-one.weight_db, one.id))
    others = {
        (int(level), float(weight_db)): many
        for (level, weight_db), many in work.tally(Inquiry, ("urgency", "urgency_db"), _open()).items()
    }
    if inquiry.state in LIVE:
        others[inquiry.urgency, inquiry.urgency_db] -= 1
    return Sight(
        inquiry,
        referrals,
        named,
        sorted(tasks, key=lambda one: (one.state != "open", *_urgent(one))),
        parts,
        work.find(Dissemination, {"inquiry_id": (inquiry_id, *parts)}, order=("made_at",)),
        links,
        markings_of_persons(work, links),
        why(ladder, dict.fromkeys(fact for one in referrals for fact in one.facts), others),
    )


def markings_of(work: Work, inquiry_ids: Sequence[str]) -> dict[str, list[str]]:
    """Return how the referrals of inquiries are marked, each marking once: for the gate, which logs nothing itself.

    One that became part of another is marked as all of that one: its own referrals are there.
    """
    ids = tuple(inquiry_ids)
    merged = work.find(Inquiry, {"id": ids, "state": "merged"})
    wholes = dict(zip(ids, ids, strict=True)) | {one.id: whole_of(work, one.id) for one in merged}
    found: dict[str, list[str]] = {}
    asked = {"inquiry_id": tuple(set(wholes.values()))}
    for id_, marking in work.tally(Referral, ("inquiry_id", "marking"), asked):
        found.setdefault(id_, []).append(marking)
    return {id_: found[whole] for id_, whole in wholes.items() if whole in found}


def markings_of_persons(work: Work, links: Iterable[Link]) -> dict[str, list[str]]:
    """Return how all that names the people of links is marked, by person: for the gate, which logs nothing itself."""
    persons = tuple({person for one in links for person in (one.one, one.other)})
    found: dict[str, list[str]] = {}
    for person, marking in work.tally(Identifier, ("person", "marking"), {"person": persons}):
        found.setdefault(person, []).append(marking)
    referrals = tuple({referral_of(one) for one in persons})
    came = {row[0]: row[1] for row in work.tally(Referral, ("id", "marking"), {"id": referrals})}
    return {
        person: [*filter(None, markings), came.get(referral_of(person), "")]
        for person, markings in found.items()
    }


def _parts(work: Work, inquiry_id: str) -> list[str]:
    """Return the inquiries that became part of one, and those that had become part of them."""
    found, coming = list[str](), [inquiry_id]
    while coming:
        gone = work.find(Merger, {"kept": tuple(coming), "undone_at": None}, order=("made_at",))
        coming = [one.gone for one in gone if one.gone not in found]
        found += coming
    return found


def _open(owner: str = "") -> dict[str, object]:
    return {"state": LIVE} | ({"owner": owner} if owner else {})


def _urgent(task: Task) -> tuple[datetime, bool]:
    return task.due_at, task.kind != "safeguard"
