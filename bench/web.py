"""The guard in a browser: what it costs a call in Chromium, how fast it covers, its size, what a pack takes to verify.

Both ends of the call run in one headless Chromium with software VP8 on this machine, so that the machine is the limit.
The same call without the guard, in the same run, is the peer: its page is the same but for the one line that protects.
"""

from __future__ import annotations

import gzip
import itertools
import os
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from playwright.sync_api import Browser, Page, Playwright, sync_playwright
from tests.browser.call import FPS, HEIGHT, WIDTH, browser, meet, policy, served

from bench.packs import REACH_MS, large_pack
from bench.sframe import FRAME_BYTES, _median_us
from lightship.core.sframe import FrameKey
from lightship.core.sframe_ends import Receiver, Sender
from lightship.detect.test_card import draw

SECONDS = 12
ONSETS = 8
CYCLE_S, CARD_FROM_S, CARD_TO_S = 8, 2, 5
BITS = 10
GUARD = Path("src/lightship/console/static/guard")

UNGUARDED = "const safe = Object.assign(raw.clone(), { guard: { stop() {} } });"
"""What stands in the peer's page in place of the line that protects."""

CLOCK = """(id) => {
  // Each picture that is shown: when, the number that is written in it, and whether the card is in it.
  const video = document.getElementById(id) ?? (() => {
    const made = document.createElement('video'); made.muted = true; made.id = id;
    made.srcObject = new MediaStream([call.raw]);
    Object.assign(made.style, { position: 'fixed', top: 0, left: 0, width: '160px' });
    document.body.append(made); void made.play();
    return made; })();
  const canvas = document.createElement('canvas'); canvas.width = 160; canvas.height = 90;
  const context = canvas.getContext('2d', { willReadFrequently: true }), seen = ((window.clock ??= {})[id] = []);
  const each = () => {
    const at = Date.now();
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(0, 0, 160, 90);
    let number = 0, sure = true;
    for (let bit = 0; bit < 10; bit++) {
      const tone = data[4 * (4 * 160 + bit * 16 + 8)];
      if (tone > 90 && tone < 160) sure = false;
      number = 2 * number + (tone > 125);
    }
    let edges = 0;
    for (let y = 30; y < 80; y++) for (let x = 57; x < 104; x++) {
      const i = 4 * (y * 160 + x);
      edges += Math.abs(data[i] - data[i - 4]) > 60 && Math.max(data[i] - data[i + 2], data[i - 4] - data[i - 2]) > 30;
    }
    seen.push([at, sure ? number : null, edges]);
    video.requestVideoFrameCallback(each);
  };
  video.requestVideoFrameCallback(each);
}"""

STATS = """async () => {
  const found = {};
  for (const one of (await call.connection.getStats()).values()) {
    if (one.type === 'inbound-rtp') Object.assign(found, { decoded: one.framesDecoded });
    if (one.type === 'outbound-rtp') Object.assign(found, { sent: one.framesSent, bytes: one.bytesSent });
  }
  return found;
}"""


