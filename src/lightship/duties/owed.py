"""What is owed, not owed and why, and filed under which reference: the view that a compliance lead has of all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from lightship.core.duties import Clock, Detection, Duty, DutyState
from lightship.core.ports import Work
from lightship.duties import clocks
from lightship.duties.chooser import facts_for, prompts
from lightship.duties.desk import in_order
from lightship.duties.law import Law
from lightship.duties.states import WAITING

STATES: tuple[DutyState, ...] = get_args(DutyState)
PAGE = 50


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands now.

    Parameters
    ----------
    counts
        Duties by state.
    oldest
        Of those that wait, the one that has waited longest; None where nothing waits.
    waiting
        The first that wait, in the order in which they are to be done.
    clocks
        Those that run, the next one due first.
    """

    at: datetime
    counts: Mapping[DutyState, int]
    oldest: Duty | None
    waiting: tuple[Duty, ...]
    clocks: tuple[Clock, ...]

    @property
    def late(self) -> tuple[Duty, ...]:
        """Of those shown, the ones that are late."""
        return tuple(one for one in self.waiting if one.due_at is not None and one.due_at < self.at)


def standing(work: Work, law: Law, now: datetime, *, limit: int = PAGE) -> Standing:
    """Return how it stands; its cost grows with what waits, and hardly with what was done."""
    priorities = dict.fromkeys(["", *(one.priority for one in law.criteria)])
    found = [
        one
        for state in WAITING
        for priority in priorities
        for one in work.find(Duty, {"state": state, "priority": priority}, order=("aware_at",), limit=limit)
    ]
    waiting = in_order(found)[:limit]
    oldest = [
        one for state in WAITING for one in work.find(Duty, {"state": state}, order=("aware_at",), limit=1)
    ]
    return Standing(
        now,
        {state: work.count(Duty, {"state": state}) for state in STATES},
        min(oldest, key=lambda one: one.aware_at, default=None),
        tuple(waiting),
        tuple(clocks.running(work, limit=limit)),
    )


def done(work: Work, state: DutyState, *, limit: int = PAGE, after: str = "") -> list[Duty]:
    """Return duties of a state, the newest first."""
    return work.find(Duty, {"state": state}, order=("-aware_at",), limit=limit, after=after)


def words(duty: Duty, law: Law) -> str:
    """Return where a duty stands, in a sentence."""
    authority = law.authorities[duty.authority].title if duty.authority in law.authorities else duty.authority
    match duty.state:
        case "owed":
            return f"Owed to: {authority}. {duty.reason}"
        case "not-owed":
            return f"Not owed, because: {duty.reason}"
        case "filed":
            return f"Filed with: {authority}, reference {duty.reference}."
        case "closed" if duty.reference:
            return f"Filed with: {authority}, reference {duty.reference}; what was kept for it is destroyed."
        case "closed":
            return f"Closed; not owed, because: {duty.reason}"
        case _:
            return duty.reason or "Not decided yet."


def told_to_do(work: Work, duty: Duty, law: Law, now: datetime, *, registered: bool) -> tuple[str, ...]:
    """Return what a person is to do about a duty now, beside filing it."""
    detection = work.get(Detection, duty.id)
    facts = facts_for(detection, (), law) if detection is not None else {}
    return tuple(one.says for one in prompts(duty, facts, law, now, registered=registered))
