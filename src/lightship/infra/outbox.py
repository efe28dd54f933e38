"""Effects leave the store: each reaches its receiver at least once, and is on our books exactly once.

The receiver tells repeats by the effect's id. Every step is one conditional change and its entry in one transaction,
so that a worker may die between any two of them: what it was sending is sent again when its time is over, and a worker
that comes back too late changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lightship.core.cases import Effect
from lightship.core.errors import DeliveryError
from lightship.infra.store import SqlStore, SqlWork

_DETAIL = 300  # characters of a receiver's words that are kept


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one tries.

    Parameters
    ----------
    sending_s
        A worker that has not finished by then is taken for dead. Longer than the slowest receiver may answer.
    first_s, longest_s
        The pause after the first failure, doubled with each one, and its greatest length.
    attempts
        Before an effect is booked as failed.
    """

    sending_s: float = 8.0
    first_s: float = 0.5
    longest_s: float = 60.0
    attempts: int = 20

    def pause_s(self, attempts: int) -> float:
        """Return the pause after so many attempts, in seconds."""
        return float(min(self.longest_s, self.first_s * 2 ** min(attempts - 1, 30)))


def utc_now() -> datetime:
    """Return the time, aware, UTC."""
    return datetime.now(UTC)


class Outbox:
    """Sends a store's effects.

    Parameters
    ----------
    store
        Where the effects wait.
    deliver
        Brings an effect to its receiver, under its id as idempotency key, or raises ``DeliveryError``. Any other
        exception counts as one that may pass.
    patience
        How long one tries.
    clock
        Aware UTC.
    """

    def __init__(
        self,
        store: SqlStore,
        deliver: Callable[[Effect], None],
        patience: Patience | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store, self._deliver, self._clock = store, deliver, clock
        self._patience = patience or Patience()
        self._wake = threading.Event()

    def take(self, limit: int = 1) -> list[Effect]:
        """Book effects that are due as being sent by this worker, and return them; the longest due first.

        An effect that undoes another waits until that one has come to an end.

        Raises
        ------
        StoreError
            If the store cannot be used.
        """
        now = self._clock()
        with self._store.look() as work:
            due = work.connection.execute(self._due(now, limit)).scalars().all()
        taken = []
        for id_ in due:
            with self._store.begin() as work:
                effect = work.get(Effect, id_)
                if effect is not None and (mine := self._begin(work, effect, now)):
                    taken.append(mine)
        return taken

    def send(self, effect: Effect) -> None:
        """Deliver an effect that was taken, and book how it ended.

        Raises
        ------
        StoreError
            If the store cannot be used.
        """
        try:
            self._deliver(effect)
        except DeliveryError as error:
            self._book_failure(effect, str(error), retryable=error.retryable)
        except Exception as error:  # noqa: BLE001 - a defect in one adapter must not stop the others' effects
            self._book_failure(effect, f"The adapter failed: {type(error).__name__}.", retryable=True)
        else:
            now = self._clock()
            self._book(effect, "effect-done", state="done", done_at=now, next_at=None, detail="")

    def step(self, limit: int = 16) -> int:
        """Send what is due, one after the other; returns how many effects it was.

        Each is taken when its turn has come, so that a receiver on whom this worker dies costs no other an attempt.
        """
        for count in range(limit):
            if not (taken := self.take()):
                return count
            self.send(taken[0])
        return limit

    def run(self, stop: threading.Event, workers: int = 4, every_s: float = 0.2) -> None:
        """Send what comes until told to stop; a slow receiver holds up one of the workers.

        Raises
        ------
        StoreError
            If the store cannot be used.
        """
        busy: set[Future[None]] = set()
        with ThreadPoolExecutor(workers, thread_name_prefix="outbox") as pool:
            while not stop.is_set():
                done = {one for one in busy if one.done()}
                for one in done:
                    one.result()
                busy -= done
                taken = self.take(workers - len(busy)) if len(busy) < workers else []
                busy |= {pool.submit(self.send, effect) for effect in taken}
                if len(busy) == workers:
                    wait(busy, every_s, return_when="FIRST_COMPLETED")
                elif not taken:
                    self._wake.wait(every_s)
                    self._wake.clear()
        for one in busy:
            one.result()

    def wake(self) -> None:
        """Say that there is something new, so that it leaves at once."""
        self._wake.set()

    def _due(self, now: datetime, limit: int) -> sa.Select[Any]:
        table = self._store.schema.of[Effect]
        undone = table.alias()
        unfinished = sa.exists().where(
            undone.c.id == table.c.undoes, undone.c.state.in_(("waiting", "sending"))
        )
        return (
            sa.select(table.c.id)
            .where(
                table.c.state.in_(("waiting", "sending")),
                table.c.due_at <= now,
                sa.or_(table.c.next_at.is_(None), table.c.next_at <= now),
                sa.or_(table.c.undoes == "", sa.not_(unfinished)),
            )
            .order_by(table.c.due_at, table.c.id)
            .limit(limit)
        )

    def _begin(self, work: SqlWork, effect: Effect, now: datetime) -> Effect | None:
        """Book an effect as being sent, unless somebody else was faster."""
        if effect.state not in {"waiting", "sending"} or (
            effect.next_at is not None and effect.next_at > now
        ):
            return None
        if effect.attempts >= self._patience.attempts:  # each of its workers died over it
            gone = {
                "state": "failed",
                "next_at": None,
                "detail": "Every worker that sent it ended meanwhile.",
            }
            if (after := work.change(Effect, effect.id, {"attempts": effect.attempts}, **gone)) is not None:
                work.record(_entry("effect-failed", after, now))
            return None
        mine = work.change(
            Effect,
            effect.id,
            {"state": effect.state, "attempts": effect.attempts},
            state="sending",
            attempts=effect.attempts + 1,
            next_at=now + timedelta(seconds=self._patience.sending_s),
        )
        if mine is not None:
            over = effect.state == "sending"
            work.record(_entry("effect-sending", mine, now, **({"taken_over": True} if over else {})))
        return mine

    def _book_failure(self, effect: Effect, detail: str, *, retryable: bool) -> None:
        detail = detail[:_DETAIL]
        if retryable and effect.attempts < self._patience.attempts:
            later = self._clock() + timedelta(seconds=self._patience.pause_s(effect.attempts))
            self._book(effect, "effect-delayed", state="waiting", next_at=later, detail=detail)
        else:
            self._book(effect, "effect-failed", state="failed", next_at=None, detail=detail)

    def _book(self, effect: Effect, kind: str, **fields: object) -> None:
        """Book how a sending ended, unless it was taken over meanwhile: then it is the other's to book."""
        with self._store.begin() as work:
            mine = {"state": "sending", "attempts": effect.attempts}
            if (after := work.change(Effect, effect.id, mine, **fields)) is not None:
                work.record(_entry(kind, after, self._clock()))


def undo(store: SqlStore, effect_id: str, *, by: str, now: datetime) -> Effect | None:
    """Take an effect back before it has left; None if it has, or may have: then order one that undoes it.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    with store.begin() as work:
        effect = work.change(Effect, effect_id, {"state": "waiting", "attempts": 0}, state="undone")
        if effect is not None:
            work.record({**_entry("effect-undone", effect, now), "by": by})
        return effect


def _entry(kind: str, effect: Effect, now: datetime, **more: object) -> dict[str, object]:
    return {
        "at": now.isoformat(),
        "kind": kind,
        "effect": effect.id,
        "act": effect.kind,
        "case": effect.case_id,
        "stream": effect.stream_id,
        "attempt": effect.attempts,
        **({"detail": effect.detail} if effect.detail else {}),
        **more,
    }
