"""What an analyst sees: the queue with what is next for each, and all of one inquiry. Reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lightship.casework.desk import LIVE
from lightship.casework.urgency import Ladder
from lightship.casework.why import Why, why
from lightship.core.casework import Identifier, Inquiry, Referral, Task
from lightship.core.errors import InputError
from lightship.core.ports import K, Work

_PART = 500  # SQLite takes expressions 1,000 deep


@dataclass(frozen=True, slots=True)
class Sight:
    """All of an inquiry.

    Parameters
    ----------
    named
        Its identifiers by referral; one that names nobody is not in it.
    tasks
        The open ones first, each by its time.
    why
        Its place in the queue, explained.
    """

    inquiry: Inquiry
    referrals: Sequence[Referral]
    named: Mapping[str, Sequence[Identifier]]
    tasks: Sequence[Task]
    why: Why


def queue(work: Work, owner: str = "", limit: int | None = None, *, after: str = "") -> list[Inquiry]:
    """Return the open inquiries, the one in which a child may be in danger now first.

    Parameters
    ----------
    after
        Id of the last one of the page before.
    """
    of: dict[str, object] = {"state": LIVE} | ({"owner": owner} if owner else {})
    return work.find(Inquiry, of, order=("urgency", "-urgency_db", "due_at"), limit=limit, after=after)


def facts_of(work: Work, inquiry_id: str) -> tuple[str, ...]:
    """Return what all referrals of an inquiry say."""
    return _facts(work.find(Referral, {"inquiry_id": inquiry_id}, order=("received_at",)))


def next_tasks(work: Work, inquiries: Iterable[Inquiry]) -> dict[str, Task]:
    """Return the earliest open task of each inquiry, the child's safety before others, by the inquiry's id."""
    found = any_of(work, Task, "inquiry_id", [one.id for one in inquiries], {"state": "open"})
    return {one.inquiry_id: one for one in sorted(found, key=_urgent, reverse=True)}


def children_of(work: Work, inquiry_id: str) -> list[Identifier]:
    """Return what names a child in an inquiry's referrals."""
    referrals = work.find(Referral, {"inquiry_id": inquiry_id})
    return any_of(work, Identifier, "referral_id", [one.id for one in referrals], {"role": "child"})


def sight(work: Work, ladder: Ladder, inquiry_id: str) -> Sight:
    """Return all of an inquiry.

    Raises
    ------
    InputError
        If it is not there.
    """
    inquiry = work.get(Inquiry, inquiry_id)
    if inquiry is None:
        raise InputError("There is no such inquiry.", f"inquiry {inquiry_id}", "Look at the queue.")
    referrals = work.find(Referral, {"inquiry_id": inquiry_id}, order=("received_at",))
    named: dict[str, list[Identifier]] = {}
    for one in any_of(work, Identifier, "referral_id", [each.id for each in referrals]):
        named.setdefault(one.referral_id, []).append(one)
    tasks = work.find(Task, {"inquiry_id": inquiry_id})
    others = [(one.urgency, one.urgency_db) for one in queue(work) if one.id != inquiry_id]
    return Sight(
        inquiry,
        referrals,
        named,
        sorted(tasks, key=lambda one: (one.state != "open", *_urgent(one))),
        why(ladder, _facts(referrals), others),
    )


def any_of(
    work: Work, kind: type[K], field: str, values: Sequence[str], where: Mapping[str, object] | None = None
) -> list[K]:
    """Return what has any of these values in a field, in parts that SQLite takes, each by id."""
    parts = (tuple(values[start : start + _PART]) for start in range(0, len(values), _PART))
    return [one for part in parts for one in work.find(kind, {**(where or {}), field: part})]


def _urgent(task: Task) -> tuple[datetime, bool]:
    return task.due_at, task.kind != "safeguard"


def _facts(referrals: Iterable[Referral]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact for one in referrals for fact in one.facts))
