"""What the benchmarks of the watch share: lists, sensors, set-ups, a clip, and rows."""

from __future__ import annotations

import ipaddress
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.streams import CACHE
from bench.watch_store import Leases, Store
from lightship import packs
from lightship.core.cases import Stream
from lightship.core.entries import Collected, Table, Texts
from lightship.core.judge import bind
from lightship.core.known import Terms
from lightship.core.ports import Detector
from lightship.detect.bank import build
from lightship.detect.known_media import KnownMediaDetector
from lightship.detect.look_up import quickest
from lightship.detect.loop import Sensors
from lightship.watch.basis import Bases
from lightship.watch.pull import pull
from lightship.watch.worker import Setup

Row = dict[str, str]

LIST_SIZE, SHORT_LIST = 1_000_000, 10_000
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)


def known_media(size: int, listed: Sequence[tuple[NDArray[np.uint64], int]] = ()) -> KnownMediaDetector:
    """Return a list of random hashes, and some listed ones."""
    rng = np.random.default_rng(7)
    values = rng.integers(0, 256, (size, 32), dtype=np.uint8)
    for row, (words, _) in enumerate(listed):
        values[row] = words.astype(">u8").view(np.uint8)
    references = Texts.of([str(row) for row in range(size)])
    table = Table(
        values,
        np.full(size, 100, dtype=np.uint8),
        references,
        Texts.of([""] * size),
        np.full(size, np.nan, dtype=np.float32),
    )
    today = datetime.now(UTC).date()
    bank = build(Terms("bench"), Collected({"pdq": table}, None, 0, 0, 0), today, scan_up_to=SHORT_LIST)
    return KnownMediaDetector([bank], weigh=quickest())


def sensors_of(detectors: Sequence[Detector], policy: str = "public-live") -> Sensors:
    """Return a policy's sensors."""
    return Sensors(tuple(detectors), (), bind(packs.policy(policy), detectors, {}))


def stream(id_: str, address: str = "", **more: Any) -> Stream:
    """Return a public stream."""
    return Stream(id_, address, "host", "public", "terms", "public-live", datetime.now(UTC), **more)


def setup_of(store: Store, sensors: Sensors, **more: Any) -> Setup:
    """Return what a worker is given; it pulls from loopback unless told otherwise."""
    fields: dict[str, Any] = {"open": lambda one: pull(one, LOOPBACK), "most": 400, **more}
    return Setup(store, Leases(), lambda _policy: sensors, bases=Bases(public="terms"), **fields)


def clip() -> Path:
    """Return a minute of a pattern at 640x360 with a keyframe a second, made once."""
    path = CACHE / "watch-mandelbrot-360-1s.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        drawn = ["-f", "lavfi", "-i", "mandelbrot=s=640x360:r=30", "-t", "60", "-pix_fmt", "yuv420p"]
        coded = ["-c:v", "libx264", "-preset", "veryfast", "-g", "30", "-keyint_min", "30", "-b:v", "0.8M"]
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", *drawn, *coded, str(part)], check=True, timeout=300
        )
        part.replace(path)
    return path


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    """Wait until something holds.

    Raises
    ------
    RuntimeError
        If it does not in time.
    """
    until_s = time.monotonic() + seconds
    while not what():
        if time.monotonic() > until_s:
            raise RuntimeError("the streams did not come up in time")
        time.sleep(0.2)


def row(what: str, ours: str, reach: str, *, met: bool | None = None) -> Row:
    """Return a row without a peer."""
    said = "-" if met is None else "yes" if met else "NO"
    return {"what": what, "ours": ours, "peer": "-", "ratio": "-", "reach": reach, "met": said}
