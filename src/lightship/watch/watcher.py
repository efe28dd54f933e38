"""One stream under watch: each sampled picture is matched, models look when they have a turn, the policy decides.

Nothing waits for anything here. What was not looked at is counted and written down each minute of the stream, with
what was wrong with it; the names of the troubles are :data:`TROUBLES`.
"""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lightship.core.cases import Stream
from lightship.core.errors import DetectorError
from lightship.core.judge import Observation, Standing, blind, judge
from lightship.core.ports import Detector, Picture
from lightship.core.values import Decision, Rung
from lightship.core.watchkeeper import PictureHash
from lightship.detect.look_up import quickest
from lightship.detect.loop import CAMERA_LABELS, Loop, Sensors, observe
from lightship.detect.pdq import Hashed, distance, pdq
from lightship.media.frames import Gap
from lightship.media.sampler import Cadence
from lightship.watch.basis import Scans
from lightship.watch.desk import Sighting
from lightship.watch.ring import Ring
from lightship.watch.scheduler import LASTING, Interest

TROUBLES: Mapping[str, str] = {
    "no-keyframe": "no keyframe came, so every picture was decoded, late",
    "damaged-packets": "packets could not be decoded: damaged, or of another codec than was said",
    "lost": "the source was lost and came back",
    "cut-short": "it ended before the length it declared",
    "no-picture": "no picture came for a while",
    "new-size": "the picture changed its size",
    "flood": "more pictures came than are looked at",
    "not-open": "it could not be opened, or had no picture that could be decoded",
    "blind": "a detector failed",
    "other-gap": "a hole of another kind",
}
"""What can be wrong with a stream, by the name it is counted under."""