def film(path: Path, seconds: float, card: tuple[float, float] | None) -> Path:
    """Write a moving picture with grain and each frame's number in it, for a camera; the card in it for a while."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    marker, rng = cv2.cvtColor(draw(200), cv2.COLOR_RGB2GRAY), np.random.default_rng(6)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(round(seconds * FPS)):
            at_s = number / FPS
            luma = 110 + 60 * np.sin(columns / 37 + at_s) * np.cos(rows / 23 - at_s / 2)
            luma = (luma + rng.normal(0, 5, luma.shape)).clip(0, 255).astype(np.uint8)
            if card is not None and card[0] <= at_s < card[1]:
                luma[120:320, 220:420] = marker
            for bit in range(BITS):
                luma[0:36, bit * 64 : (bit + 1) * 64] = 235 if number >> (BITS - 1 - bit) & 1 else 16
            chroma = np.full(WIDTH * HEIGHT // 4, 128, np.uint8)
            out.write(b"FRAME\n" + luma.tobytes() + np.full_like(chroma, 90).tobytes() + chroma.tobytes())
    return path


@contextmanager
def call(made: Browser, address: str, *, guarded: bool) -> Iterator[tuple[Page, Page]]:
    """Yield two pages that see each other; without the guard the line that protects is another."""
    context = made.new_context()
    if not guarded:

        def other(route: Any) -> None:
            text = route.fetch().text()
            line = next(line for line in text.splitlines() if "await guard.protect(" in line)
            route.fulfill(body=text.replace(line, UNGUARDED), content_type="text/javascript")

        context.route("**/call.js", other)
    one, two = context.new_page(), context.new_page()
    try:
        meet(one, two, address)
        yield one, two
    finally:
        context.close()


def flow(made: Browser, address: str, *, guarded: bool) -> dict[str, Any]:
    """Return frames received a second, glass to glass in ms, and the transform's times of one call."""
    with call(made, address, guarded=guarded) as (one, two):
        one.wait_for_timeout(4000)  # until the encoder has found its rate
        # Both cameras are one device, and only the page in front is drawn at full rate: both ends are timed there.
        two.evaluate(CLOCK, "glass")
        two.evaluate(CLOCK, "theirs")
        before, sent = two.evaluate(STATS), one.evaluate(STATS)
        one.evaluate("call.out.times()")
        one.wait_for_timeout(SECONDS * 1000)
        after, sent_after = two.evaluate(STATS), one.evaluate(STATS)
        times = one.evaluate("call.out.times()")
        shown = {row[1]: row[0] for row in two.evaluate("clock.glass") if row[1] is not None}
        waits = [
            at - shown[number]
            for at, number, _ in two.evaluate("clock.theirs")
            if number in shown and 0 <= at - shown[number] < 2000
        ]
    frames = sent_after["sent"] - sent["sent"]
    return {
        "fps": (after["decoded"] - before["decoded"]) / SECONDS,
        "waits": waits,
        "times": times,
        "bytes": (sent_after["bytes"] - sent["bytes"]) / max(1, frames),
    }


def onsets(made: Browser, address: str) -> tuple[list[float], int, int]:
    """Return seconds from the card's onset to the last frame that shows it, and sensitive frames after a pause."""
    with call(made, address, guarded=True) as (one, two):
        # Both cameras are one device, and only the page in front is drawn at full rate: both ends are timed there.
        two.evaluate(CLOCK, "glass")
        two.evaluate(CLOCK, "theirs")
        one.wait_for_timeout(CYCLE_S * (ONSETS + 1) * 1000)
        glass, theirs, events = (
            two.evaluate("clock.glass"),
            two.evaluate("clock.theirs"),
            one.evaluate("call.events"),
        )
    begins = [
        at for (at, _, edges), (_, _, before) in zip(glass[1:], glass, strict=False) if edges > 100 > before
    ]
    begins = [at for at, earlier in zip(begins, [0, *begins], strict=False) if at - earlier > 2000][:ONSETS]
    covered = []
    for began in begins:
        visible = [
            at
            for at, _, edges in theirs
            if edges > 30 and began - 50 <= at < began + 1000 * (CARD_TO_S - CARD_FROM_S)
        ]
        covered.append((max(visible, default=began) - began) / 1000)
    pauses = [event["at"] for event in events if event.get("rung") == "pause"]
    after = [sum(edges > 30 for at, _, edges in theirs if pause < at < pause + 1500) for pause in pauses]
    return covered, sum(after), len(pauses)


def pack_ms(made: Browser, address: str) -> list[float]:
    """Return what it takes the browser to verify a pack of 10 MB, again and again on a fresh device."""
    with large_pack() as (folder, root):
        page = made.new_page()
        page.route("**/packs/**", lambda route: _file(route, folder))
        page.goto(address)
        times: list[float] = page.evaluate(
            """async (root) => {
              const { Packs } = await import('/guard.js'), kept = new Map(), times = [];
              const read = async (path) => {
                if (!kept.has(path)) {
                  const answer = await fetch('/packs/' + path);
                  kept.set(path, answer.ok ? new Uint8Array(await answer.arrayBuffer()) : null);
                }
                return kept.get(path);
              };
              for (let i = 0; i < 8; i++) {
                let text = null;
                const packs = new Packs({ root, read, store: { read: () => text, write: (now) => { text = now; } } });
                const began = performance.now();
                await packs.open('device');
                times.push(performance.now() - began);
              }
              return times.slice(1); // the first also fetched the files
            }""",
            root.decode(),
        )
        page.close()
    return times


def _file(route: Any, folder: Path) -> None:
    path = folder / route.request.url.partition("/packs/")[2]
    if path.is_file():
        route.fulfill(body=path.read_bytes())
    else:
        route.fulfill(status=404)


