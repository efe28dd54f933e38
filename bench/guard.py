"""The guard at 1280×720 and 30 pictures a second: cores, memory, latency, and how fast it acts."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import psutil
from skimage import data

from lightship import packs
from lightship.core.ladder import parse_policy
from lightship.core.values import Rgb, Rung
from lightship.core.weight import BenignStream, Calibration
from lightship.detect.exposure import ExposureDetector
from lightship.detect.pdq import pdq, to_hex
from lightship.detect.test_card import draw
from lightship.guard import Guard
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink
from lightship.media.sources import open_source

WIDTH, HEIGHT, FPS = 1280, 720, 30.0
LIST_SIZE = 100_000
MINUTES = float(os.environ.get("LIGHTSHIP_BENCH_MINUTES", "1"))
"""Length of the real-time run; an hour shows that memory stays flat."""
FILE_MINUTES = float(os.environ.get("LIGHTSHIP_BENCH_FILE_MINUTES", "5"))
"""Length of the file that is played as fast as it goes; an hour of it passes in minutes."""


def _policy_text(folder: Path, hold_back_s: float) -> str:
    """Return a policy with the test card, known media and an exposure model, all at four looks a second."""
    text = (packs.root() / "policies" / "test.toml").read_text()
    exposure = (
        f'[[detectors]]\nname = "exposure"\nlabels = ["exposed"]\ncalibration = "{folder / "calibration.json"}"\n'
        '[detectors.options]\ncard = "nudenet-320n"\n\n[[detectors]]\nname = "test-card"'
    )
    text = text.replace('[[detectors]]\nname = "test-card"', exposure)
    text = text.replace("hold_back_s = 2.0", f"hold_back_s = {hold_back_s}")
    return text.replace("slow_fps = 4", "slow_fps = 4").replace("fast_fps = 6", "fast_fps = 4")


def _prepare(folder: Path) -> None:
    """Write a list of 100,000 hashes, one a benign photograph's, and a made-up calibration (only its cost counts)."""
    rng = np.random.default_rng(7)
    lines = [to_hex(one) for one in rng.integers(0, 2**64, (LIST_SIZE - 1, 4), dtype=np.uint64)]
    lines.append(to_hex(pdq(ArrayPicture(0.0, _photograph()).luma())[0]))
    (folder / "bank.csv").write_text("\n".join(lines))
    version = f"sha256:{ExposureDetector.load().card.sha256}"
    maxima = tuple(float(value) for value in rng.uniform(0.0, 0.6, 9000))
    stream = BenignStream("made up for the benchmark", "sha256:0", maxima, (2.0,) * 9000)
    calibration = Calibration("exposure", version, "exposed", 4.0, (stream,), "2026-11-24", "bench/guard.py")
    (folder / "calibration.json").write_text(json.dumps(calibration.to_json()))


def _photograph() -> Rgb:
    import cv2

    return np.asarray(cv2.resize(data.coffee(), (WIDTH, HEIGHT)), dtype=np.uint8)


