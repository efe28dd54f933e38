"""A worker: takes streams by lease, watches each on a thread of its own, and lets go of what is no longer its.

Leases last :data:`TTL_S` and are renewed three times in that; the streams of a worker that dies are free after it, and
the next worker that looks takes them: within ``TTL_S · 4/3``, 8 s. To a worker that joins, the others hand over what is
beyond an even share (:mod:`lightship.watch.shares`).

While the store is away, what is to be written waits (:mod:`lightship.watch.backlog`); leases that lapse meanwhile are
let go of.

A worker's process sets ``OPENBLAS_NUM_THREADS=1`` before it loads anything: threaded linear algebra beside threaded
decoding was measured up to twice as slow.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from lightship.core.cases import Report, Round, Stream
from lightship.core.errors import AccessDenied, LightshipError
from lightship.core.ports import Bus, Leases, Store, Vault, Work
from lightship.core.values import Rung
from lightship.detect.loop import Sensors
from lightship.detect.matcher import Flood
from lightship.media.frames import Gap, Sound
from lightship.media.sources import Source
from lightship.watch import desk, effects, evidence, reports
from lightship.watch.backlog import Backlog, Then
from lightship.watch.basis import Bases, basis_of
from lightship.watch.chores import Chores, GoOn, Trouble
from lightship.watch.desk import Sighting
from lightship.watch.effects import WINDOWS, Windows
from lightship.watch.ring import KEEP_S, ProcessKey, Ring
from lightship.watch.scheduler import Budget
from lightship.watch.shares import PRESENT, Crew, lease, wanted
from lightship.watch.turns import UNBOUNDED, ModelThreads
from lightship.watch.watcher import StreamWatcher

TTL_S = 6.0

FILED = "watch.filed"
"""Topic on which a worker says that it has put a decision in force: ``{"stream": ..., "case": ...}``."""

_LONGEST_S = 60.0


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
    troubles
        Returns what else does not work in this process, in sentences: a list that cannot be read, say.
    floods
        Returns the entries that the brake on floods has set aside.
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
    troubles: Callable[[], Sequence[str]] = tuple
    floods: Callable[[], Sequence[Flood]] = tuple
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class Running:
    """A stream that a worker watches, on a thread."""

    def __init__(self, stream: Stream, run: int, body: Callable[[Running], None]) -> None:
        self.stream, self.run = stream, run
        self.watcher: StreamWatcher | None = None
        self.source: Source | None = None
        self.failed = self.leaving = False
        self.stopped = threading.Event()
        self.thread = threading.Thread(
            target=body, args=(self,), name=f"lightship-stream-{stream.id}", daemon=True
        )
        self.thread.start()

    @property
    def calm(self) -> bool:
        """Whether nothing is in force and nobody has reported it: it can change hands without a loss."""
        return self.watcher is None or (self.watcher.standing.rung is None and not self.watcher.reports)

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
        self.chores = Chores(self._over, most_s=ttl_s / 3.0)
        self._backlog = Backlog(setup.store, clock=setup.clock)
        self._record = self._backlog.record
        self._refused: set[str] = set()
        self._free: set[str] = set()
        self._aside: set[Flood] = set()
        self._key = ProcessKey()
        self._renewed_s = time.monotonic()
        self.models: ModelThreads | None = None

    def start(self) -> None:
        """Begin to take streams, on threads of its own."""
        self.chores.every("the watch's leases", self._ttl_s / 3.0, self._keep)
        if self.setup.bus is not None:
            self.chores.begin("the watch's messages", self._listen)
        setup = self.setup
        self.models = ModelThreads(setup.budget, self.watchers, setup.model_threads, self._record_models)

    def stop(self) -> None:
        """Let go of everything; returns once all of it has ended and is written down, as far as it can be."""
        self.chores.end()
        if self.models is not None:
            self.models.stop()
        for one in list(self.running.values()):
            one.stop()
        ids = list(self.running)
        for one in list(self.running.values()):
            one.thread.join(timeout=5.0)
        self.running.clear()
        with suppress(LightshipError):
            self._backlog.flush()
            self._tell_round()  # before the leases are free, as when streams are handed over
        for id_ in ids:
            self._give_back(lease(id_))
        self._give_back(PRESENT + self.name)

    def _record_models(self, entry: Mapping[str, object]) -> None:
        self._record({**entry, "worker": self.name})

    def unwritten(self) -> int:
        """Return how many entries and decisions wait for the store."""
        return len(self._backlog)

    def troubles(self) -> tuple[str, ...]:
        """Return what does not work here, in sentences."""
        return (
            *(f"Worker {self.name}: {one.chore}: {one.reason}" for one in self.chores.troubles()),
            *self._models_late(),
            *self.setup.troubles(),
        )

    def _models_late(self) -> tuple[str, ...]:
        standing = self.models.standing() if self.models is not None else None
        if standing is None or standing.covered >= 1.0:
            return ()
        late = f"{1.0 - standing.covered:.0%} of the streams with a model were not seen by it"
        return (f"Worker {self.name}: {late} within the bound of {standing.bound_s:.0f} s.",)

    def watchers(self) -> list[StreamWatcher]:
        """Return those that run now."""
        return [one.watcher for one in list(self.running.values()) if one.watcher is not None]

    def tick(self) -> None:
        """Renew leases, take free streams, hand over what is too many, and stop those that are somebody else's.

        Raises
        ------
        StoreError
            If the store or the leases cannot be used.
        """
        self._backlog.flush()
        with self.setup.store.look() as work:
            live = {one.id: one for one in work.find(Stream, {"ended_at": None}, order=("began_at",))}
            most = {one.id: one.most for one in work.find(Round)}
        leases = self.setup.leases.held()
        crew = Crew.of(leases, most, self.name)
        open_to_all = [id_ for id_ in live if id_ not in self._refused]
        new = self._new(open_to_all, leases, crew.share(len(open_to_all)))
        names = [lease(id_) for id_ in (*(id_ for id_ in live if id_ in self.running), *new)]
        held = self.setup.leases.take([PRESENT + self.name, *names], self.name, self._ttl_s)
        self._renewed_s = time.monotonic()
        for id_, one in list(self.running.items()):
            if held.get(lease(id_)) != one.run:
                self._let_go(id_, "the stream is over" if id_ not in live else "its lease was lost")
            elif one.failed:
                self._let_go(id_, "it failed")
                self._give_back(lease(id_))
        mine = [id_ for id_ in new if lease(id_) in held]
        orphans = self._orphans(mine)
        for id_ in mine:
            if (orphan := orphans.get(id_)) is not None:
                self._took_over(id_, held[lease(id_)], orphan)
            self._begin(live[id_], held[lease(id_)])
        free = len(self._free - self.running.keys())
        self._hand_over(crew.surplus(self.name, len(self.running), len(open_to_all), free))
        for watcher in self.watchers():
            watcher.begin_anew(partial(self._reversed, watcher.stream.id))
        self._set_aside(set(self.setup.floods()))
        self._tell_round()

    def _orphans(self, ids: Sequence[str]) -> dict[str, Round]:
        """Return which of the streams stand in the latest round of a worker that never let go of them."""
        if not ids:
            return {}
        with self.setup.store.look() as work:
            rounds = work.find(Round, order=("at",))
        return {id_: one for one in rounds for id_ in ids if id_ in one.streams}

    def _took_over(self, id_: str, run: int, orphan: Round) -> None:
        """Say what nobody else can: since when the stream was not looked at, and that what was held of it is gone."""
        unseen_s = max(0.0, orphan.unseen_s[orphan.streams.index(id_)])
        since = orphan.at - timedelta(seconds=unseen_s)
        entry = {"kind": "taken-over", "stream": id_, "run": run, "worker": orphan.id}
        self._record({**entry, "since": since.isoformat(), "held_s": self.setup.keep_s})

    def _new(self, live: Sequence[str], leases: Mapping[str, str], share: int) -> list[str]:
        taken = {id_ for id_ in live if leases.get(lease(id_), self.name) != self.name}
        room = min(self.setup.most - len(self.running), self._at_once)
        found = wanted(live, self.running, taken, self._free, share, room)
        self._free = {id_ for id_ in live if id_ not in self.running and id_ not in taken}
        return found

    @property
    def _at_once(self) -> int:
        """How many streams begin or change hands in one tick at most: each costs a connection."""
        return max(8, self.setup.most // 4)

    def _hand_over(self, surplus: int) -> None:
        """Stop what others have room for; what has ended is theirs, and not before: its lease is kept till then."""
        leaving = [one for one in self.running.values() if one.leaving]
        calm = [one for one in reversed(self.running.values()) if one.calm and not one.leaving]
        for one in calm[: max(0, min(surplus, self._at_once) - len(leaving))]:
            one.leaving = True
            one.stop()
            leaving.append(one)
        end_s = time.monotonic() + self._ttl_s / 6.0
        gone: list[Running] = []
        for one in leaving:
            one.thread.join(timeout=max(0.0, end_s - time.monotonic()))
            if not one.thread.is_alive():
                del self.running[one.stream.id]
                gone.append(one)
                forgot = one.watcher.forgot if one.watcher is not None else 0
                entry = {"kind": "handed-over", "stream": one.stream.id, "run": one.run}
                self._record({**entry, "reason": "another worker has room", "forgot": forgot})
        if gone:
            self._tell_round()  # before the leases are free: who takes them sees that nothing was abandoned
        for one in gone:
            self._give_back(lease(one.stream.id))

    def _set_aside(self, floods: set[Flood]) -> None:
        """Put on record what the brake has set aside since, and say it in the cases that rest on it."""
        for flood in floods - self._aside:
            if flood.within:  # else the record tells of it already
                self._backlog.do(partial(desk.set_aside, flood))
        self._aside = floods

    def _tell_round(self) -> None:
        """Say how it stands, for the health page and for those who share the streams."""
        running = list(self.running.values())
        seen = [one.watcher.progress() if one.watcher is not None else None for one in running]
        found = Round(
            self.name,
            self.setup.clock(),
            self.setup.most,
            tuple(one.stream.id for one in running),
            tuple(
                round(one.unseen_s, 3) if one is not None and math.isfinite(one.unseen_s) else -1.0
                for one in seen
            ),
            round(max((one.late_s for one in seen if one is not None), default=0.0), 3),
            self.troubles(),
        )
        fields = asdict(found)
        del fields["id"]
        with self.setup.store.begin() as work:
            if work.change(Round, self.name, {}, **fields) is None:
                work.save(found)

    def _reversed(self, stream_id: str, rung: Rung) -> bool:
        with self.setup.store.look() as work:
            return all(effects.in_force(work, stream_id, kind) is None for kind in desk.RESPONSES[rung])

    def _begin(self, stream: Stream, run: int) -> None:
        try:
            basis = basis_of(stream, self.setup.bases)
        except AccessDenied as error:
            self._refused.add(stream.id)
            self._record({"kind": "refused", "stream": stream.id, "reason": error.what})
            self._give_back(lease(stream.id))
            return
        self.running[stream.id] = Running(stream, run, lambda running: self._watch(running, basis))

    def _let_go(self, id_: str, reason: str) -> None:
        one = self.running.pop(id_)
        one.stop()
        self._record({"kind": "let-go", "stream": id_, "run": one.run, "reason": reason})

    def _give_back(self, name: str) -> None:
        with suppress(LightshipError):  # what cannot be given back lapses
            self.setup.leases.free(name, self.name)

    def _keep(self) -> None:
        try:
            self.tick()
        except LightshipError:
            # The store or the leases are away: what lapsed meanwhile is somebody else's.
            if time.monotonic() - self._renewed_s > self._ttl_s:
                for id_ in list(self.running):
                    self._let_go(id_, "its lease could not be renewed")
            raise

    def _over(self, trouble: Trouble, at: datetime) -> None:
        entry = {"kind": "gap", "worker": self.name, "part": trouble.chore, "reason": trouble.reason}
        self._record({**entry, "since": trouble.since.isoformat(), "until": at.isoformat()})

    def _watch(self, running: Running, basis: str) -> None:
        """Watch a stream until it is over or not ours any more; a defect in it ends no other."""
        try:
            for watcher in self._watcher(running, basis):
                running.watcher = watcher
                watcher.reports = self._reports(running.stream.id)
                over = self._follow_on(running, watcher)
                watcher.finish("the stream is over" if over else "let go")
                if over:
                    self._backlog.do(partial(self._ended, running.stream.id, self.setup.clock()))
        except Exception as error:  # noqa: BLE001 - one stream's data must not end the others; it is said
            running.failed = True
            self._trouble(running.stream.id, "failed", f"Its thread ended with {type(error).__name__}.")

    def _watcher(self, running: Running, basis: str) -> Iterator[StreamWatcher]:
        """Yield the stream's watcher, once it can be made."""
        wait_s = 1.0
        while not running.stopped.is_set():
            try:
                sensors = self.setup.sensors(running.stream.policy)
            except LightshipError as error:
                self._trouble(running.stream.id, "not-open", str(error))
                running.stopped.wait(wait_s)
                wait_s = min(2.0 * wait_s, _LONGEST_S)
                continue
            ring = Ring(self._key, self.setup.keep_s)
            models = self.setup.models
            yield StreamWatcher(
                running.stream, basis, sensors, ring, self._record, self._file, run=running.run, models=models
            )
            return

    def _follow_on(self, running: Running, watcher: StreamWatcher) -> bool:
        """Follow a stream, coming back to one that fails, ever more slowly; returns whether it is over."""
        wait_s = 1.0
        while not running.stopped.is_set():
            try:
                if self._follow(running, watcher):
                    return True
            except LightshipError as error:
                watcher.failed(f"{error.what} {error.todo}".strip())
            except Exception as error:  # noqa: BLE001 - as above, and it is tried again
                watcher.failed(f"It failed with {type(error).__name__}.")
            running.stopped.wait(wait_s)
            wait_s = min(2.0 * wait_s, _LONGEST_S)
        return False

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

    def _ended(self, stream_id: str, at: datetime, work: Work) -> None:
        desk.ended(work, stream_id, at)

    def _file(self, sighting: Sighting) -> None:
        self._backlog.do(partial(self._filed, sighting, self.setup.clock()))

    def _filed(self, sighting: Sighting, at: datetime, work: Work) -> Then | None:
        filed = desk.file(work, sighting, at, self.setup.windows)
        if filed.case is None or not filed.ordered:
            return None
        return partial(self._put_in_force, sighting.stream.id, filed.case.id)

    def _put_in_force(self, stream_id: str, case_id: str) -> None:
        if self.setup.bus is not None:
            with suppress(LightshipError):  # whoever sends looks by itself, only later
                self.setup.bus.publish(FILED, {"stream": stream_id, "case": case_id})
        self._pin(stream_id, case_id)

    def _pin(self, stream_id: str, case_id: str) -> None:
        running = self.running.get(stream_id)
        watcher = running.watcher if running is not None else None
        if watcher is None or self.setup.vault is None:
            return
        stills = watcher.ring.pin(-1.0, float("inf"))
        try:
            evidence.keep(self.setup.store, self.setup.vault, stills, case_id, self.setup.clock())
        except LightshipError as error:
            self._trouble(stream_id, "not-pinned", str(error))

    def _listen(self, go_on: GoOn) -> None:
        assert self.setup.bus is not None
        with self.setup.bus.subscribe(reports.PIN) as messages:
            while go_on():
                message = next(messages)
                running = self.running.get(str(message["stream"])) if message is not None else None
                if message is None or running is None:
                    continue
                if running.watcher is not None:
                    running.watcher.reports = self._reports(running.stream.id)
                self._pin(running.stream.id, str(message["case"]))

    def _reports(self, stream_id: str) -> int:
        try:
            with self.setup.store.look() as work:
                return len(work.find(Report, {"stream_id": stream_id, "seen_at": None}))
        except LightshipError:
            return 1  # there may be some: better looked at too soon than too late

    def _trouble(self, stream_id: str, name: str, reason: str) -> None:
        self._record({"kind": "trouble", "stream": stream_id, "trouble": name, "reason": reason})
