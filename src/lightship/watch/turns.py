"""Model threads: each takes the next turn of the one budget, whichever stream it goes to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lightship.watch.scheduler import Budget, Turns, coverage, next_turn
from lightship.watch.watcher import StreamWatcher

_IDLE_S = 0.02


@dataclass(frozen=True, slots=True)
class Standing:
    """How the budget stands, for the screen and the record.

    Parameters
    ----------
    bound_s
        Within how long each stream is seen by the models, while the threads keep up with the budget.
    covered
        Share of the streams with a picture waiting that were seen within that bound.
    busy
        Share of the threads' time spent in models since the last call.
    """

    streams: int
    turns: int
    bound_s: float
    covered: float
    busy: float


class ModelThreads:
    """Runs models on some threads.

    Parameters
    ----------
    watchers
        Returns those that run now.
    threads
        How many look at once: one a core that models may use.
    """

    def __init__(
        self, budget: Budget, watchers: Callable[[], Iterable[StreamWatcher]], threads: int = 1
    ) -> None:
        self._budget, self._watchers = budget, watchers
        self._turns = Turns()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._busy_s, self._since_s = 0.0, time.monotonic()
        self._threads = [
            threading.Thread(target=self._run, name=f"lightship-model-{number}", daemon=True)
            for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop; waits for looks that are under way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=10.0)

    def standing(self) -> Standing:
        """Return how it stands."""
        now_s = time.monotonic()
        interests = [one for one in (watcher.interest() for watcher in self._watchers()) if one is not None]
        bound_s = self._budget.bound_s(len(interests))
        with self._lock:
            span_s = max(now_s - self._since_s, 1e-6) * len(self._threads)
            busy, self._busy_s, self._since_s = self._busy_s / span_s, 0.0, now_s
        return Standing(
            len(interests), self._turns.taken, bound_s, coverage(interests, now_s, bound_s), min(busy, 1.0)
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            chosen = self._next()
            if chosen is None:
                self._stop.wait(_IDLE_S)
                continue
            began_s = time.monotonic()
            chosen.model_look()
            with self._lock:
                self._busy_s += time.monotonic() - began_s

    def _next(self) -> StreamWatcher | None:
        with self._lock:
            watchers = {watcher.stream.id: watcher for watcher in self._watchers()}
            interests = [one for one in (it.interest() for it in watchers.values()) if one is not None]
            self._turns, found = next_turn(self._budget, self._turns, interests, time.monotonic())
        return watchers[found.id] if found is not None else None
