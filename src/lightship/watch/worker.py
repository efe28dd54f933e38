"""A worker: takes streams by lease, watches each on a thread of its own, and lets go of what is no longer its.

Leases last :data:`TTL_S` and are renewed three times in that; the streams of a worker that dies are free after it, and
the next worker that looks takes them: within ``TTL_S · 4/3``, 8 s.

A worker's process sets ``OPENBLAS_NUM_THREADS=1`` before it loads anything: threaded linear algebra beside threaded
decoding was measured up to twice as slow.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from lightship.core.cases import Report, Stream
from lightship.core.errors import AccessDenied, LightshipError
from lightship.core.ports import Bus, Leases, Store, Vault
from lightship.core.values import Rung
from lightship.detect.loop import Sensors
from lightship.media.frames import Gap, Sound
from lightship.media.sources import Source
from lightship.watch import desk, effects, evidence, reports
from lightship.watch.basis import Bases, basis_of
from lightship.watch.desk import Sighting
from lightship.watch.effects import WINDOWS, Windows
from lightship.watch.ring import KEEP_S, ProcessKey, Ring
from lightship.watch.scheduler import Budget
from lightship.watch.turns import UNBOUNDED, ModelThreads
from lightship.watch.watcher import StreamWatcher

TTL_S = 6.0

FILED = "watch.filed"
"""Topic on which a worker says that it has put a decision in force: ``{"stream": ..., "case": ...}``."""

_PRESENT = "worker/"
"""Begins the name of a lease by which workers know how many they are."""

_STALL_S = 30.0
_LONGEST_S = 60.0
_UNSAID = 10_000
"""Entries kept while the store is away; after that the oldest give way."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a worker is given.

    Parameters
    ----------
    sensors
        Returns a policy's sensors by its name, loaded once.
    open
        Opens a stream's source; refuses addresses that may not be pulled from.
    bases
        On which streams may be looked at.
    most
        Streams that it takes at most.
    models, budget, model_threads
        Which detectors look by turns (None: all that are calibrated), how many looks all streams share, and on how
        many threads.
    vault, bus
        None where a deployment has none: nothing is pinned, nobody is told.
    """

    store: Store
    leases: Leases
    sensors: Callable[[str], Sensors]
    open: Callable[[Stream], Source]
    bases: Bases
    vault: Vault | None = None
    bus: Bus | None = None
    most: int = 150
    windows: Windows = WINDOWS
    models: frozenset[str] | None = None
    budget: Budget = UNBOUNDED
    model_threads: int = 1
    keep_s: float = KEEP_S
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class Running:
    """A stream that a worker watches, on a thread."""

    def __init__(self, stream: Stream, run: int, body: Callable[[Running], None]) -> None:
        self.stream, self.run = stream, run
        self.watcher: StreamWatcher | None = None
        self.source: Source | None = None
        self.stopped = threading.Event()
        self.thread = threading.Thread(
            target=body, args=(self,), name=f"lightship-stream-{stream.id}", daemon=True
        )
        self.thread.start()

    def stop(self) -> None:
        """End it soon."""
        self.stopped.set()
        source = self.source
        if source is not None:
            source.stop()


class Worker:
    """Watches as many streams as it has leases for.

    Parameters
    ----------
    name
        Unlike any other worker's.
    ttl_s
        How long a lease lasts.
    """

    def __init__(self, name: str, setup: Setup, ttl_s: float = TTL_S) -> None:
        self.name, self.setup, self._ttl_s = name, setup, ttl_s
        self.running: dict[str, Running] = {}
        self._refused: set[str] = set()
        self._free: set[str] = set()
        self._key = ProcessKey()
        self._stop = threading.Event()
        self._renewed_s = time.monotonic()
        self._threads: list[threading.Thread] = []
        self.models: ModelThreads | None = None
        self._unsaid: deque[Mapping[str, Any]] = deque(maxlen=_UNSAID)
        self._saying = threading.Lock()

    def start(self) -> None:
        """Begin to take streams, on threads of its own."""
        bodies = [self._keep] + ([self._listen] if self.setup.bus is not None else [])
        for body in bodies:
            thread = threading.Thread(target=body, name=f"lightship-{self.name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        setup = self.setup
        self.models = ModelThreads(setup.budget, self.watchers, setup.model_threads, self._record_models)

    def stop(self) -> None:
        """Let go of everything."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=self._ttl_s)
        if self.models is not None:
            self.models.stop()
        for one in list(self.running.values()):
            one.stop()
        for id_, one in list(self.running.items()):
            one.thread.join(timeout=5.0)
            self.setup.leases.free(_lease(id_), self.name)
        self.setup.leases.free(_PRESENT + self.name, self.name)
        self.running.clear()

    def watchers(self) -> list[StreamWatcher]:
        """Return those that run now."""
        return [one.watcher for one in list(self.running.values()) if one.watcher is not None]

    def tick(self) -> None:
        """Renew leases, take free streams, and stop those that are over or somebody else's."""
        with self.setup.store.begin() as work:
            live = {one.id: one for one in work.find(Stream, {"ended_at": None}, order=("began_at",))}
        wanted = self._wanted(live)
        names = [_lease(id_) for id_ in wanted]
        held = self.setup.leases.take([_PRESENT + self.name, *names], self.name, self._ttl_s)
        self._renewed_s = time.monotonic()
        for id_, one in list(self.running.items()):
            if held.get(_lease(id_)) != one.run:
                self._let_go(id_, "the stream is over" if id_ not in live else "its lease was lost")
        for id_ in wanted:
            run = held.get(_lease(id_))
            if run is not None and id_ not in self.running:
                self._begin(live[id_], run)
        for watcher in self.watchers():
            watcher.begin_anew(partial(self._reversed, watcher.stream.id))

    def _reversed(self, stream_id: str, rung: Rung) -> bool:
        with self.setup.store.begin() as work:
            return all(effects.in_force(work, stream_id, kind) is None for kind in desk.RESPONSES[rung])

    def _wanted(self, live: Mapping[str, Stream]) -> list[str]:
        """Return its own streams that go on, and free ones up to what it can watch.

        Beyond an even share it takes only what nobody has taken since it last looked: others may be full.
        """
        own = [id_ for id_ in live if id_ in self.running]
        others = self.setup.leases.held()
        free = [
            id_ for id_ in live if id_ not in self.running and others.get(_lease(id_), self.name) == self.name
        ]
        free = [id_ for id_ in free if id_ not in self._refused]
        workers = {name for name in others if name.startswith(_PRESENT)} | {_PRESENT + self.name}
        share = max(0, math.ceil(len(live) / len(workers)) - len(own))
        left, self._free = [id_ for id_ in free[share:] if id_ in self._free], set(free)
        room = min(self.setup.most - len(own), max(8, self.setup.most // 4))
        return own + (free[:share] + left)[: max(room, 0)]

    def _begin(self, stream: Stream, run: int) -> None:
        try:
            basis = basis_of(stream, self.setup.bases)
        except AccessDenied as error:
            self._refused.add(stream.id)
            self._record({"kind": "refused", "stream": stream.id, "reason": error.what})
            self.setup.leases.free(_lease(stream.id), self.name)
            return
        self.running[stream.id] = Running(stream, run, lambda running: self._watch(running, basis))

    def _let_go(self, id_: str, reason: str) -> None:
        one = self.running.pop(id_)
        one.stop()
        self._record({"kind": "let-go", "stream": id_, "run": one.run, "reason": reason})

    def _keep(self) -> None:
        while not self._stop.is_set():
            try:
                self.tick()
            except LightshipError:
                # The store or the leases are away: what lapsed meanwhile is somebody else's.
                if time.monotonic() - self._renewed_s > self._ttl_s:
                    for id_ in list(self.running):
                        self.running.pop(id_).stop()
            self._stop.wait(self._ttl_s / 3.0)

    def _watch(self, running: Running, basis: str) -> None:
        """Watch a stream until it is over or not ours any more; come back to one that fails, ever more slowly."""
        stream, wait_s, reason = running.stream, 1.0, "let go"
        try:
            sensors = self.setup.sensors(stream.policy)
            watcher = StreamWatcher(
                stream,
                basis,
                sensors,
                Ring(self._key, self.setup.keep_s),
                self._record,
                self._file,
                run=running.run,
                models=self.setup.models,
            )
            watcher.reports = self._open_reports(stream.id)
        except LightshipError as error:
            self._record(
                {"kind": "trouble", "stream": stream.id, "trouble": "not-open", "reason": str(error)}
            )
            return
        running.watcher = watcher
        while not running.stopped.is_set():
            try:
                if self._follow(running, watcher):
                    reason = "the stream is over"
                    break
            except LightshipError as error:
                watcher.failed(f"{error.what} {error.todo}".strip())
            except Exception as error:  # noqa: BLE001 - one stream's data must not end the others; it is said
                watcher.failed(f"It failed with {type(error).__name__}.")
            running.stopped.wait(wait_s)
            wait_s = min(2.0 * wait_s, _LONGEST_S)
        watcher.finish(reason)
        if reason == "the stream is over":
            with self.setup.store.begin() as work:
                desk.ended(work, stream.id, self.setup.clock())

    def _follow(self, running: Running, watcher: StreamWatcher) -> bool:
        """Follow a connection; returns whether the stream came to its end."""
        with self.setup.open(running.stream) as source:
            running.source = source
            for item in source:
                if running.stopped.is_set():
                    return False
                if isinstance(item, Gap):
                    watcher.gap(item)
                elif not isinstance(item, Sound):
                    watcher.arrive(item)
        return not running.stopped.is_set()

    def _file(self, sighting: Sighting) -> None:
        with self.setup.store.begin() as work:
            filed = desk.file(work, sighting, self.setup.clock(), self.setup.windows)
        if filed.case is None or not filed.ordered:
            return
        if self.setup.bus is not None:
            self.setup.bus.publish(FILED, {"stream": sighting.stream.id, "case": filed.case.id})
        self._pin_or_say(sighting.stream.id, filed.case.id)

    def _pin_or_say(self, stream_id: str, case_id: str) -> None:
        try:
            self._pin(stream_id, case_id)
        except LightshipError as error:
            self._record(
                {"kind": "trouble", "stream": stream_id, "trouble": "not-pinned", "reason": str(error)}
            )

    def _pin(self, stream_id: str, case_id: str) -> None:
        running = self.running.get(stream_id)
        watcher = running.watcher if running is not None else None
        if watcher is None or self.setup.vault is None:
            return
        stills = watcher.ring.pin(-1.0, float("inf"))
        evidence.keep(self.setup.store, self.setup.vault, stills, case_id, self.setup.clock())

    def _listen(self) -> None:
        assert self.setup.bus is not None
        with self.setup.bus.subscribe(reports.PIN) as messages:
            for message in messages:
                if self._stop.is_set():
                    return
                if message is None or str(message.get("stream")) not in self.running:
                    continue
                self._reported(str(message["stream"]), str(message["case"]))

    def _reported(self, stream_id: str, case_id: str) -> None:
        watcher = self.running[stream_id].watcher
        if watcher is not None:
            watcher.reports = self._open_reports(stream_id)
        self._pin_or_say(stream_id, case_id)

    def _open_reports(self, stream_id: str) -> int:
        with self.setup.store.look() as work:
            return len(work.find(Report, {"stream_id": stream_id, "seen_at": None}))

    def _record_models(self, entry: Mapping[str, Any]) -> None:
        self._record({**entry, "worker": self.name})

    def _record(self, entry: Mapping[str, Any]) -> None:
        """Write an entry down, after those that the store could not take before; a store that is away ends no watch."""
        with self._saying:
            self._unsaid.append(entry)
            with suppress(LightshipError):
                with self.setup.store.begin() as work:
                    for one in self._unsaid:
                        work.record(one)
                self._unsaid.clear()


def _lease(stream_id: str) -> str:
    return f"stream/{stream_id}"
