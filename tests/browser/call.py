"""A call for two in Debian's Chromium: the server, and browsers whose camera is a file."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import cv2
import numpy as np
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Playwright

from lightship import packs
from lightship.console.call import call_app
from lightship.console.server import Server, config_of
from lightship.detect.test_card import draw

CHROMIUM = Path("/usr/bin/chromium")
WIDTH, HEIGHT, FPS = 640, 360, 30


def policy(release: str = "person", grace_s: float = 1) -> str:
    """The test policy for a call: nothing is held back, and a person may go on."""
    return (
        packs.policy_text("test")
        .replace("hold_back_s = 2.0", f"hold_back_s = 0\ngrace_s = {grace_s}")
        .replace('release = "benign"', f'release = "{release}"')
    )


def film(path: Path, seconds: float, card_from_s: float | None = None, card_to_s: float = 1e9) -> Path:
    """Write a benign, moving picture as Y4M, the test card in it for a while; it repeats when it is over."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    card = cv2.cvtColor(draw(200), cv2.COLOR_RGB2GRAY)
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420jpeg\n".encode())
        for number in range(round(seconds * FPS)):
            at_s = number / FPS
            luma = (110 + 60 * np.sin(columns / 37 + at_s) * np.cos(rows / 23 - at_s / 2)).astype(np.uint8)
            if card_from_s is not None and card_from_s <= at_s < card_to_s:
                luma[80:280, 220:420] = card
            chroma = np.full(WIDTH * HEIGHT // 4, 128, np.uint8)
            blue = np.full_like(chroma, 90)  # a tint that the still card has not
            out.write(b"FRAME\n" + luma.tobytes() + blue.tobytes() + chroma.tobytes())
    return path


def served(text: str | None = None) -> AbstractContextManager[str]:
    helps = tuple(line.words for line in packs.help_lines("gb") if line.audience in {"all", "child"})
    return serving(call_app(text or policy(), helps))


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve an application on this machine, and yield its address."""
    server = Server(config_of(app, "127.0.0.1", 0, arrive_s=10.0, end_s=1.0, ws="wsproto"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server.address(10.0)
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def browser(engine: Playwright, camera: Path) -> Iterator[Browser]:
    """A browser whose camera plays a file, and whose permission is given."""
    made = engine.chromium.launch(
        executable_path=str(CHROMIUM),
        args=[
            "--no-sandbox",
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={camera}",
            "--autoplay-policy=no-user-gesture-required",
            "--disable-features=WebRtcHideLocalIpsWithMdns",
        ],
    )
    try:
        yield made
    finally:
        made.close()


def until(page: Page, condition: str, wait_s: float = 15.0) -> None:
    """Wait until a condition holds on a page; asked from outside, as the page's own rules forbid evaluating text."""
    end_s = time.monotonic() + wait_s
    while not page.evaluate(f"Boolean({condition})"):
        if time.monotonic() > end_s:
            state = page.evaluate(
                "[document.body.innerText, JSON.stringify(window.call ?? null, (k, v) => k === 'guard' ? 0 : v)]"
            )
            raise AssertionError(f"{condition} did not come about: {state}")
        page.wait_for_timeout(50)


def enter(page: Page, address: str, room: str = "demo", query: str = "") -> None:
    page.goto(f"{address}/{query}")
    page.fill("#room", room)
    page.click("#enter button")


def meet(one: Page, other: Page, address: str, query: str = "") -> None:
    """Let two pages call each other, until both see a picture."""
    for page in (one, other):
        enter(page, address, query=query)
        until(page, "window.call.safe", 15)
        page.wait_for_timeout(300)
    for page in (one, other):
        until(page, "document.getElementById('theirs').videoWidth > 0", 20)


LOOK = """async () => {
  const video = document.getElementById('%s'), canvas = document.createElement('canvas');
  canvas.width = 160; canvas.height = 90;
  const context = canvas.getContext('2d');
  context.drawImage(video, 0, 0, 160, 90);
  const { data } = context.getImageData(0, 0, 160, 90);
  let edges = 0, sum = 0;
  for (let y = 20; y < 70; y++) for (let x = 56; x < 104; x++) {
    const i = 4 * (y * 160 + x); sum += data[i];
    edges += Math.abs(data[i] - data[i - 4]) > 60 && Math.max(data[i] - data[i + 2], data[i - 4] - data[i - 2]) > 30;
  }
  return edges;
}"""


def edges(page: Page, which: str) -> int:
    """How many sharp edges of the camera's own tint are where the card would be: none under a cover."""
    found: int = page.evaluate(LOOK % which)
    return found
