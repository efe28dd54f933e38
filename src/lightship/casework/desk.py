"""Inquiries have one owner and one running clock from their first moment; each act here is one transaction.

The clock is the earliest open task. An inquiry that is not filed away always has one: to see to the child's safety
comes first and stays until it is done, and where nothing else is open a review is. A hand-off leaves it with its owner
until the other has acknowledged; what is late goes to the supervisor, on the record. No machine ever closes one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lightship.casework.urgency import Ladder, Rung, Urgency, judge
from lightship.core.casework import Inquiry, Referral, Task, TaskKind, Use, Verb
from lightship.core.errors import AccessDenied, InputError
from lightship.core.ports import Work

ACKNOWLEDGE = timedelta(hours=4)
REVIEW = timedelta(days=28)
ESCALATED = timedelta(hours=4)
LIVE = ("new", "owned", "handed")
MACHINE = "lightship"
_HANDED, _AGAIN = "acknowledgement", f"review every {REVIEW.days} days"


@dataclass(frozen=True, slots=True)
class Offices:
    """Who has an inquiry before anybody took it, and who gets what is late.

    Parameters
    ----------
    intake, supervisor
        Names of desks that are always staffed.
    """

    intake: str = "intake desk"
    supervisor: str = "duty supervisor"


def identity(*parts: str) -> str:
    """Return a name that is the same for the same parts, so that what is done twice is done once."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:24]


def log_use(
    work: Work, verb: Verb, about: str, by: str, now: datetime, *, reason: str = "", recipient: str = ""
) -> None:
    """Log a use of personal data, beside the act itself (Data Protection Act 2018 s.62)."""
    number = len(work.find(Use, {"about": about, "at": now, "by": by}))
    work.save(use_of(verb, about, by, now, number=number, reason=reason, recipient=recipient))


def use_of(
    verb: Verb, about: str, by: str, now: datetime, *, number: int = 0, reason: str = "", recipient: str = ""
) -> Use:
    """Return a use of personal data as it is logged; ``number`` counts the earlier ones of that moment."""
    name = identity("use", verb, about, by, now.isoformat(), str(number))
    return Use(name, verb, about, by, now, reason, recipient)


def founded(
    ladder: Ladder,
    facts: Iterable[str],
    *,
    key: str,
    title: str,
    now: datetime,
    offices: Offices,
    note: str = "",
) -> tuple[Inquiry, Task, Task]:
    """Return a new inquiry with its first two tasks: it has an owner and a clock, or it is not there at all.

    Parameters
    ----------
    note
        What whoever reads it must know first, such as what could not be read.
    """
    id_ = identity("inquiry", key)
    urgency = judge(ladder, facts)
    due_at = now + timedelta(hours=urgency.rung.act_within_hours)
    inquiry = Inquiry(id_, now, offices.intake, due_at, title=title, **_place(urgency))
    rule = by_rung(ladder, urgency.rung)
    read = f"Read it, and say whose it is. {note}".strip()
    return (
        inquiry,
        Task(
            identity("task", id_, "0"),
            id_,
            "safeguard",
            urgency.rung.first,
            offices.intake,
            due_at,
            rule,
            now,
        ),
        Task(identity("task", id_, "1"), id_, "triage", read, offices.intake, due_at, rule, now),
    )


def opened(
    work: Work, ladder: Ladder, facts: Iterable[str], *, key: str, title: str, now: datetime, offices: Offices
) -> Inquiry:
    """Open an inquiry (:func:`founded`).

    Parameters
    ----------
    key
        What it is opened for; the same key again returns the inquiry that is there.
    """
    if (there := work.get(Inquiry, identity("inquiry", key))) is not None:
        return there
    inquiry, *tasks = founded(ladder, facts, key=key, title=title, now=now, offices=offices)
    work.save(inquiry, *tasks, use_of("collection", inquiry.id, MACHINE, now))
    record(work, "inquiry-opened", inquiry, MACHINE, now, urgency=inquiry.urgency)
    return inquiry


def add_task(
    work: Work,
    inquiry_id: str,
    kind: TaskKind,
    words: str,
    due_at: datetime,
    rule: str,
    *,
    by: str,
    now: datetime,
) -> Task:
    """Add something to be done.

    Raises
    ------
    InputError
        If the inquiry is not there or filed away, or nothing is said, or its time is over already.
    """
    inquiry = _live(work, inquiry_id)
    if not words.strip() or due_at <= now:
        raise InputError(
            "A task says what is to be done, and by a time to come.", f"inquiry {inquiry_id}", ""
        )
    task = _task(work, inquiry, kind, words, due_at, rule, now)
    record(work, "task-added", inquiry, by, now, task=task.id)
    _clock(work, inquiry_id, now)
    return task


