"""The life of a duty, as pure steps. A duty is closed only after it was filed, or was not owed for a stated reason.

::

    open ──► owed ──► filed ──► closed
      │       │ ▲
      └──► not-owed ──► closed        new facts may make either of the other again, until it is filed
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lightship.core.duties import Detection, Duty
from lightship.core.errors import AccessDenied
from lightship.duties.chooser import Choice

WAITING = ("open", "owed")
"""States in which somebody has yet to do something."""


def begun(detection: Detection) -> Duty:
    """Return the duty that a detection begins: whether it is owed is open."""
    return Duty(detection.id, detection.case_id, "open", detection.aware_at)


def decided(
    duty: Duty, choice: Choice, *, by: str, now: datetime, priority: str = "", due_at: datetime | None = None
) -> Duty:
    """Take in whom it is owed to, or that it is not, or that this is open still.

    Raises
    ------
    AccessDenied
        If it was filed before: what is new goes in a supplement; or if the choice gives no reason or no rule.
    """
    if duty.state == "filed" or duty.reference:
        raise AccessDenied(
            "This duty was filed and cannot be decided anew.", f"duty {duty.id}", "Send a supplement."
        )
    if not choice.reason.strip() or not choice.digest or not by:
        raise AccessDenied(
            "A duty is decided by somebody, by a rule and for a reason.", f"duty {duty.id}", "Give all three."
        )
    return replace(
        duty,
        state="open" if choice.owed is None else "owed" if choice.owed else "not-owed",
        authority=choice.authority,
        priority=priority,
        rule=choice.digest,
        facts=choice.facts,
        reason=choice.reason,
        due_at=due_at,
        decided_by=by,
        decided_at=now,
        closed_at=None,
    )


def filed(duty: Duty, *, reference: str, now: datetime) -> Duty:
    """Take in the reference that the authority gave back.

    Raises
    ------
    AccessDenied
        If the duty is not owed to anybody, or the reference is empty.
    """
    if duty.state != "owed" or not duty.authority:
        raise AccessDenied(
            f"Only what is owed can be filed; this duty is {duty.state}.",
            f"duty {duty.id}",
            "Decide it first.",
        )
    if not reference.strip():
        raise AccessDenied(
            "Filed is what an authority gave a reference for.", f"duty {duty.id}", "Enter the reference."
        )
    return replace(duty, state="filed", reference=reference.strip(), filed_at=now)


def closed(duty: Duty, *, now: datetime) -> Duty:
    """Close a duty that nothing more is to be done about.

    Raises
    ------
    AccessDenied
        If it is neither filed nor found not to be owed.
    """
    if duty.state not in {"filed", "not-owed"}:
        raise AccessDenied(
            f"A duty that is {duty.state} cannot be closed.", f"duty {duty.id}", "File it, or decide it."
        )
    return replace(duty, state="closed", closed_at=now)


def unsound(duty: Duty) -> str:
    """Return what a duty lacks that it must have in its state; empty if nothing: what is closed was answered for."""
    was_filed = bool(duty.reference and duty.filed_at and duty.authority)
    was_decided = bool(duty.reason and duty.rule and duty.decided_by and duty.decided_at)
    checks = (
        (duty.state != "open" and not was_decided, "it was not decided by a rule, for a reason"),
        (duty.state in {"owed", "filed"} and not duty.authority, "it is owed to nobody"),
        (duty.state == "filed" and not was_filed, "it has no reference"),
        (
            duty.state == "not-owed" and bool(duty.authority or duty.reference),
            "it names an authority, or was filed",
        ),
        (duty.state == "closed" and bool(duty.authority) and not was_filed, "it was owed and not filed"),
        (duty.state == "closed" and duty.closed_at is None, "it has no day on which it was closed"),
    )
    return next((said for wrong, said in checks if wrong), "")