def _frames(
    seconds: float, onset: str = "", every_s: float = 10.0, lasts_s: float = 4.0
) -> Iterator[ArrayPicture]:
    """Yield a panning benign picture; a card or a listed photograph comes up, out of step with the looks."""
    import cv2

    wide = np.asarray(cv2.resize(data.astronaut(), (WIDTH * 2, WIDTH * 2)), dtype=np.uint8)
    card, photograph = draw(HEIGHT // 2), _photograph()
    for number in range(int(seconds * FPS)):
        at_s = number / FPS
        left, top = int(600 + 500 * np.sin(at_s / 7)), int(700 + 600 * np.cos(at_s / 9))
        frame = np.ascontiguousarray(wide[top : top + HEIGHT, left : left + WIDTH])
        if onset and _onset_age_s(at_s, every_s) < lasts_s:
            if onset == "card":
                frame[180 : 180 + card.shape[0], 400 : 400 + card.shape[1]] = card
            else:
                frame = photograph
        yield ArrayPicture(at_s, frame)


def _onset_age_s(at_s: float, every_s: float) -> float:
    """Return the seconds since the last onset; onsets drift by 70 ms so that every phase of the looks is met."""
    number = int((at_s - 3.0) // every_s)
    onset_s = 3.0 + number * every_s + number * 0.07
    return at_s - onset_s if number >= 0 and at_s >= onset_s else 1e9


def _write_video(path: Path, seconds: float, onset: str = "") -> None:
    sink = open_sink(
        str(path), MediaInfo(WIDTH, HEIGHT, FPS, None, None, live=False, name="bench"), preset="veryfast"
    )
    for picture in _frames(seconds, onset):
        sink.write(picture)
    sink.close()


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _guard(folder: Path, source: str, sink: str) -> subprocess.Popen[str]:
    """Start the guard in a process of its own, so that its cores and memory are its alone; it prints its outcome."""
    code = (
        "import sys, json; from pathlib import Path; from lightship import app\n"
        "from lightship.media.sources import Reconnect\n"
        "o = app.protect(*sys.argv[1:4], log=Path(sys.argv[4]), options={'known-media': {'lists': [sys.argv[5]]}},"
        " reconnect=Reconnect(linger_s=1.0))\n"
        "print(json.dumps(o.to_json()))"
    )
    (folder / "bench.toml").write_text(_policy_text(folder, 0.0))
    log, bank = folder / "log" / "guard.ledger", folder / "bank.csv"
    arguments = [source, sink, str(folder / "bench.toml"), str(log), str(bank)]
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)


def _early_and_late(rss: list[float]) -> tuple[float, float]:
    """Return the median memory of the first and of the last tenth of a run."""
    tenth = max(5, len(rss) // 10)
    return float(np.median(rss[:tenth])), float(np.median(rss[-tenth:]))


def _real_time(folder: Path) -> list[dict[str, str]]:
    """Publish RTMP into the guard, which publishes RTMP on; both ends are ffmpeg programs."""
    seconds = MINUTES * 60.0
    inward, outward = f"rtmp://127.0.0.1:{_port()}/live/in", f"rtmp://127.0.0.1:{_port()}/live/out"
    listen = ["ffmpeg", "-nostdin", "-loglevel", "error", "-listen", "1", "-i", outward, "-f", "null", "-"]
    receiver = subprocess.Popen(listen, stderr=subprocess.DEVNULL)
    guard = _guard(folder, inward.replace("rtmp", "rtmp+listen", 1), outward)
    time.sleep(5.0)  # the list and the model load
    clip = ["-re", "-stream_loop", "-1", "-i", str(folder / "clip.mp4"), "-t", str(seconds)]
    publisher = subprocess.Popen(
        ["ffmpeg", "-nostdin", "-loglevel", "error", *clip, "-c", "copy", "-f", "flv", inward]
    )
    watched = psutil.Process(guard.pid)
    time.sleep(5.0)
    before, began_s, rss = watched.cpu_times(), time.monotonic(), []
    while publisher.poll() is None:
        time.sleep(1.0)
        rss.append(watched.memory_info().rss / 1e6)
        cpu, lasted_s = watched.cpu_times(), time.monotonic() - began_s
    text, _ = guard.communicate(timeout=60)
    receiver.terminate()
    outcome = json.loads(text)
    cores = (cpu.user + cpu.system - before.user - before.system) / lasted_s
    counts = outcome["counts"]
    lost = round(seconds * FPS) - counts["pictures_out"]
    early, late = _early_and_late(rss)
    what = f"1280×720 at 30/s, RTMP to RTMP, card + 100k hashes + exposure model at 4/s, {MINUTES:g} min"
    return [
        _row(f"{what}: cores", f"{cores:.2f}", "real time", f"{cores:.2f}", "≤ 1.2", cores <= 1.2),
        _row(
            "the same: pictures lost",
            f"{max(0, lost)} of {round(seconds * FPS)}",
            "as published",
            f"{counts['pictures_out'] / (seconds * FPS):.4f}",
            "0",
            lost <= 2,
        ),
        _row(
            "the same: memory, early and late",
            f"{early:.0f} MB, {late:.0f} MB",
            "-",
            f"{late / early:.3f}",
            "≤ 500 MB, flat",
            late <= 500 and late / early < 1.05,
        ),
        _row(
            "the same: latency added, hold-back 0, p50 / p95",
            f"{outcome['latency_ms']['p50']:.0f} / {outcome['latency_ms']['p95']:.0f} ms",
            "one picture 33 ms",
            "-",
            "p95 ≤ 60 ms",
            outcome["latency_ms"]["p95"] <= 60,
        ),
    ]


def _file(folder: Path) -> list[dict[str, str]]:
    """Play a long file through the guard as fast as it goes."""
    seconds, long = FILE_MINUTES * 60.0, folder / "long.mkv"
    loop = ["-stream_loop", "-1", "-i", str(folder / "clip.mp4"), "-t", str(seconds), "-c", "copy", str(long)]
    subprocess.run(["ffmpeg", "-nostdin", "-loglevel", "error", "-y", *loop], check=True)
    began_s, rss = time.monotonic(), []
    guard = _guard(folder, str(long), "null")
    watched = psutil.Process(guard.pid)
    while guard.poll() is None:
        time.sleep(0.25)
        with contextlib.suppress(psutil.Error):
            rss.append(watched.memory_info().rss / 1e6)
    took_s = time.monotonic() - began_s
    counts = json.loads(guard.communicate()[0])["counts"]
    with av.open(str(long)) as medium:
        pictures = sum(packet.size > 0 for packet in medium.demux(video=0))
    long.unlink()
    loading = round(len(rss) * 5.0 / took_s)  # the list and the model load
    early, late = _early_and_late(rss[loading:])
    what = f"a file of {FILE_MINUTES:g} min, the same size and detectors, as fast as it goes"
    lost = pictures - counts["pictures_out"]
    flat = late <= 500 and late / early < 1.05
    return [
        _row(
            f"{what}: memory, early and late",
            f"{early:.0f} MB, {late:.0f} MB",
            f"real time takes {seconds / took_s:.1f}× as long",
            f"{late / early:.3f}",
            "≤ 500 MB, flat",
            flat,
        ),
        _row("the same: pictures lost", f"{lost} of {pictures}", "-", "-", "0", lost == 0),
    ]


def _acting(folder: Path, onset: str, hold_back_s: float) -> list[dict[str, str]]:
    """Play a file live and see when what left was covered."""
    seconds = 93.0
    _write_video(folder / f"{onset}.mp4", seconds, onset)
    policy = parse_policy(
        _policy_text(folder, hold_back_s).replace('name = "exposure"', 'name = "exposure"\nrequired = true')
    )
    guard = Guard(policy, options={"known-media": {"lists": [str(folder / "bank.csv")]}})
    left: list[tuple[float, Rung | None]] = []
    with open_source(str(folder / f"{onset}.mp4"), realtime=True) as source:
        guard.run(
            source, open_sink("null", source.info), progress=lambda at_s, rung: left.append((at_s, rung))
        )
    onsets = sorted(
        {round(at_s - _onset_age_s(at_s, 10.0), 2) for at_s, _ in left if _onset_age_s(at_s, 10.0) < 4.0}
    )
    name = {"card": "test card", "photograph": "listed photograph"}[onset]
    if hold_back_s:
        leaked = sum(rung is None and _onset_age_s(at_s, 10.0) < 4.0 for at_s, rung in left)
        what = (
            f"{name}: sensitive pictures that left, hold-back {hold_back_s:g} s, {len(onsets)} onsets, live"
        )
        return [_row(what, str(leaked), "-", "-", "0", leaked == 0)]
    rows = []
    for rungs, reach_s in ((("blur", "pause", "end"), 0.6), (("pause", "end"), 5.0)):
        delays = []
        for onset_s in onsets:
            covered = [
                at_s for at_s, rung in left if rung in rungs and onset_s - 0.01 <= at_s < onset_s + 9.0
            ]
            delays.append(min(covered) - onset_s if covered else float("inf"))
        p50, p95 = float(np.median(delays)), float(np.quantile(delays, 0.95))
        what = f"{name}: onset to {rungs[0]}, hold-back 0, {len(onsets)} onsets, live, p50 / p95"
        rows.append(_row(what, f"{p50:.2f} / {p95:.2f} s", "-", "-", f"p95 ≤ {reach_s:g} s", p95 <= reach_s))
    return rows


def _row(what: str, ours: str, peer: str, ratio: str, reach: str, met: bool) -> dict[str, str]:
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "reach": reach,
        "met": "yes" if met else "NO",
    }


def run() -> list[dict[str, str]]:
    """Return the table's rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        _write_video(folder / "clip.mp4", 20.0)
        rows = _real_time(folder)
        rows += _file(folder)
        rows += _acting(folder, "card", 0.0)
        rows += _acting(folder, "photograph", 0.0)
        rows += _acting(folder, "card", 2.0)
    return rows


if __name__ == "__main__":
    for row in run():
        print(row)
