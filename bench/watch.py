"""The watch: real RTMP and HLS on loopback under known media, the scheduler, onset to stop, a killed worker, growth."""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import multiprocessing as mp
import time

import cv2

from bench.watch_killed import killed
from bench.watch_made import SHORT_LIST, Row, known_media, row, sensors_of, stream
from bench.watch_stops import scene, stops
from bench.watch_streams import streams
from bench.watch_turns import scheduling
from lightship.demo import media_server
from lightship.media.frames import ArrayPicture
from lightship.watch.ring import ProcessKey, Ring
from lightship.watch.watcher import StreamWatcher


def _looks(seconds: float) -> int:
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    sensors = sensors_of([known_media(SHORT_LIST)])
    watchers = [
        StreamWatcher(
            stream(f"s{number}"),
            "terms",
            sensors,
            Ring(ProcessKey()),
            lambda _entry: None,
            lambda _sighting: None,
            run=1,
        )
        for number in range(4)
    ]
    shown = [ArrayPicture(0.0, scene(number, 0.0)) for number in range(8)]
    for one in shown:
        one.luma()
    until_s, second = time.monotonic() + seconds, 0
    while time.monotonic() < until_s:
        for watcher in watchers:
            watcher.arrive(shown[second % 8].at(float(second)))
        second += 1
    return second * len(watchers)


def growth() -> list[Row]:
    """Look at streams of pictures that need no decoding with one, two and four worker processes."""
    rates = {}
    for workers in (1, 2, 4):
        with mp.get_context("spawn").Pool(workers) as pool:
            rates[workers] = sum(pool.map(_looks, [5.0] * workers)) / 5.0
    said = ", ".join(f"{workers}: {rate:,.0f}" for workers, rate in rates.items())
    what = f"decode-free 640x360 streams, looks a second by workers, {os.cpu_count()} cores"
    ratio = rates[2] / rates[1]
    return [
        {**row(what, said, "near linear up to the cores", met=ratio >= 1.7), "ratio": f"{ratio:.1f}× with 2"}
    ]


def run() -> list[Row]:
    """Return the table's rows."""
    if not media_server.available():
        print("nginx with its RTMP module is not installed: the parts over RTMP and HLS are left out")
        return [*scheduling(), *growth()]
    return [*streams(), *scheduling(), *stops(), *killed(), *growth()]