def finish(
    work: Work, task_id: str, *, by: str, outcome: str, now: datetime, withdrawn: bool = False
) -> Task:
    """End a task with what came of it. The child's safety is never withdrawn.

    Raises
    ------
    InputError
        If there is no such open task, or no outcome is said.
    AccessDenied
        If it may not be withdrawn.
    """
    task = work.get(Task, task_id)
    where = f"task {task_id}"
    if task is None or task.state != "open":
        raise InputError("There is no such open task.", where, "Look at the inquiry's tasks.")
    if not outcome.strip():
        raise InputError("A task ends with what came of it, in words.", where, "Write it.")
    if withdrawn and task.kind == "safeguard":
        raise AccessDenied("To see to a child's safety is not withdrawn.", where, "Say what was done.")
    state = "withdrawn" if withdrawn else "done" if now <= task.due_at else "missed"
    ended = work.change(
        Task, task_id, {"state": "open"}, state=state, done_at=now, done_by=by, outcome=outcome.strip()
    )
    if ended is None:
        raise InputError("Somebody else ended this task meanwhile.", where, "Look again.")
    inquiry = _clock(work, task.inquiry_id, now)
    record(work, "task-ended", inquiry, by, now, task=task_id, state=state)
    return ended


def take(work: Work, inquiry_id: str, *, by: str, now: datetime) -> Inquiry:
    """Take an inquiry that one's desk has, or that was handed to one; who had it no longer does.

    Raises
    ------
    InputError
        If it is not there or filed away.
    AccessDenied
        If it was handed to somebody else.
    """
    inquiry = _live(work, inquiry_id)
    if inquiry.state == "handed" and inquiry.handed_to != by:
        raise AccessDenied(
            f"It was handed to {inquiry.handed_to}.", f"inquiry {inquiry_id}", "Ask them, or the supervisor."
        )
    _changed(work, inquiry, "inquiry-taken", by, now, owner=by, state="owned", handed_to="", handed_at=None)
    return _clock(work, inquiry_id, now)


def hand(work: Work, inquiry_id: str, *, by: str, to: str, now: datetime) -> Inquiry:
    """Hand an inquiry over: it stays with its owner, and its clock goes on, until the other has acknowledged.

    Raises
    ------
    InputError
        If it is not there or filed away, or to nobody.
    AccessDenied
        If it is not one's own.
    """
    inquiry = _owned(work, inquiry_id, by)
    if not to.strip() or to == by:
        raise InputError("It is handed to somebody else.", f"inquiry {inquiry_id}", "Name them.")
    due_at = now + ACKNOWLEDGE
    _task(work, inquiry, "hand-off", f"{to} acknowledges the hand-off.", due_at, _HANDED, now)
    handed = _changed(work, inquiry, "inquiry-handed", by, now, state="handed", handed_to=to, handed_at=now)
    return _clock(work, handed.id, now)


def acknowledge(work: Work, inquiry_id: str, *, by: str, now: datetime) -> Inquiry:
    """Acknowledge a hand-off: from now on it is one's own.

    Raises
    ------
    AccessDenied
        If it was not handed to one.
    """
    inquiry = _live(work, inquiry_id)
    if inquiry.state != "handed" or inquiry.handed_to != by:
        raise AccessDenied("It was not handed to you.", f"inquiry {inquiry_id}", "Take it, or ask its owner.")
    taken = take(work, inquiry_id, by=by, now=now)
    for task in _open(work, inquiry_id, "hand-off"):
        finish(work, task.id, by=by, outcome="acknowledged", now=now)
    return work.get(Inquiry, inquiry_id) or taken


def escalate(work: Work, now: datetime, offices: Offices) -> tuple[Inquiry, ...]:
    """Give what is late to the supervisor, with a new clock; returns those that were."""
    late = work.find(Inquiry, {"state": LIVE}, order=("due_at",))
    return tuple(_escalated(work, one, now, offices) for one in late if one.due_at <= now)


