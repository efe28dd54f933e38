"""The guard as a library: protect an iterator of frames, or a whole medium from a source to a sink."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from lightship import packs
from lightship.core.ladder import Policy
from lightship.core.ports import Ledger
from lightship.core.values import Rgb, Rung
from lightship.detect.loop import Sensors, load_sensors
from lightship.guard.gate import Shown
from lightship.guard.trace import Trace
from lightship.guard.watcher import Counts, Watcher
from lightship.media.cover import silence
from lightship.media.frames import ArrayPicture, Gap, Sound
from lightship.media.ring import HoldBack

if TYPE_CHECKING:  # the media library is loaded when a medium is opened, not when the guard is imported
    from lightship.media.sinks import Sink
    from lightship.media.sources import Source

Progress = Callable[[float, Rung | None], None]
"""Told the stream seconds and the response that covers the picture, for each picture that leaves."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    reason
        ``"the source is over"``, ``"the policy ended the stream"`` or ``"interrupted"``.
    seconds
        Length of the stream.
    counts
        What went through, in pictures.
    latency_ms
        What each picture waited between arrival and leaving, hold-back left out.
    """

    reason: str
    seconds: float
    counts: Counts
    latency_ms: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as a JSON object."""
        waits = np.asarray(self.latency_ms or [0.0])
        return {
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "counts": asdict(self.counts),
            "latency_ms": {
                "p50": round(float(np.median(waits)), 2),
                "p95": round(float(np.quantile(waits, 0.95)), 2),
            },
        }


