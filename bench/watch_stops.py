"""From the first listed picture that a publisher writes to the stop webhook that the platform receives."""

from __future__ import annotations

import contextlib
import http.server
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from bench.watch_made import LIST_SIZE, SHORT_LIST, Row, known_media, row, sensors_of, setup_of, stream
from bench.watch_store import Store
from lightship.core.values import Rgb
from lightship.core.weight import analytic_evalue, decibans
from lightship.demo import media_server
from lightship.detect.chance import measured
from lightship.detect.pdq import pdq
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink
from lightship.watch import worker
from lightship.watch.actions import Receiver, Webhook
from lightship.watch.outbox import keep_sending
from lightship.watch.worker import Worker

ROUNDS, AT_ONCE = 3, 4
SECRET = b"a secret of the bench"


class Told(Store):
    """Remembers when each stream's decisions were filed."""

    def __init__(self) -> None:
        super().__init__()
        self.decided: dict[tuple[str, str], float] = {}

    def record(self, entry: Mapping[str, Any]) -> None:
        """Take an entry."""
        super().record(entry)
        if entry["kind"] == "decision":
            self.decided.setdefault((entry["stream"], entry["rung"]), time.time())


def scene(seed: int, at_s: float) -> Rgb:
    """Return a picture of blocks: another one every two seconds, and each the same whenever it is drawn."""
    rng = np.random.default_rng(seed * 1000 + int(at_s // 2))
    small = rng.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(small, (640, 360), interpolation=cv2.INTER_CUBIC), np.uint8)


def publish(address: str, seed: int, onset_s: float, seconds: float) -> None:
    """Publish benign pictures, then listed ones, at their own speed; prints when the first listed one was written."""
    info = MediaInfo(640, 360, 15.0, None, None, live=True, name="bench")
    said = False
    with contextlib.suppress(Exception), open_sink(address, info, preset="ultrafast") as sink:
        began_s = time.monotonic()
        for number in range(int(seconds * 15)):
            at_s = number / 15
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            listed = at_s >= onset_s
            shown = scene(seed + 500, at_s - onset_s) if listed else scene(seed, at_s)
            if listed and not said:
                sys.stdout.write(f"{time.time()}\n")
                sys.stdout.flush()
                said = True
            sink.write(ArrayPicture(at_s, shown))


@contextlib.contextmanager
def _hook(received: dict[str, float]) -> Iterator[str]:
    receiver = Receiver(SECRET)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.take(dict(self.headers.items()), body)
            said = json.loads(body)
            received.setdefault(said["stream"], time.time())
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/stop"
        server.shutdown()


class _Bus:
    """Wakes the sender when something was filed."""

    dropped = 0

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake

    def publish(self, topic: str, _message: Mapping[str, Any]) -> None:
        if topic == worker.FILED:
            self._wake.set()

    @contextlib.contextmanager
    def subscribe(self, *_topics: str) -> Iterator[Iterator[Mapping[str, Any] | None]]:
        def nothing() -> Iterator[None]:
            while True:
                time.sleep(0.5)
                yield None

        yield nothing()


def stops() -> list[Row]:
    """Time them for a short and for a long list, and over HLS."""
    return [*_stops(SHORT_LIST, "RTMP"), *_stops(LIST_SIZE, "RTMP"), *_stops(SHORT_LIST, "HLS")]


def _stops(size: int, kind: str) -> list[Row]:
    seeds = range(1, 1 + ROUNDS * AT_ONCE)
    listed = []
    for seed in seeds:
        for number in range(6):
            picture = ArrayPicture(0.0, scene(seed + 500, 2.0 * number))
            listed.append(pdq(picture.luma()))
    rng, onsets = random.Random(5), dict[str, float]()
    wake, stop, received = threading.Event(), threading.Event(), dict[str, float]()
    store, seconds = Told(), 17.0 if kind == "RTMP" else 30.0
    with (
        tempfile.TemporaryDirectory() as folder,
        media_server.running(Path(folder)) as server,
        _hook(received) as url,
    ):
        sensors = sensors_of([known_media(size, listed)])
        one = Worker("bench", setup_of(store, sensors, bus=_Bus(wake)), ttl_s=1.5)
        one.start()
        sender = threading.Thread(
            target=keep_sending,
            args=(store, Webhook(url, SECRET), lambda: datetime.now(UTC), lambda: not stop.is_set(), wake),
            daemon=True,
        )
        sender.start()
        published = server.rtmp if kind == "RTMP" else server.segments
        for first in range(0, len(seeds), AT_ONCE):
            batch = []
            for seed in seeds[first : first + AT_ONCE]:
                # Over HLS there is nothing to pull before some segments are written.
                onset_s = (7.0 if kind == "RTMP" else 17.0) + 2.0 * rng.random()
                code = (
                    f"from bench.watch_stops import publish; "
                    f"publish('{published}/p{seed}', {seed}, {onset_s}, {seconds})"
                )
                batch.append((seed, subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)))
            time.sleep(2.5 if kind == "RTMP" else 8.0)
            with store.begin() as work:
                for seed, _ in batch:
                    address = f"{published}/p{seed}" if kind == "RTMP" else f"{server.hls}/p{seed}.m3u8"
                    work.save(stream(f"p{seed}", address))
            for seed, process in batch:
                out, _ = process.communicate(timeout=90)
                if out:
                    onsets[f"p{seed}"] = float(out.split()[0])
        stop.set()
        one.stop()
        sender.join(timeout=5.0)
    one_db = decibans(analytic_evalue(measured().weight_db(6, 100, 2 * size), 1))
    needed_db = sensors.bound.rungs[-1].alarm_db
    said = f"evidence of one listed scene, at 6 bits, of what an end needs ({kind}, {size:,} hashes; docs/adr/0009)"
    return [
        *_rows(size, kind, onsets, store.decided, received),
        row(said, f"{one_db:.1f} of {needed_db:.1f} dB", "-"),
    ]


def _rows(
    size: int,
    kind: str,
    onsets: Mapping[str, float],
    decided: Mapping[tuple[str, str], float],
    received: Mapping[str, float],
) -> list[Row]:
    stopped = [id_ for id_ in onsets if id_ in received]
    waits = [received[id_] - onsets[id_] for id_ in stopped] or [float("nan")]
    p50, p95 = statistics.median(waits), float(np.percentile(waits, 95))
    missed = ROUNDS * AT_ONCE - len(stopped)
    note = f", {missed} not stopped" if missed else ""
    what = f"onset to stop webhook received, {size:,} hashes, {len(stopped)} {kind} streams"
    reach = "p50 ≤ 1.5 s, p95 ≤ 3 s" if kind == "RTMP" else "- (told: segments of 2 s, three behind)"
    met = p50 <= 1.5 and p95 <= 3.0 and not missed if kind == "RTMP" else None
    ended = {id_: decided[id_, "end"] for id_ in stopped}
    first = {id_: decided.get((id_, "observe"), ended[id_]) for id_ in stopped}  # one look may be enough
    steps = [
        [first[id_] - onsets[id_] for id_ in stopped],
        [ended[id_] - first[id_] for id_ in stopped],
        [received[id_] - ended[id_] for id_ in stopped],
    ]
    said = " / ".join(f"{statistics.median(step or [float('nan')]):.2f} s" for step in steps)
    return [
        row(
            f"{what}, keyframes every 2 s or at cuts",
            f"p50 {p50:.2f} s, p95 {p95:.2f} s{note}",
            reach,
            met=met,
        ),
        row(
            "the same, medians: until the first look / until the evidence is enough / until received",
            said,
            "-",
        ),
    ]