def _escalated(work: Work, inquiry: Inquiry, now: datetime, offices: Offices) -> Inquiry:
    record(work, "inquiry-late", inquiry, MACHINE, now, due_at=inquiry.due_at.isoformat())
    for task in _open(work, inquiry.id):
        if task.kind == "hand-off":
            work.change(
                Task,
                task.id,
                {"state": "open"},
                state="missed",
                done_at=now,
                done_by=MACHINE,
                outcome="nobody acknowledged",
            )
        elif task.due_at <= now:
            work.change(Task, task.id, {"state": "open"}, due_at=now + ESCALATED)
    changed = _changed(
        work,
        inquiry,
        "inquiry-escalated",
        MACHINE,
        now,
        owner=offices.supervisor,
        state="owned",
        handed_to="",
        handed_at=None,
        escalations=inquiry.escalations + 1,
    )
    return _clock(work, changed.id, now)


def reassess(work: Work, ladder: Ladder, inquiry_id: str, *, now: datetime) -> Inquiry:
    """Give an inquiry the place that all its referrals' facts together have; a new, nearer clock where it rose.

    Raises
    ------
    InputError
        If it is not there or filed away.
    """
    inquiry = _live(work, inquiry_id)
    urgency = judge(
        ladder, [fact for one in work.find(Referral, {"inquiry_id": inquiry_id}) for fact in one.facts]
    )
    if (urgency.level, urgency.weight_db) == (inquiry.urgency, inquiry.urgency_db):
        log_use(work, "consultation", inquiry.id, MACHINE, now)
        return _clock(work, inquiry_id, now)
    changed = _changed(work, inquiry, "inquiry-reassessed", MACHINE, now, **_place(urgency))
    if urgency.level < inquiry.urgency:
        due_at = now + timedelta(hours=urgency.rung.act_within_hours)
        rule = by_rung(ladder, urgency.rung)
        tasks = _open(work, inquiry_id, "safeguard")
        for task in tasks:
            if due_at < task.due_at:
                work.change(
                    Task, task.id, {"state": "open"}, due_at=due_at, rule=rule, words=urgency.rung.first
                )
        if not tasks:
            _task(work, changed, "safeguard", urgency.rung.first, due_at, rule, now)
    return _clock(work, inquiry_id, now)


def file_away(work: Work, inquiry_id: str, *, by: str, why: str, now: datetime) -> Inquiry:
    """End an inquiry: a person's act, with a reason, when the child's safety was seen to and nothing else is open.

    Raises
    ------
    InputError
        If it is not there or filed away already, or no reason is said.
    AccessDenied
        If it is somebody else's, a machine asks, or something is open.
    """
    _owned(work, inquiry_id, by)
    where = f"inquiry {inquiry_id}"
    if not why.strip():
        raise InputError("An inquiry is filed away for a reason.", where, "Write it.")
    if by == MACHINE:
        raise AccessDenied("No machine files an inquiry away.", where, "")
    if not work.find(
        Task, {"inquiry_id": inquiry_id, "kind": "safeguard", "state": ("done", "missed")}, limit=1
    ):
        raise AccessDenied("The child's safety was not seen to.", where, "Do that task first.")
    if rest := [one for one in _open(work, inquiry_id) if one.kind != "review"]:
        raise AccessDenied(
            f"{len(rest)} of its tasks are open: {rest[0].words}", where, "End or withdraw them first."
        )
    for task in _open(work, inquiry_id):
        ended = {"state": "withdrawn", "done_at": now, "done_by": by, "outcome": "filed away"}
        work.change(Task, task.id, {"state": "open"}, **ended)
    return _changed(
        work,
        _live(work, inquiry_id),
        "inquiry-filed-away",
        by,
        now,
        state="filed-away",
        closed_at=now,
        closed_by=by,
        closed_why=why.strip(),
    )


def cited(rule: str, ladder: Ladder) -> str:
    """Return what a clock rests on, in words: the law or the house's rule, with its source.

    Examples
    --------
    >>> from lightship.casework.urgency import shipped
    >>> cited("acknowledgement", shipped())
    'House rule: whoever is handed a case acknowledges it within 4 hours.'
    >>> cited("18 U.S.C. 2258A(h)", shipped())
    '18 U.S.C. 2258A(h)'
    """
    if rule == _HANDED:
        hours = ACKNOWLEDGE / timedelta(hours=1)
        return f"House rule: whoever is handed a case acknowledges it within {hours:.0f} hours."
    if rule == _AGAIN:
        return f"House rule: a case of which nothing is open is looked at again within {REVIEW.days} days."
    for rung in ladder.rungs:
        if rule == by_rung(ladder, rung):
            return (
                f"Ladder of urgency {ladder.version}, rung {rung.id}: acted on within "
                f"{rung.act_within_hours:g} hours ({ladder.source})."
            )
    return rule


