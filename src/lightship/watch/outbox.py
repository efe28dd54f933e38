"""Sends what is due, once.

An effect is marked before it is sent, sent under its own id, and marked again when it is confirmed.

Whatever the moment at which a sender dies, the effect is sent again under the same id, which the receiver knows; so
none is lost and none happens twice. A reversal waits until what it undoes is settled. A sender that was taken for dead
and comes back changes nothing that another has booked meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from lightship.core.cases import Case, Effect
from lightship.core.errors import LightshipError
from lightship.core.ports import Store, Work
from lightship.watch import priority

Deliver = Callable[[Effect], None]
"""Sends an effect and returns when the receiver confirmed it; raises :class:`LightshipError` where it did not."""

Takes = Callable[[Effect], bool]
"""Whether an effect is for whoever sends here; what is not waits."""


def every(_effect: Effect) -> bool:
    """Take every effect."""
    return True


@dataclass(frozen=True, slots=True)
class Retry:
    """How an effect that was not confirmed is tried again.

    Parameters
    ----------
    first_s, most_s
        The first wait, doubled each time up to the longest.
    attempts
        After so many it has failed, and people are told.
    lease_s
        A sender that says nothing for so long is taken for dead; longer than the slowest receiver may answer.
    """

    first_s: float = 1.0
    most_s: float = 300.0
    attempts: int = 20
    lease_s: float = 8.0

    def wait_s(self, attempts: int) -> float:
        """Return the wait after so many attempts, seconds."""
        return float(min(self.first_s * 2.0 ** (attempts - 1), self.most_s))


RETRY = Retry()

_PAGE = 100


def due(store: Store, now: datetime, limit: int = _PAGE, takes: Takes = every) -> list[Effect]:
    """Return what is to be sent now, oldest first; of what is not due yet, no more than a page is read."""
    with store.look() as work:
        found = [
            one
            for state, by in (("waiting", "due_at"), ("sending", "next_at"))
            for one in islice(_until(work, state, by, now, takes), limit)
        ]
    return sorted(found, key=lambda one: (one.due_at, one.id))[:limit]


def _until(work: Work, state: str, by: str, now: datetime, takes: Takes) -> Iterator[Effect]:
    """Yield what may be sent of a state, in the order of a time, up to now: what is held comes last of all."""
    after = ""
    while page := work.find(Effect, {"state": state}, order=(by,), limit=_PAGE, after=after):
        for one in page:
            if getattr(one, by) > now:
                return
            if takes(one) and _free(work, one):
                yield one
        after = page[-1].id


def send_due(store: Store, deliver: Deliver, clock: Callable[[], datetime], retry: Retry = RETRY) -> int:
    """Send a page of what is due, one after the other; returns how many were confirmed.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    return sum(send(store, deliver, one, clock, retry) for one in due(store, clock()))


def keep_sending(
    store: Store,
    deliver: Deliver,
    clock: Callable[[], datetime],
    go_on: Callable[[], bool],
    wake: threading.Event,
    retry: Retry = RETRY,
    every_s: float = 0.25,
    takes: Takes = every,
) -> None:
    """Send what is due, several at once: a receiver that is slow holds up only itself.

    Parameters
    ----------
    go_on
        Asked before each pass.
    wake
        Set by whoever ordered something that is due now.
    every_s
        How often it is looked for what others ordered.
    takes
        What is sent here.

    Raises
    ------
    StoreError
        If the store cannot be used; what was being sent is sent again when its lease is over.
    """
    under_way: dict[str, Future[bool]] = {}
    with ThreadPoolExecutor(max_workers=8, thread_name_prefix="lightship-send") as pool:
        while go_on():
            for id_ in [id_ for id_, one in under_way.items() if one.done()]:
                under_way.pop(id_).result()
            for effect in due(store, clock(), takes=takes):
                if effect.id not in under_way:
                    under_way[effect.id] = pool.submit(send, store, deliver, effect, clock, retry)
            wake.wait(every_s)
            wake.clear()
    for one in under_way.values():
        one.result()


def _free(work: Work, effect: Effect) -> bool:
    undone = work.get(Effect, effect.undoes) if effect.undoes else None
    return undone is None or undone.state in {"done", "failed", "undone"}


def send(
    store: Store, deliver: Deliver, effect: Effect, clock: Callable[[], datetime], retry: Retry = RETRY
) -> bool:
    """Send one effect that is due; returns whether it was confirmed to this sender.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    if effect.attempts >= retry.attempts:  # its last sender died over it
        with store.begin() as work:
            _again(work, effect, "Its last sender ended without a word.", clock(), retry)
        return False
    now = clock()
    with store.begin() as work:
        taken = work.change(
            Effect,
            effect.id,
            {"state": effect.state, "attempts": effect.attempts},
            state="sending",
            attempts=effect.attempts + 1,
            next_at=now + timedelta(seconds=retry.lease_s),
        )
    if taken is None:  # somebody undid it, or another sender has it
        return False
    try:
        deliver(taken)
    except Exception as error:  # noqa: BLE001 - a defect in an adapter must not hold up the others' effects
        known = isinstance(error, LightshipError)
        said = str(error) if known else f"The adapter failed: {type(error).__name__}."
        with store.begin() as work:
            _again(work, taken, said, clock(), retry)
        return False
    with store.begin() as work:
        _done(work, taken, clock())
    return True


def _again(work: Work, effect: Effect, said: str, now: datetime, retry: Retry) -> None:
    over = effect.attempts >= retry.attempts
    next_at = None if over else now + timedelta(seconds=retry.wait_s(effect.attempts))
    changed = work.change(
        Effect,
        effect.id,
        {"state": "sending", "attempts": effect.attempts},
        state="failed" if over else "sending",
        next_at=next_at,
        detail=said[:500],
    )
    if changed is None:  # it was taken over meanwhile: it is the other's to book
        return
    kind = "effect-failed" if over else "effect-not-confirmed"
    work.record({"kind": kind, "effect": effect.id, "case": effect.case_id, "attempts": effect.attempts})


def _done(work: Work, effect: Effect, now: datetime) -> None:
    changed = work.change(
        Effect,
        effect.id,
        {"state": "sending", "attempts": effect.attempts},
        state="done",
        done_at=now,
        next_at=None,
        detail="",
    )
    if changed is None:  # a sender that was taken for dead: another one has confirmed it
        return
    entry: dict[str, object] = {
        "kind": "effect-done",
        "effect": effect.id,
        "case": effect.case_id,
        "act": effect.kind,
    }
    case = work.get(Case, effect.case_id)
    if effect.kind == "stop-stream" and case is not None:
        stopped = work.change(Case, case.id, {"stopped_at": None}, stopped_at=now, live=False)
        if stopped is not None:
            entry["aware_to_stopped_s"] = round((now - case.aware_at).total_seconds(), 3)
        else:  # stopped again, after it was given back
            stopped = work.change(Case, case.id, {}, live=False)
        entry |= priority.placed(stopped or case)
    if effect.kind == "restore" and case is not None:
        entry |= priority.placed(work.change(Case, case.id, {}, live=True) or case)
    work.record(entry)