def run() -> list[dict[str, str]]:
    """Measure, and return table rows: what, ours, peer, ratio, reach, met."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as play:
        return [*_python_sframe(), *_browser(play, Path(name)), _size()]


def _browser(play: Playwright, folder: Path) -> list[dict[str, str]]:
    runs: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    with served() as address, browser(play, film(folder / "flow.y4m", 20, None)) as made:
        for guarded in (False, True, True, False):
            runs[guarded].append(flow(made, address, guarded=guarded))
        packs = pack_ms(made, address)
    text = policy("benign").replace("release_after_s = 3.0", "release_after_s = 1.0")
    with (
        served(text) as address,
        browser(play, film(folder / "card.y4m", CYCLE_S, (CARD_FROM_S, CARD_TO_S))) as made,
    ):
        covered, after, pauses = onsets(made, address)
    on, off = (statistics.mean(one["fps"] for one in runs[guarded]) for guarded in (True, False))
    waits = {
        guarded: list(itertools.chain.from_iterable(one["waits"] for one in runs[guarded]))
        for guarded in runs
    }
    p50, p95 = ({guarded: float(np.quantile(waits[guarded], q)) for guarded in runs} for q in (0.5, 0.95))
    times = list(itertools.chain.from_iterable(one["times"] for one in runs[True]))
    size, added = statistics.mean(one["bytes"] for one in runs[True]), p95[True] - p95[False]
    encrypt_ms, verify_ms = statistics.mean(times), statistics.median(packs)
    covers = float(np.quantile(covered, 0.95)) if covered else float("nan")
    return [
        _row(
            f"SFrame in the transform, AES-GCM 128, frames of {size / 1000:.1f} kB, mean of {len(times):,}",
            f"{encrypt_ms:.2f} ms",
            "-",
            "-",
            "≤ 0.3 ms",
            encrypt_ms <= 0.3,
        ),
        _row(
            "call 640×360, both ends in one browser: frames received a second",
            f"{on:.1f}",
            f"without the guard {off:.1f}",
            f"{on / off:.2f}",
            "≥ 24, or ratio ≥ 0.85",
            on >= 24 or on / off >= 0.85,
        ),
        _row(
            f"the same: glass to glass, p50 / p95 of {len(waits[True]):,}",
            f"{p50[True]:.0f} / {p95[True]:.0f} ms",
            f"without the guard {p50[False]:.0f} / {p95[False]:.0f} ms",
            f"{p95[True] / p95[False]:.2f}",
            "p95 + ≤ 60 ms",
            added <= 60,
        ),
        _row(
            f"onset of the test card to covered at the receiver, {len(covered)} onsets, p50 / p95",
            f"{statistics.median(covered):.2f} / {covers:.2f} s",
            "-",
            "-",
            "p95 ≤ 0.8 s",
            covers <= 0.8,
        ),
        _row(
            f"sensitive frames received after a pause, {pauses} pauses",
            str(after),
            "-",
            "-",
            "0",
            after == 0 and pauses > 0,
        ),
        _row(
            "verify a signed pack of 10 MB in the browser, on a fresh device",
            f"{verify_ms:.0f} ms",
            "-",
            "-",
            f"≤ {REACH_MS:.0f} ms",
            verify_ms <= REACH_MS,
        ),
    ]


def _python_sframe() -> list[dict[str, str]]:
    frame = b"\x01" + os.urandom(FRAME_BYTES - 1)
    key = FrameKey(4, 1, os.urandom(32))
    sender, receiver = Sender(key, itertools.count(), "vp8"), Receiver("vp8")
    receiver.add(key)
    sealed = (sender.encrypt(frame) for _ in itertools.count())
    both_us, one_us = (
        _median_us(lambda: receiver.decrypt(next(sealed))),
        _median_us(lambda: sender.encrypt(frame)),
    )
    return [
        _row(f"SFrame in Python, AES-GCM 128, 6 kB: {what}", f"{us:.1f} µs", "-", "-", "≤ 15 µs", us <= 15)
        for what, us in (("encrypt", one_us), ("decrypt", both_us - one_us))
    ]


def _size() -> dict[str, str]:
    packed = sum(len(gzip.compress(path.read_bytes(), 9, mtime=0)) for path in sorted(GUARD.glob("*.js")))
    return _row(
        "@lightship/guard without runtime and model, gzip",
        f"{packed / 1000:.1f} kB",
        "-",
        "-",
        "≤ 40 kB",
        packed <= 40_000,
    )


def _row(what: str, ours: str, peer: str, ratio: str, reach: str, met: bool, /) -> dict[str, str]:
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "ratio": ratio,
        "reach": reach,
        "met": "yes" if met else "no",
    }
