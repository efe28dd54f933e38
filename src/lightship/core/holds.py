"""Legal holds: an exhibit is kept beyond its day while any hold on it stands.

``Exhibit.hold`` is what retention and the vault go by; it is derived from the holds in the transaction that places or
lifts one, and written nowhere else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from lightship.core.cases import Case, Exhibit
from lightship.core.duties import Hold
from lightship.core.errors import AccessDenied, StoreError
from lightship.core.ports import Work


def shown(holds: Sequence[Hold]) -> str:
    """Return what an exhibit says of the holds that stand on it: each basis once; empty for no hold."""
    return "; ".join(dict.fromkeys(one.basis for one in holds))


def standing(work: Work, exhibit_id: str) -> list[Hold]:
    """Return the holds that stand on an exhibit, oldest first."""
    return work.find(Hold, {"exhibit_id": exhibit_id, "lifted_at": None}, order=("placed_at",))


def place(work: Work, exhibit_id: str, *, basis: str, reason: str, by: str, now: datetime) -> Hold:
    """Place a hold on an exhibit; on a basis that stands there already, that hold is returned and nothing changes.

    Parameters
    ----------
    basis
        The order, duty or proceedings it rests on.
    reason
        Why this exhibit, in words without content.

    Raises
    ------
    AccessDenied
        If basis or reason is missing.
    StoreError
        If there is no such exhibit, or it was destroyed.
    """
    where = f"exhibit {exhibit_id}"
    basis, reason = basis.strip(), reason.strip()
    if not basis or not reason:
        raise AccessDenied("A hold needs its basis and its reason.", where, "Write both.")
    exhibit = _alone(work, exhibit_id)
    if exhibit is None:
        raise StoreError("There is no such exhibit, or it was destroyed.", where, "Check its id.")
    stand = standing(work, exhibit_id)
    found = next((one for one in stand if one.basis == basis), None)
    if found is not None:
        return found
    number = len(work.find(Hold, {"exhibit_id": exhibit_id}))
    id_ = hashlib.sha256(f"{exhibit_id}\x1fhold\x1f{number}".encode()).hexdigest()[:32]
    hold = Hold(id_, exhibit_id, exhibit.case_id, basis, reason, by, now)
    work.save(hold)
    work.change(Exhibit, exhibit_id, {}, hold=shown([*stand, hold]))
    entry = {"kind": "hold-placed", "hold": id_, "exhibit": exhibit_id, "case": exhibit.case_id}
    work.record({**entry, "at": now.isoformat(), "by": by, "basis": basis, "reason": reason})
    return hold


def place_on_case(
    work: Work, case_id: str, *, basis: str, reason: str, by: str, now: datetime
) -> tuple[Hold, ...]:
    """Place a hold on every exhibit that a case has now; what it gets later is not held.

    Raises
    ------
    AccessDenied, StoreError
        As :func:`place`; also where the case has no exhibit.
    """
    exhibits = work.find(Exhibit, {"case_id": case_id, "destroyed_at": None}, order=("sealed_at",))
    if not exhibits:
        what = "This case has nothing in the vault." if work.get(Case, case_id) else "There is no such case."
        raise StoreError(what, f"case {case_id}", "Check its id.")
    return tuple(place(work, one.id, basis=basis, reason=reason, by=by, now=now) for one in exhibits)


def lift(work: Work, hold_id: str, *, reason: str, by: str, now: datetime) -> Hold:
    """Lift a hold; its exhibit is kept on while another one stands.

    Raises
    ------
    AccessDenied
        If the reason is missing.
    StoreError
        If there is no such hold, or it was lifted.
    """
    where = f"hold {hold_id}"
    if not reason.strip():
        raise AccessDenied("To lift a hold needs a reason.", where, "Write it.")
    found = work.get(Hold, hold_id)
    if found is not None:
        _alone(work, found.exhibit_id)
    lifted = work.change(
        Hold, hold_id, {"lifted_at": None}, lifted_by=by, lifted_at=now, lifted_why=reason.strip()
    )
    if lifted is None:
        raise StoreError("There is no such hold, or it was lifted already.", where, "Reload it.")
    left = standing(work, lifted.exhibit_id)
    work.change(Exhibit, lifted.exhibit_id, {}, hold=shown(left))
    entry = {"kind": "hold-lifted", "hold": hold_id, "exhibit": lifted.exhibit_id, "case": lifted.case_id}
    facts = {"basis": lifted.basis, "reason": lifted.lifted_why, "left": len(left)}
    work.record({**entry, "at": now.isoformat(), "by": by, **facts})
    return lifted


def lift_on_case(
    work: Work, case_id: str, *, basis: str, reason: str, by: str, now: datetime
) -> tuple[Hold, ...]:
    """Lift every hold of one basis on a case's exhibits.

    Raises
    ------
    AccessDenied, StoreError
        As :func:`lift`; also where no hold of this basis stands there.
    """
    stand = work.find(Hold, {"case_id": case_id, "basis": basis, "lifted_at": None}, order=("placed_at",))
    if not stand:
        raise StoreError("No hold on this basis stands on this case.", f"case {case_id}", "Reload it.")
    return tuple(lift(work, one.id, reason=reason, by=by, now=now) for one in stand)


def _alone(work: Work, exhibit_id: str) -> Exhibit | None:
    """Return an exhibit that was not destroyed, and keep others from changing its holds till the transaction ends.

    Two holds that were placed and lifted side by side would else each miss the other; a row that was written to is its
    writer's till then.
    """
    return work.change(Exhibit, exhibit_id, {"destroyed_at": None}, destroyed_at=None)