class Guard:
    """Watches a live picture and stops it in time.

    Parameters
    ----------
    policy
        A policy, or the name or path of one.
    ledger
        Where the local log goes; None keeps none.
    options
        More options for a detector, by name: ``{"known-media": {"lists": [path]}}``.
    sensors
        Loaded detectors, to share them between streams; loaded from the policy if None.
    files
        The files of a verified pack; what is shipped if None.

    Raises
    ------
    PolicyError
        If the policy is refused.
    DetectorError
        If a detector that the policy requires cannot be loaded.

    Examples
    --------
    >>> import numpy as np
    >>> benign = (np.zeros((180, 320, 3), np.uint8) for _ in range(5))
    >>> sum(1 for _ in Guard("test").protect(benign, fps=30.0))
    5
    """

    def __init__(
        self,
        policy: Policy | str,
        *,
        ledger: Ledger | None = None,
        options: Mapping[str, Mapping[str, Any]] | None = None,
        sensors: Sensors | None = None,
        files: packs.Files | None = None,
    ) -> None:
        self.policy = packs.policy(policy, files) if isinstance(policy, str) else policy
        read = partial(packs.calibration, files=files)
        self.sensors = sensors or load_sensors(self.policy, read, options, files)
        self.files = files
        self._ledger = ledger
        self._watcher: Watcher | None = None

    def resume(self) -> bool:
        """Ask to go on after a cover, as the person; returns whether the policy allows it now."""
        return self._watcher is not None and self._watcher.ask("resume")

    def watcher(self, *, beside: bool, trace: Trace | None = None) -> Watcher:
        """Return a watcher for one stream."""
        helps = [
            line
            for line in packs.help_lines(self.policy.jurisdiction, self.files)
            if line.audience in {"all", self.policy.audience}
        ]
        lines = (*self.policy.card_lines, *(line.words for line in helps))
        self._watcher = Watcher(
            self.sensors, self._ledger, self.policy.card_title, lines, beside=beside, trace=trace
        )
        return self._watcher

    def protect(self, frames: Iterable[Rgb], *, fps: float = 30.0) -> Iterator[Rgb]:
        """Protect an iterator of ``(H, W, 3) uint8 RGB`` frames at a steady rate.

        As many frames come out as went in, each after the policy's hold-back; every due frame is looked at before any
        frame after it leaves.

        Parameters
        ----------
        fps
            Frames a second.
        """
        watcher = self.watcher(beside=False)
        watcher.diary.started(self.sensors, "frames")
        ring: HoldBack[ArrayPicture] = HoldBack(self.policy.hold_back_s)
        at_s = 0.0
        try:
            for number, frame in enumerate(frames):
                at_s = number / fps
                picture = ArrayPicture(at_s, frame)
                watcher.arrive(picture)
                yield from (self._array(watcher, held) for held in ring.put(picture))
                if watcher.ended:
                    break
            yield from (self._array(watcher, held) for held in ring.flush())
        finally:
            watcher.stop()
            reason = "the policy ended the stream" if watcher.ended else "the frames are over"
            watcher.diary.finished(at_s, reason, asdict(watcher.counts))

    @staticmethod
    def _array(watcher: Watcher, held: Any) -> Rgb:
        picture, _ = watcher.leave(held)
        return picture.rgb()

    def run(
        self,
        source: Source,
        sink: Sink,
        *,
        trace: Trace | None = None,
        progress: Progress | None = None,
        interrupted: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Protect a medium from a source to a sink, until the source or the policy ends it.

        Parameters
        ----------
        interrupted
            Asked before each item; True ends the run in good order.

        Raises
        ------
        SourceLost, SinkError, InputError
            From the source or the sink; the log is closed first.
        """
        return _Run(self, source, sink, trace, progress).until_over(interrupted)


class _Run:
    """One run from a source to a sink."""

    def __init__(
        self, guard: Guard, source: Source, sink: Sink, trace: Trace | None, progress: Progress | None
    ) -> None:
        self._guard = guard
        self._source = source
        self._sink = sink
        self._trace = trace
        self._progress = progress
        self._watcher = guard.watcher(beside=source.info.live, trace=trace)
        self._ring: HoldBack[Shown | Sound] = HoldBack(guard.policy.hold_back_s)
        self._arrived_s: deque[float] = deque()
        self._held_s = guard.policy.hold_back_s if source.info.live else 0.0
        self._latency_ms: deque[float] = deque(maxlen=200_000)
        self._at_s = 0.0

    def until_over(self, interrupted: Callable[[], bool]) -> Outcome:
        reason = "the source failed"
        self._watcher.diary.started(self._guard.sensors, "live" if self._source.info.live else "file")
        try:
            reason = self._carry(interrupted)
        except KeyboardInterrupt:
            reason = "interrupted"
        finally:
            self._watcher.stop()
            self._watcher.diary.finished(self._at_s, reason, asdict(self._watcher.counts))
        return Outcome(reason, self._at_s, self._watcher.counts, tuple(self._latency_ms))

    def _carry(self, interrupted: Callable[[], bool]) -> str:
        for item in self._source:
            if isinstance(item, Gap):
                self._watcher.diary.gap(item.from_s, item.to_s, item.reason)
                if self._trace is not None:
                    self._trace.gaps.append((item.from_s, item.to_s))
                continue
            self._at_s = max(self._at_s, item.at_s)
            if not isinstance(item, Sound):
                self._arrived_s.append(time.monotonic())
                self._watcher.arrive(item)
            for held in self._ring.put(item):
                self._leave(held)
            if self._watcher.ended or interrupted():
                break
        for held in self._ring.flush():
            self._leave(held)
        if self._watcher.ended:
            return "the policy ended the stream"
        return "interrupted" if interrupted() else "the source is over"

    def _leave(self, item: Shown | Sound) -> None:
        if isinstance(item, Sound):
            covered = self._watcher.gate.rung_at(item.at_s) is not None
            self._sink.write(silence(item) if covered else item)
            return
        shown, rung = self._watcher.leave(item)
        self._sink.write(shown)
        waited_s = time.monotonic() - self._arrived_s.popleft()
        self._latency_ms.append(max(0.0, waited_s - self._held_s) * 1000.0)
        if self._progress is not None:
            self._progress(item.at_s, rung)
