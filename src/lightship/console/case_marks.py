"""What a case's timeline tells, of what a reader may see of the case and its record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from lightship.casework.clearance import Seen
from lightship.console.prose import told
from lightship.console.record import Entry
from lightship.console.timeline import Lane, Mark
from lightship.core.casework import Task
from lightship.core.entry_time import at_of

_AHEAD = timedelta(days=2)
DECISIONS = frozenset(
    {"inquiry-opened", "inquiry-taken", "inquiry-late", "inquiry-escalated", "inquiry-reassessed"}
    | {"inquiry-filed-away", "referral-reclassified", "referral-marked"}
    | {"link-voted", "link-undone", "inquiries-merged", "inquiries-parted", "merger-stands"}
)
"""Kinds of entries that stand in the lane of decisions."""


def marks_of(found: Seen, entries: Sequence[Entry]) -> list[Mark]:
    """Return the marks by time: what came, what was decided, handed over, done and sent, and the clocks that run."""
    marks = [
        Mark(one.received_at, "referral", f"{one.kind_now} from {one.sender} ({one.source})")
        for one in found.referrals
    ]
    marks += [Mark(at_of(one), "decision", told(one)) for one in entries if one.get("kind") in DECISIONS]
    marks += [
        Mark(at_of(one), "hand-off", told(one)) for one in entries if one.get("kind") == "inquiry-handed"
    ]
    marks += [_task(one) for one in found.tasks]
    marks += [
        Mark(one.made_at, "sent", f"Sent to {one.recipient} ({one.way}) by {one.by}") for one in found.sent
    ]
    return sorted(marks, key=lambda one: one.at)


def horizon(marks: Sequence[Mark], now: datetime) -> datetime:
    """Return where the axis ends: as far ahead as the case goes back, so that a far clock does not hide a near one."""
    last = max([now, *(one.until or one.at for one in marks)])
    return min(last, now + max(_AHEAD, now - min([now, *(one.at for one in marks)])))


def _task(one: Task) -> Mark:
    words = one.words or f"a task ({one.kind})"
    if one.state == "open":
        return Mark(
            one.made_at, "clock", f"{words} Due {one.due_at:%-d %b %H:%M} UTC: {one.rule}.", one.due_at
        )
    lane: Lane = "hand-off" if one.kind == "hand-off" else "task"
    return Mark(one.made_at, lane, f"{words} {one.state.capitalize()} by {one.done_by}.", one.done_at)