def whole_of(work: Work, inquiry_id: str) -> str:
    """Return the id of the inquiry that one is part of by now, or its own."""
    while (inquiry := work.get(Inquiry, inquiry_id)) is not None and inquiry.merged_into:
        inquiry_id = inquiry.merged_into
    return inquiry_id


def by_rung(ladder: Ladder, rung: Rung) -> str:
    """Return what a clock that runs by a rung of the ladder cites."""
    return f"urgency {ladder.version} rung {rung.id}"


def _place(urgency: Urgency) -> dict[str, Any]:
    return {"urgency": urgency.level, "urgency_db": urgency.weight_db, "reasons": urgency.reasons}


def _live(work: Work, inquiry_id: str) -> Inquiry:
    inquiry = work.get(Inquiry, inquiry_id)
    if inquiry is None or inquiry.state not in LIVE:
        todo = f"See inquiry {inquiry.merged_into}." if inquiry and inquiry.merged_into else "Check its id."
        raise InputError("There is no such open inquiry.", f"inquiry {inquiry_id}", todo)
    return inquiry


def _owned(work: Work, inquiry_id: str, by: str) -> Inquiry:
    inquiry = _live(work, inquiry_id)
    if inquiry.owner != by:
        raise AccessDenied(f"It is {inquiry.owner}'s.", f"inquiry {inquiry_id}", "Take it first.")
    return inquiry


def _open(work: Work, inquiry_id: str, kind: TaskKind | None = None) -> list[Task]:
    where: dict[str, object] = {"inquiry_id": inquiry_id, "state": "open"}
    return work.find(Task, {**where, "kind": kind} if kind else where, order=("due_at",))


def _task(
    work: Work, inquiry: Inquiry, kind: TaskKind, words: str, due_at: datetime, rule: str, now: datetime
) -> Task:
    number = len(work.find(Task, {"inquiry_id": inquiry.id}))
    while work.get(Task, identity("task", inquiry.id, str(number))) is not None:
        number += 1  # tasks of a merger went elsewhere, and count no more
    task = Task(
        identity("task", inquiry.id, str(number)), inquiry.id, kind, words, inquiry.owner, due_at, rule, now
    )
    work.save(task)
    return task


def _clock(work: Work, inquiry_id: str, now: datetime) -> Inquiry:
    """Set an inquiry's clock to its earliest open task, a review where none is open; they are all its owner's."""
    inquiry = _live(work, inquiry_id)
    tasks = _open(work, inquiry_id) or [
        _task(work, inquiry, "review", "Look at it again.", now + REVIEW, _AGAIN, now)
    ]
    for task in tasks:
        if task.owner != inquiry.owner:
            work.change(Task, task.id, {"state": "open"}, owner=inquiry.owner)
    changed = work.change(Inquiry, inquiry_id, {"state": inquiry.state}, due_at=tasks[0].due_at)
    if changed is None:
        raise InputError(
            "Somebody else changed this inquiry meanwhile.", f"inquiry {inquiry_id}", "Look again."
        )
    return changed


def _changed(work: Work, inquiry: Inquiry, kind: str, by: str, now: datetime, **fields: object) -> Inquiry:
    expect = {"state": inquiry.state, "owner": inquiry.owner, "escalations": inquiry.escalations}
    changed = work.change(Inquiry, inquiry.id, expect, **fields)
    if changed is None:
        raise InputError(
            "Somebody else changed this inquiry meanwhile.", f"inquiry {inquiry.id}", "Look again."
        )
    record(work, kind, changed, by, now)
    return changed


def record(work: Work, kind: str, inquiry: Inquiry, by: str, now: datetime, **more: object) -> None:
    """Put what happened to an inquiry on the ledger, and log the alteration."""
    entry = {"kind": kind, "inquiry": inquiry.id, "by": by, "at": now.isoformat(), "owner": inquiry.owner}
    work.record({**entry, **more})
    if kind != "inquiry-opened":  # intake logs what it collects, many at a time
        log_use(work, "alteration", inquiry.id, by, now)
