"""Publishes the demonstration's live stream over RTMP at its own speed, as a phone would: a program of its own."""

from __future__ import annotations

import io
import sys
import time

import av
import numpy as np

from lightship.core.errors import LightshipError
from lightship.core.values import Rgb
from lightship.detect.test_card import draw
from lightship.media.frames import ArrayPicture, MediaInfo
from lightship.media.sinks import open_sink

WIDTH_PX, HEIGHT_PX, FPS = 640, 360, 25.0
SECONDS = 26.0
FILM_S = 4.0
_RATE = 48_000
CARD_S = (7.0, 15.0)
"""When the test card is held before the camera."""


def scene(at_s: float, card: bool) -> Rgb:
    """Return the benign moving picture of the demonstration, with the test card if it is held up."""
    y, x = (axis.astype(np.float32) for axis in np.ogrid[0:HEIGHT_PX, 0:WIDTH_PX])
    # sin(a + b) and cos(a - b) of columns and rows: a sine for each of them, not for each pixel.
    green, blue = x / 73.0 + at_s * 0.5, x / 91.0 + at_s * 0.6
    frame = np.empty((HEIGHT_PX, WIDTH_PX, 3), dtype=np.uint8)
    for plane, wave in enumerate(
        (
            np.sin(x / 57.0 + at_s * 0.9) + np.cos(y / 41.0 - at_s * 0.7),
            np.sin(green) * np.cos(y / 73.0) + np.cos(green) * np.sin(y / 73.0),
            np.cos(blue) * np.cos(y / 67.0) + np.sin(blue) * np.sin(y / 67.0),
        )
    ):
        frame[:, :, plane] = 128.0 + 50.0 * wave
    ball_x = int(WIDTH_PX * (0.5 + 0.4 * np.sin(at_s * 1.3)))
    ball_y = int(HEIGHT_PX * (0.5 + 0.3 * np.cos(at_s * 1.7)))
    frame[(x - ball_x) ** 2 + (y - ball_y) ** 2 < 28**2] = (250, 210, 60)
    if card:
        drawn = draw(HEIGHT_PX // 2)
        top, left = HEIGHT_PX // 4, (WIDTH_PX - drawn.shape[1]) // 2
        frame[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return frame


def made_film() -> bytes:
    """Return :data:`FILM_S` seconds of the benign scene with a tone that swells, as MP4."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as output:
        video = output.add_stream("libx264", rate=int(FPS), options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        sound = output.add_stream("aac", rate=_RATE)
        sound.layout = "mono"
        for number in range(int(FILM_S * FPS)):
            frame = av.VideoFrame.from_ndarray(scene(number / FPS, card=False), format="rgb24")
            output.mux(video.encode(frame))
        times = np.arange(int(FILM_S * _RATE)) / _RATE
        tone = (0.3 * np.sin(2 * np.pi * 440.0 * times) * np.sin(np.pi * times / FILM_S)).astype(np.float32)
        for start in range(0, len(tone) - 1023, 1024):
            heard = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="fltp", layout="mono")
            heard.sample_rate, heard.pts = _RATE, start
            output.mux(sound.encode(heard))
        output.mux(video.encode(None))
        output.mux(sound.encode(None))
    return file.getvalue()


def publish(address: str) -> None:
    """Publish the whole scene.

    Raises
    ------
    SinkError
        If nobody listens at the address, or it goes away.
    """
    sink = open_sink(address, MediaInfo(WIDTH_PX, HEIGHT_PX, FPS, None, None, live=True, name="demo"))
    began_s = time.monotonic()
    for number in range(int(SECONDS * FPS)):
        at_s = number / FPS
        time.sleep(max(0.0, began_s + at_s - time.monotonic()))
        sink.write(ArrayPicture(at_s, scene(at_s, CARD_S[0] <= at_s < CARD_S[1])))
    sink.close()


def main() -> None:
    """Publish to the address on the command line, once the guard has had time to listen."""
    time.sleep(1.0)
    try:
        publish(sys.argv[1])
    except LightshipError as error:
        sys.exit(str(error))
