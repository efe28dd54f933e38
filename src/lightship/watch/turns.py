"""Model threads: each takes the next turn of the one budget, whichever stream it goes to.

They run at a lower priority than matching, where the system has priorities for threads: models get the compute that
matching leaves. How long a look takes is measured, so the bound that is told is one that these threads can keep.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lightship.core.errors import LightshipError
from lightship.watch.scheduler import Budget, Turns, coverage, next_turn
from lightship.watch.watcher import StreamWatcher, Waiting

UNBOUNDED = Budget(10_000.0)
"""As many looks as the threads manage."""

_IDLE_S = 0.02
_MINUTE_S = 60.0
_NICE = 5
_LEARNT = 0.05  # how much a look moves the mean of what looks take


@dataclass(frozen=True, slots=True)
class Standing:
    """How the budget stands, for the screen and the record.

    Parameters
    ----------
    streams
        Those with a picture that waits for models.
    turns
        Looks so far.
    per_s
        Looks a second that the budget allows and the threads manage.
    bound_s
        Within how long each stream is seen by the models at that rate.
    covered
        Share of the streams that were seen within that bound.
    busy_s
        Seconds in models so far, of all threads together.
    """

    streams: int
    turns: int
    per_s: float
    bound_s: float
    covered: float
    busy_s: float


class ModelThreads:
    """Runs models on some threads.

    Parameters
    ----------
    watchers
        Returns those that run now.
    threads
        How many look at once: one a core that models may use.
    record
        Takes an entry for the ledger each minute in which there was something to look at: what the bound was, and
        for how much of the streams it was kept.
    """

    def __init__(
        self,
        budget: Budget,
        watchers: Callable[[], Iterable[StreamWatcher]],
        threads: int = 1,
        record: Callable[[Mapping[str, Any]], None] = lambda _entry: None,
    ) -> None:
        self._budget, self._watchers, self._record = budget, watchers, record
        self._turns = Turns()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._busy_s, self._look_s = 0.0, 0.0
        self._told, self._told_s, self._told_busy_s = 0, time.monotonic(), 0.0
        self._threads = [
            threading.Thread(target=self._run, name=f"lightship-model-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; waits for looks that are under way, and writes down what was not written yet."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10.0)
        self._tell(time.monotonic())

    def standing(self) -> Standing:
        """Return how it stands."""
        now_s = time.monotonic()
        interests = [one for one in (watcher.interest() for watcher in self._watchers()) if one is not None]
        with self._lock:
            turns, busy_s, look_s = self._turns.taken, self._busy_s, self._look_s
        manage = len(self._threads) / look_s if look_s else self._budget.per_s
        per_s = min(self._budget.per_s, manage)
        bound_s = Budget(per_s, self._budget.floor_every).bound_s(len(interests))
        return Standing(len(interests), turns, per_s, bound_s, coverage(interests, now_s, bound_s), busy_s)

    def _run(self) -> None:
        if sys.platform == "linux":
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._stop.is_set():
            turn = self._next()
            if turn is None:
                self._stop.wait(_IDLE_S)
                continue
            chosen, picture = turn
            began_s = time.monotonic()
            try:
                chosen.model_look(picture)
            except LightshipError as error:
                chosen.failed(f"{error.what} {error.todo}".strip())
            except Exception as error:  # noqa: BLE001 - one stream must not end the looks at the others; it is said
                chosen.failed(f"A look failed with {type(error).__name__}.")
            now_s = time.monotonic()
            with self._lock:
                took_s = now_s - began_s
                self._busy_s += took_s
                self._look_s += (took_s - self._look_s) * (_LEARNT if self._look_s else 1.0)
                due = now_s - self._told_s >= _MINUTE_S
            if due:
                self._tell(now_s)

    def _next(self) -> tuple[StreamWatcher, Waiting] | None:
        with self._lock:
            watchers = {watcher.stream.id: watcher for watcher in self._watchers()}
            interests = [one for one in (it.interest() for it in watchers.values()) if one is not None]
            turns, found = next_turn(self._budget, self._turns, interests, time.monotonic())
            if found is None or (picture := watchers[found.id].claim()) is None:
                return None
            self._turns = turns
        return watchers[found.id], picture

    def _tell(self, now_s: float) -> None:
        standing = self.standing()
        with self._lock:
            looks, span_s = standing.turns - self._told, now_s - self._told_s
            busy_s = standing.busy_s - self._told_busy_s
            self._told, self._told_s, self._told_busy_s = standing.turns, now_s, standing.busy_s
        if looks:
            self._record(
                {
                    "kind": "models",
                    "looks": looks,
                    "span_s": round(span_s, 1),
                    "waiting": standing.streams,
                    "bound_s": round(standing.bound_s, 2),
                    "within_bound": round(standing.covered, 4),
                    "busy": round(min(busy_s / (span_s * len(self._threads)), 1.0), 3),
                }
            )
