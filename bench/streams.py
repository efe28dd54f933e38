"""Known media over streams, read from files: how many a core follows by their keyframes, and where its time goes."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib.util
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import pdqhash
from numpy.typing import NDArray

from lightship.core.entries import Collected, Table, Texts
from lightship.core.known import Terms
from lightship.core.ports import Picture
from lightship.detect.bank import build
from lightship.detect.matcher import Matcher
from lightship.detect.pdq import from_hex, pdq
from lightship.detect.pdq_compiled import weigh_rows
from lightship.media.frames import Gap, Sound
from lightship.media.keyframes import Keyframes
from lightship.media.sources import open_source

LIST_SIZE = 1_000_000
STREAMS = 8
"""Followed in turn on one thread, one keyframe each; their hashes are looked up together. They are read from files: the
cost of sockets and of a thread a stream comes on top."""
SECONDS = 60.0
EVERY_S = 2.0
KINDS = {"1920x1080": ("4M", 100), "640x360": ("0.8M", 350)}
"""Bits a second of the clips, and the streams a core to reach."""
CACHE = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "lightship-bench"
Row = dict[str, str]
Hashed = tuple[NDArray[np.uint64], int]


@dataclass
class Spent:
    """CPU of the whole process, seconds, by what it was spent on.

    Parameters
    ----------
    decode
        Opening, reading and decoding.
    looks
        Keyframes that were looked up.
    """

    decode: float = 0.0
    hashing: float = 0.0
    search: float = 0.0
    looks: int = 0

    @property
    def streams(self) -> float:
        """Streams that one core follows."""
        return STREAMS * SECONDS / (self.decode + self.hashing + self.search)

    @property
    def shares(self) -> NDArray[np.float64]:
        """Per cent of the time in each of the three."""
        parts = np.array([self.decode, self.hashing, self.search])
        return np.asarray(100.0 * parts / parts.sum())


def clip(pattern: str, size: str) -> Path:
    """Return a minute of one of FFmpeg's own patterns, made once: x264 veryfast, a keyframe every two seconds."""
    path = CACHE / f"{pattern}-{size.partition('x')[2]}.mp4"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part.mp4")
        rate = KINDS[size][0]
        drawn = ["-f", "lavfi", "-i", f"{pattern}=s={size}:r=30", "-t", str(SECONDS), "-pix_fmt", "yuv420p"]
        coded = [
            "-c:v",
            "libx264",
            "-preset",
            "veryfast",
            "-g",
            "60",
            "-keyint_min",
            "60",
            "-sc_threshold",
            "0",
        ]
        steady = ["-b:v", rate, "-maxrate", rate, "-bufsize", rate]
        subprocess.run(
            ["ffmpeg", "-nostdin", "-v", "error", "-y", *drawn, *coded, *steady, str(part)], check=True
        )
        part.replace(path)
    return path


def ours(picture: Picture) -> Hashed:
    """Hash the decoder's own brightness plane."""
    return pdq(picture.luma(), weigh_rows)


def peer(picture: Picture) -> Hashed:
    """Hash the RGB picture with ``pdqhash``."""
    bits, quality = pdqhash.compute(picture.rgb())
    return from_hex(np.packbits(bits).tobytes().hex()), int(quality)


def _pictures(path: Path, stack: ExitStack) -> Iterator[Picture]:
    source = stack.enter_context(open_source(str(path), keyframes=Keyframes(EVERY_S)))
    for item in source:
        assert not isinstance(item, Sound | Gap), item
        yield item


def follow(path: Path, hashed: Callable[[Picture], Hashed], matcher: Matcher) -> Spent:
    """Follow the streams, from opening to their end."""
    spent = Spent()
    with ExitStack() as stack:
        began_s = time.process_time()
        streams = [_pictures(path, stack) for _ in range(STREAMS)]
        while pictures := [one for one in (next(stream, None) for stream in streams) if one is not None]:
            decoded_s = time.process_time()
            found = [hashed(picture) for picture in pictures]
            hashed_s = time.process_time()
            matcher.match(np.stack([one for one, _ in found]), [quality for _, quality in found])
            done_s = time.process_time()
            spent.decode += decoded_s - began_s
            spent.hashing += hashed_s - decoded_s
            spent.search += done_s - hashed_s
            spent.looks += len(pictures)
            began_s = done_s
    assert spent.looks == STREAMS * SECONDS / EVERY_S, spent.looks
    return spent


def _median(path: Path, hashed: Callable[[Picture], Hashed], matcher: Matcher, times: int) -> Spent:
    follow(path, hashed, matcher)
    found = sorted((follow(path, hashed, matcher) for _ in range(times)), key=lambda spent: spent.streams)
    return found[times // 2]


def _vpdq(path: Path) -> float:
    """Return the streams a core that ``vpdq`` hashes alone, one hash every two seconds, nothing looked up."""
    import vpdq

    compute = partial(vpdq.computeHash, str(path), seconds_per_hash=EVERY_S, thread_count=1)
    compute()
    began_s = time.process_time()
    compute()
    return SECONDS / (time.process_time() - began_s)


def _matcher() -> Matcher:
    rng = np.random.default_rng(7)
    values = rng.integers(0, 256, (LIST_SIZE, 32), dtype=np.uint8)
    nothing = Texts.of([""] * LIST_SIZE)
    quality = np.full(LIST_SIZE, 100, dtype=np.uint8)
    table = Table(values, quality, nothing, nothing, np.zeros(LIST_SIZE, dtype=np.float32))
    today = datetime.now(UTC).date()
    return Matcher((build(Terms("bench"), Collected({"pdq": table}, None, 0, 0, 0), today),))


def run() -> list[Row]:
    """Return the table's rows."""
    matcher, rows = _matcher(), []
    vpdq = importlib.util.find_spec("vpdq") is not None
    if not vpdq:
        print("vpdq is not installed (it has no wheel and needs FFmpeg's headers to build): left out")
    for size, (_, reach) in KINDS.items():
        for pattern in ("mandelbrot", "testsrc"):
            path = clip(pattern, size)
            own, other = _median(path, ours, matcher, 3), _median(path, peer, matcher, 1)
            what = f"{pattern} {size}, a keyframe every 2 s, {LIST_SIZE:,} hashes: streams a core"
            peers = [("same loop with pdqhash", other.streams)]
            peers += [("vpdq, hashing alone, all pictures decoded", _vpdq(path))] if vpdq else []
            rows += [_row(what, own.streams, name, streams, reach) for name, streams in peers]
            rows.append(
                _shares(f"the same: CPU in decoding, hashing, searching ({own.looks} looks)", own, other)
            )
    return rows


def _row(what: str, streams: float, name: str, others: float, reach: int) -> Row:
    return {
        "what": what,
        "ours": f"{streams:,.0f}",
        "peer": f"{name} {others:,.0f}",
        "ratio": f"{streams / others:.1f}×",
        "reach": f"≥ {reach}",
        "met": "yes" if streams >= reach else "NO",
    }


def _shares(what: str, own: Spent, other: Spent) -> Row:
    return {
        "what": what,
        "ours": " / ".join(f"{share:.1f} %" for share in own.shares),
        "peer": "same loop with pdqhash " + " / ".join(f"{share:.0f} %" for share in other.shares),
        "ratio": "-",
        "reach": "≥ 85 % in decoding",
        "met": "yes" if own.shares[0] >= 85.0 else "NO",
    }
