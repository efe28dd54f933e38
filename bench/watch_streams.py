"""Many real streams on loopback, over RTMP and over HLS, under known media: looks, lateness, and where the CPU goes."""

from __future__ import annotations

import multiprocessing as mp
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.watch_made import LIST_SIZE, Row, clip, known_media, row, sensors_of, setup_of, stream, wait_for
from bench.watch_store import Store
from lightship.core.ports import Picture
from lightship.core.values import Reading
from lightship.demo import media_server
from lightship.detect import look_up
from lightship.detect.camera import CameraEvidence
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.pdq import Hashed, pdq
from lightship.watch import ring, watcher
from lightship.watch.watcher import StreamWatcher
from lightship.watch.worker import Worker

SECONDS = float(os.environ.get("LIGHTSHIP_BENCH_WATCH_SECONDS", "20"))
STREAMS = int(os.environ.get("LIGHTSHIP_BENCH_WATCH_STREAMS", "120"))


class Timed:
    """The known-media detector, with the CPU it takes."""

    labels = KnownMediaDetector.labels
    takes: Literal["rgb", "luma"] = "luma"
    evidence: Literal["calibrated", "analytic", "camera"] = "analytic"

    def __init__(self, inner: KnownMediaDetector) -> None:
        self.name, self.version, self.inner = inner.name, inner.version, inner
        self.spent_s = 0.0

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Read as the detector does."""
        return self.inner.read(frames)

    def read_hashed(
        self, frames: Sequence[NDArray[np.uint8]], hashes: Sequence[Hashed]
    ) -> list[tuple[Reading, ...]]:
        """Read as the detector does."""
        began_s = time.thread_time()
        found = self.inner.read_hashed(frames, hashes)
        self.spent_s += time.thread_time() - began_s
        return found


class Counted:
    """A function, with the CPU that it takes."""

    def __init__(self, inner: Callable[..., Any]) -> None:
        self._inner = inner
        self.spent_s = 0.0

    def __call__(self, *given: Any) -> Any:
        """Do what the function does."""
        began_s = time.thread_time()
        found = self._inner(*given)
        self.spent_s += time.thread_time() - began_s
        return found


@dataclass
class Looks:
    """When a stream was looked at: each look's stream second, and how late it was done."""

    at_s: list[float] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)

    def follow(self, one: StreamWatcher) -> None:
        """Take the looks of a watcher down from now on."""
        plain, zero_s = one.arrive, 0.0

        def arrive(picture: Picture) -> None:
            nonlocal zero_s
            looks = one.progress().looks
            plain(picture)
            behind_s = time.monotonic() - picture.at_s
            zero_s = min(zero_s or behind_s, behind_s)
            if one.progress().looks > looks:
                self.at_s.append(picture.at_s)
                self.late_s.append(behind_s - zero_s)

        one.arrive = arrive  # type: ignore[method-assign]

    @property
    def rate(self) -> float:
        """Looks a stream second, over whole periods: from the first look to the last."""
        return (len(self.at_s) - 1) / (self.at_s[-1] - self.at_s[0]) if len(self.at_s) > 1 else 0.0


@dataclass(frozen=True, slots=True)
class Share:
    """What one worker process saw."""

    rates: tuple[float, ...]
    late_s: tuple[float, ...]
    took_s: float
    cpu_s: float
    hash_s: float
    match_s: float
    ring_s: float


def streams() -> list[Row]:
    """Watch one published stream, pulled many times, by one worker process a core."""
    return [*_over("RTMP"), *_over("HLS")]


def _over(kind: str) -> list[Row]:
    workers = min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder, media_server.running(Path(folder)) as server:
        published = f"{server.rtmp if kind == 'RTMP' else server.segments}/one"
        pulled = published if kind == "RTMP" else f"{server.hls}/one.m3u8"
        command = ["ffmpeg", "-v", "quiet", "-nostdin", "-re", "-stream_loop", "-1", "-i", str(clip())]
        with subprocess.Popen([*command, "-c", "copy", "-f", "flv", published]) as publisher:
            time.sleep(2.0 if kind == "RTMP" else 10.0)  # a playlist is there when some segments are
            try:
                with mp.get_context("spawn").Pool(workers) as pool:
                    found = pool.starmap(_share, [(pulled, STREAMS // workers)] * workers)
            finally:
                publisher.kill()
    rates = [rate for one in found for rate in one.rates]
    late_s = [late for one in found for late in one.late_s]
    took_s, cpu_s = found[0].took_s, sum(one.cpu_s for one in found)
    parts = [sum(one.hash_s for one in found), sum(one.match_s for one in found)]
    parts.append(sum(one.ring_s for one in found))
    shares = " / ".join(f"{100 * part / cpu_s:.0f} %" for part in [cpu_s - sum(parts), *parts])
    p95_s, most_s = float(np.percentile(late_s, 95)), max(late_s)
    # The segments of HLS hold two seconds: their pictures come two at a time.
    least_late_s = 1.5 if kind == "RTMP" else 3.5
    what = f"{STREAMS} pulls of one 640x360 {kind} stream from nginx-rtmp, a keyframe a second, {LIST_SIZE:,} hashes"
    met = min(rates) >= 0.99 and p95_s <= least_late_s and STREAMS >= 120
    return [
        row(
            f"{what}, {workers} workers, {took_s:.0f} s: looks a stream second from first to last look (least stream), "
            "lateness of a look p95 (most)",
            f"{np.mean(rates):.2f} ({min(rates):.2f}), {p95_s:.2f} s ({most_s:.2f} s)",
            f"≥ 120 streams, 1 a second, p95 ≤ {least_late_s:g} s",
            met=met,
        ),
        row(
            f"the same over {kind}: streams a core of the watching processes",
            f"{STREAMS * took_s / cpu_s:.0f} ({100 * cpu_s / took_s:.0f} % of a core used)",
            "-",
        ),
        row(
            f"the same over {kind}: CPU in reading and decoding / hashing / matching / the ring's pictures",
            shares,
            "-",
        ),
    ]


def _share(address: str, count: int) -> Share:
    """Watch some streams, as one worker process."""
    cv2.setNumThreads(1)
    timed, store = Timed(known_media(LIST_SIZE)), Store()
    hashed, others, kept = Counted(pdq), Counted(pdq), Counted(ring.encoded)
    vars(watcher)["pdq"], vars(look_up)["pdq"], vars(ring)["encoded"] = hashed, others, kept
    with store.begin() as work:
        work.save(*(stream(f"s{number:03d}", address) for number in range(count)))
    one = Worker("bench", setup_of(store, sensors_of([timed, CameraEvidence()])))
    one.start()
    wait_for(lambda: len([it for it in one.watchers() if it.progress().looks > 5]) >= count, 120.0)
    time.sleep(10.0)
    looks = [Looks() for _ in one.watchers()]
    for its, follower in zip(looks, one.watchers(), strict=True):
        its.follow(follower)
    before = (hashed.spent_s, others.spent_s, timed.spent_s, kept.spent_s)
    cpu_s, began_s = time.process_time(), time.monotonic()
    time.sleep(SECONDS)
    took_s, cpu_s = time.monotonic() - began_s, time.process_time() - cpu_s
    first, other, match, keep = (
        now - then
        for now, then in zip(
            (hashed.spent_s, others.spent_s, timed.spent_s, kept.spent_s), before, strict=True
        )
    )
    found = Share(
        tuple(it.rate for it in looks),
        tuple(late for it in looks for late in it.late_s),
        took_s,
        cpu_s,
        first + other,
        match - other,
        keep,
    )
    one.stop()
    return found
