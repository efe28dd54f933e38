"""Effects: ordered once, undone while they wait, really reversed afterwards; grave ones need a second person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lightship.core.cases import REVERSIBLE, Case, Effect, EffectKind
from lightship.core.errors import AccessDenied, StoreError
from lightship.core.identity import identity
from lightship.core.ports import Work

HELD = datetime(9999, 1, 1, tzinfo=UTC)
"""When an effect is due that waits for a second person: never, until that person agrees."""

REVERSALS: Mapping[EffectKind, EffectKind] = {
    "cover": "uncover",
    "stop-stream": "restore",
    "cut-viewers": "restore",
    "revoke-key": "restore",
}

GRAVE: frozenset[EffectKind] = frozenset({"revoke-key"})
"""Acts that end somebody's use of the service: one person orders them, another agrees."""

_LIVING = ("waiting", "sending", "done")


@dataclass(frozen=True, slots=True)
class Windows:
    """How long a reversible act waits, so that it can be taken back before anything happens.

    Parameters
    ----------
    machine_s
        What a policy orders: nobody has looked at it who could take it back, so by default it does not wait.
    person_s
        What a person orders.
    """

    machine_s: float = 0.0
    person_s: float = 10.0


WINDOWS = Windows()


def in_force(work: Work, stream_id: str, kind: EffectKind) -> Effect | None:
    """Return the effect of a kind that a stream is under, or will be when it is sent; None where there is none."""
    effects = work.find(Effect, {"stream_id": stream_id})
    reversed_ids = {one.undoes for one in effects if one.undoes and one.state in _LIVING}
    return next(
        (
            one
            for one in effects
            if one.kind == kind and one.state in _LIVING and not one.undoes and one.id not in reversed_ids
        ),
        None,
    )


def order(
    work: Work, case: Case, kind: EffectKind, *, by: str, now: datetime, window_s: float, held: bool = False
) -> Effect:
    """Order an effect, unless it is in force already.

    Parameters
    ----------
    window_s
        The undo window; it does not apply where a child is in danger now, or to what cannot be undone.
    held
        Wait for a second person.
    """
    found = in_force(work, case.stream_id, kind)
    if found is not None:
        return found
    earlier = len(work.find(Effect, {"stream_id": case.stream_id, "kind": kind}))
    wait_s = window_s if kind in REVERSIBLE and not case.danger_now else 0.0
    due_at = HELD if held else now + timedelta(seconds=wait_s)
    effect = Effect(identity(case.id, kind, str(earlier)), case.id, case.stream_id, kind, by, now, due_at)
    return ordered(work, effect)


def agree(work: Work, effect_id: str, *, by: str, now: datetime) -> Effect:
    """Take in that a second person agrees with a held effect; it is due at once.

    Raises
    ------
    AccessDenied
        If it is the same person, or not a person at all.
    StoreError
        If the effect does not wait for one.
    """
    effect = _get(work, effect_id)
    if by == effect.ordered_by or not by or by.startswith("policy "):
        raise AccessDenied(
            "The person who ordered a grave act cannot be the second person.",
            f"effect {effect_id}",
            "Ask a colleague.",
        )
    changed = work.change(Effect, effect_id, {"state": "waiting", "due_at": HELD}, due_at=now)
    if changed is None:
        raise StoreError(
            "This effect does not wait for a second person.", f"effect {effect_id}", "Reload it."
        )
    work.record({"kind": "second-person", "effect": effect_id, "case": effect.case_id, "by": by})
    return changed


def hasten(work: Work, stream_id: str, now: datetime) -> None:
    """Let nothing that stops a stream wait any longer: a child is in danger now. What is held stays held."""
    for one in work.find(Effect, {"stream_id": stream_id, "state": "waiting"}):
        if now < one.due_at < HELD:
            work.change(Effect, one.id, {"state": "waiting", "due_at": one.due_at}, due_at=now)
            work.record({"kind": "effect-hastened", "effect": one.id, "case": one.case_id})


def undo(work: Work, effect_id: str, *, by: str, now: datetime) -> Effect | None:
    """Take an effect back: one that still waits is never sent, any other is reversed by an effect of its own.

    Returns the reversal, or None where none is needed. To undo twice changes nothing.

    Raises
    ------
    StoreError
        If what was done cannot be undone.
    """
    effect = _get(work, effect_id)
    if work.change(Effect, effect_id, {"state": "waiting"}, state="undone") is not None:
        work.record({"kind": "effect-undone", "effect": effect_id, "case": effect.case_id, "by": by})
        return None
    if effect.state == "undone":
        return None
    if effect.kind not in REVERSALS:
        raise StoreError(
            f"What {effect.kind} did cannot be undone.", f"effect {effect_id}", "Record why it was wrong."
        )
    id_ = identity(effect.id, "undoes")
    found = work.get(Effect, id_)
    if found is not None:
        return found
    kind = REVERSALS[effect.kind]
    reversal = Effect(id_, effect.case_id, effect.stream_id, kind, by, now, now, undoes=effect.id)
    return ordered(work, reversal)


def undo_all(work: Work, case: Case, *, by: str, now: datetime) -> list[Effect]:
    """Undo whatever of a case's effects can be undone; returns the reversals."""
    found = [
        undo(work, one.id, by=by, now=now)
        for one in work.find(Effect, {"case_id": case.id}, order=("ordered_at",))
        if one.kind in REVERSALS and not one.undoes
    ]
    return [one for one in found if one is not None]


def _get(work: Work, effect_id: str) -> Effect:
    effect = work.get(Effect, effect_id)
    if effect is None:
        raise StoreError("There is no such effect.", f"effect {effect_id}", "Check its id.")
    return effect


def ordered(work: Work, effect: Effect) -> Effect:
    """Keep a new effect, and put on the record that it was ordered; returns it."""
    work.save(effect)
    work.record(
        {
            "kind": "effect-ordered",
            "effect": effect.id,
            "case": effect.case_id,
            "stream": effect.stream_id,
            "act": effect.kind,
            "by": effect.ordered_by,
            "due_at": effect.due_at.isoformat(),
            "undoes": effect.undoes,
        }
    )
    return effect