_GAPS = {
    "no keyframe": "no-keyframe",
    "cut short": "cut-short",
    "damaged": "damaged-packets",
    "lost": "lost",
    "did not come back": "lost",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How a stream stands, for a screen.

    Parameters
    ----------
    looks, models
        Pictures that were matched, and those that models looked at, so far.
    late_s
        By how much the latest picture came late, against the earliest of the stream.
    unseen_s
        Since when no picture was matched, seconds; infinite before the first.
    """

    looks: int
    models: int
    late_s: float
    unseen_s: float = math.inf


Waiting = tuple[Picture, Hashed]
"""A picture that waits for the models, with its hash."""

_MINUTE_S = 60.0
_NEW_HOST_S = 600.0  # how long a stream counts as by a host of whom nothing is known
_SPENT = 6  # looks that found nothing after which signs are forgotten
_SAME_BITS = (
    8  # a picture this near to what models saw last is the same to them; a small thing in it moves more
)


def trouble_of(gap: Gap) -> str:
    """Return the name of a gap's reason."""
    return next((name for words, name in _GAPS.items() if words in gap.reason), "other-gap")


@dataclass
class Minute:
    """What happened in a minute of the stream."""

    number: int = 0
    arrived: int = 0
    looks: int = 0
    models: int = 0
    superseded: int = 0
    unseen_s: float = 0.0
    gap_s: float = 0.0
    late_s: float = 0.0


class StreamWatcher:
    """Watches one stream. Pictures arrive on one thread, models may look on others.

    Parameters
    ----------
    basis
        On which it is looked at.
    sensors
        The stream's policy, bound.
    models
        Detectors that look only when they have a turn; all others look at each sampled picture.
    ring
        Keeps the last seconds.
    record
        Takes entries for the ledger.
    file
        Takes decisions.
    run
        The lease's fencing number.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        stream: Stream,
        basis: str,
        sensors: Sensors,
        ring: Ring,
        record: Callable[[Mapping[str, Any]], None],
        file: Callable[[Sighting], None],
        *,
        run: int,
        models: frozenset[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream, self.basis, self.ring, self.run = stream, basis, ring, run
        self.troubles: Counter[str] = Counter()
        self.forgot = 0
        # One host with many streams is one place: nobody gets an entry set aside by showing it again and again.
        sensors = sensors.for_one_stream(stream.host)
        self._loop = Loop(sensors)
        slow = models
        if slow is None:
            slow = frozenset(one.name for one in sensors.detectors if one.evidence == "calibrated")
        self._quick = tuple(one for one in sensors.detectors if one.name not in slow)
        self._models = tuple(one for one in sensors.detectors if one.name in slow)
        self._record, self._file, self._clock = record, file, clock
        policy = sensors.bound.policy
        self._cadence = Cadence(min(policy.slow_fps, 1.0), policy.fast_fps)
        self._bound_s = 10.0
        self._scans = Scans()
        self._weigh = quickest()
        self._minute = Minute()
        self._looks = self._model_looks = 0
        self._lock = threading.RLock()
        self._waiting: Waiting | None = None
        self._picture: PictureHash | None = None
        self._shown: Hashed | None = None
        self._reports = self._spent = 0
        self._came_s = self._model_s = self._arrived_s = clock()
        self._zero_s: float | None = None
        self._late_s = 0.0
        self._looked_s: float | None = None
        self._now_s = -1.0
        self._size: tuple[int, int] | None = None
        self._known: set[str] = {"new host"} | ({"child host"} if stream.child_host else set())
        self._odd_camera = self._model_sees = False
        self._details = ""
        self._matched: tuple[str, ...] = ()
        self._first_s: float | None = None
        self._blind = False
        absent = {one.detector: one.reason for one in sensors.absent}
        record(self._entry("watch-began", policy=policy.name, policy_digest=policy.digest, absent=absent))

    @property
    def standing(self) -> Standing:
        """Where the stream stands on the ladder."""
        return self._loop.standing

    @property
    def ended(self) -> bool:
        """Whether the policy has ended the stream."""
        return self._loop.standing.rung == "end"

    @property
    def silent_s(self) -> float:
        """How long no picture has come, seconds."""
        return self._clock() - self._arrived_s

    @property
    def reports(self) -> int:
        """Open reports of viewers; another one is a new sign for the scheduler."""
        return self._reports

    @reports.setter
    def reports(self, count: int) -> None:
        if count > self._reports:
            self._spent = 0
        self._reports = count

    def progress(self) -> Progress:
        """Return how it stands now."""
        minute = self._minute
        unseen_s = math.inf if self._looked_s is None else self._clock() - self._looked_s
        return Progress(self._looks + minute.looks, self._model_looks + minute.models, self._late_s, unseen_s)

    def arrive(self, picture: Picture) -> None:
        """Take in a picture; one that is due is matched now and left for the models."""
        now_s = self._clock()
        self._roll(picture.at_s)
        self._times(picture, now_s)
        if not self._cadence.due(picture.at_s):
            self._minute.arrived += 1
            if self._minute.arrived == 120 * int(_MINUTE_S):
                self._trouble("flood", picture.at_s)
            return
        self._minute.arrived += 1
        self.ring.put(picture)
        hashed = pdq(picture.luma(), self._weigh)
        self._look(self._quick, picture, hashed)
        if self._models:
            with self._lock:
                self._minute.superseded += self._waiting is not None
                self._waiting = picture, hashed

    def gap(self, gap: Gap) -> None:
        """Take in a hole in the stream: counted, and written down."""
        self._minute.gap_s += max(0.0, gap.to_s - gap.from_s)
        self._trouble(trouble_of(gap), gap.from_s, gap.reason, to_s=round(gap.to_s, 3))

    def failed(self, reason: str) -> None:
        """Take in that the stream could not be opened or read on."""
        self._trouble("not-open", max(self._now_s, 0.0), reason)

    def interest(self) -> Interest | None:
        """Return what the scheduler needs to know; None while no picture waits for a model."""
        waiting = self._waiting
        if waiting is None:
            return None
        known = frozenset(self._known.copy())
        if self._clock() - self._came_s > _NEW_HOST_S:
            known -= {"new host"}
        if self._shown is not None and distance(self._shown[0], waiting[1][0]) <= _SAME_BITS:
            known |= {"same picture"}
        standing = self._loop.standing
        top = self._loop.bound.rungs[-1]
        if standing.rung == top.rule.rung or standing.levels_db[-1] >= top.alarm_db:
            return Interest(self.stream.id, self._model_s, known=known & LASTING)  # no look can bring more
        weight_db = max(0.0, standing.levels_db[0])
        return Interest(self.stream.id, self._model_s, weight_db, known, self._reports, self._spent)

    def claim(self) -> Waiting | None:
        """Take the picture that waits for the models, for :meth:`model_look`; nobody else gets it."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            if waiting is None:
                return None
            now_s = self._clock()
            self._minute.unseen_s = max(self._minute.unseen_s, now_s - self._model_s)
            self._model_s, self._shown = now_s, waiting[1]
            self._spent += not self._odd_camera  # where there is nothing to see, nothing was looked for
            if self._spent > _SPENT:
                self._known &= LASTING
        return waiting

    def model_look(self, claimed: Waiting | None = None) -> bool:
        """Let the models look at what was claimed, or at the picture that waits; returns whether there was one."""
        claimed = self.claim() if claimed is None else claimed
        if claimed is None:
            return False
        self._look(self._models, *claimed)
        return True

    def begin_anew(self, reversed_: Callable[[Rung], bool]) -> bool:
        """Judge the stream anew if the response in force was reversed, after the policy's grace; returns whether.

        Parameters
        ----------
        reversed_
            Says whether nothing of a response is in force outside; asked while no decision can be filed.
        """
        with self._lock:
            standing = self._loop.standing
            if standing.rung is None or not standing.covered or not reversed_(standing.rung):
                return False
            bound, now_s = self._loop.bound, max(self._now_s, 0.0)
            until_s = now_s + bound.policy.grace_s
            fresh = replace(bound.start(), since_s=now_s, by="person", grace_until_s=until_s)
            self._loop.take(lambda _: (fresh, None))
            self._first_s = None
        self._record(self._entry("judged-anew", at_s=round(now_s, 3)))
        return True

    def finish(self, reason: str) -> None:
        """Write down how it ended and drop what the ring holds."""
        with self._lock:
            self._close_minute()
            self._waiting = None
            self._minute = Minute(self._minute.number)
        self.forgot = len(self.ring)
        self._record(
            self._entry("watch-ended", reason=reason, troubles=dict(self.troubles), forgot=self.forgot)
        )
        self.ring.clear()

    def _count(self, detectors: tuple[Detector, ...]) -> None:
        """Count a look with its scans: both are of one minute, also where that ends while a model looks."""
        with self._lock:
            for one in detectors:
                self._scans.count(self.stream, self.basis, one.name, one.version)
            if detectors is self._quick:
                self._minute.looks += 1
            else:
                self._minute.models += 1

    def _look(self, detectors: tuple[Detector, ...], picture: Picture, hashed: Hashed) -> None:
        self._count(detectors)
        try:
            seen = observe(detectors, picture, hashed=hashed)
        except DetectorError as error:
            self._see_nothing(picture.at_s, str(error))
            return
        self._blind = False
        if detectors:
            self._looked_s = self._clock()
        with self._lock:
            # A model's answer may come after the next pictures were judged: it counts from now on, in what shows now.
            at_s = max(picture.at_s, self._now_s)
            if detectors is self._quick:
                self._picture = seen.picture
            self._notes(detectors, seen)
            seen = Observation(at_s, seen.readings, self._picture)
            bound = self._loop.bound
            before_db = self._loop.standing.levels_db[0]
            decision = self._loop.take(lambda standing: judge(bound, self._held(standing, at_s), seen))
            standing = self._loop.standing
            if detectors is self._models:
                self._model_sees = standing.evidence_s == at_s
            if standing.evidence_s == at_s and standing.levels_db[0] > max(before_db, 0.0):
                self._spent = 0  # more than was known before
            if standing.evidence_s == at_s and self._first_s is None:
                self._first_s = at_s
            elif not standing.rising(at_s):
                self._first_s = None
            self._cadence.hasten(standing.rising(at_s))
            if decision is not None:
                self._decided(decision, seen)

    def _held(self, standing: Standing, at_s: float) -> Standing:
        """Return the standing for the next look: what a model saw last is there until a model no longer sees it."""
        if not self._model_sees:
            return standing
        return replace(standing, evidence_s=max(standing.evidence_s, math.nextafter(at_s, -math.inf)))

    def _notes(self, detectors: tuple[Detector, ...], seen: Observation) -> None:
        """Note what the scheduler and a reader of the case should know."""
        counted = self._loop.bound.counted
        if detectors is self._quick:
            before = self._odd_camera
            self._odd_camera = any(reading.label in CAMERA_LABELS for reading in seen.readings)
            if self._odd_camera and not before:
                self._known.add("camera evidence")
                self._spent = 0
        for reading in seen.readings:
            if (reading.detector, reading.label) in counted and reading.detail:
                self._details, self._matched = reading.detail, reading.matched
                if reading.detector == "known-media":
                    self._known.add("known media near")

    def _decided(self, decision: Decision, seen: Observation) -> None:
        still = "".join(f"{word:016x}" for word in seen.picture) if seen.picture is not None else ""
        from_s = self._first_s if self._first_s is not None else decision.at_s
        # Asked now: lists change while a stream runs.
        versions = {one.name: one.version for one in self._loop.sensors.detectors}
        self._file(
            Sighting(
                self.stream,
                decision,
                self.run,
                from_s,
                still,
                versions,
                self._details,
                self.basis,
                self._matched,
            )
        )

    def _see_nothing(self, at_s: float, reason: str) -> None:
        if not self._blind:
            self._trouble("blind", at_s, reason)
        self._blind = True
        bound = self._loop.bound
        with self._lock:
            decision = self._loop.take(lambda standing: blind(bound, standing, at_s))
            if decision is not None:
                self._decided(decision, Observation(at_s, ()))

    def _times(self, picture: Picture, now_s: float) -> None:
        """Note what the arrival itself tells: silence, lag, another size."""
        silent_s = now_s - self._arrived_s
        self._arrived_s = now_s
        if self._now_s >= 0.0 and picture.at_s - self._now_s > self._bound_s:
            self._minute.gap_s += picture.at_s - self._now_s
            reason = f"for {picture.at_s - self._now_s:.1f} s"
            self._trouble("no-picture", self._now_s, reason, waited_s=round(silent_s, 1))
        self._now_s = max(self._now_s, picture.at_s)
        behind_s = now_s - picture.at_s
        self._zero_s = behind_s if self._zero_s is None else min(self._zero_s, behind_s)
        self._late_s = behind_s - self._zero_s
        self._minute.late_s = max(self._minute.late_s, self._late_s)
        size = (picture.width, picture.height)
        if self._size is not None and size != self._size:
            self._trouble("new-size", picture.at_s, f"{size[0]}×{size[1]} px")
        self._size = size

    def _trouble(self, name: str, at_s: float, reason: str = "", **more: Any) -> None:
        self.troubles[name] += 1
        count = self.troubles[name]
        if (
            count <= 10 or count % 100 == 0
        ):  # a stream that fails all the time does not fill the ledger; it is counted
            said = reason or TROUBLES[name]
            self._record(
                self._entry("trouble", at_s=round(at_s, 3), trouble=name, reason=said, count=count, **more)
            )

    def _roll(self, at_s: float) -> None:
        with self._lock:
            if int(at_s // _MINUTE_S) != self._minute.number:
                self._close_minute()
                self._minute = Minute(int(at_s // _MINUTE_S))

    def _close_minute(self) -> None:
        minute = self._minute
        if self._waiting is not None:
            minute.unseen_s = max(minute.unseen_s, self._clock() - self._model_s)
        self._looks, self._model_looks = self._looks + minute.looks, self._model_looks + minute.models
        self._record(
            self._entry(
                "coverage",
                minute=minute.number,
                pictures=minute.arrived,
                looks=minute.looks,
                model_looks=minute.models,
                model_passed_over=minute.superseded,
                model_unseen_s=round(minute.unseen_s, 3),
                gap_s=round(minute.gap_s, 3),
                late_s=round(minute.late_s, 3),
            )
        )
        for entry in self._scans.entries(self.stream.id, max(self._now_s, 0.0)):
            self._record(entry)

    def _entry(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, "stream": self.stream.id, "run": self.run, **more}
