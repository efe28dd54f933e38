"""Benign moving pictures for the stories, with the test card where a story needs it."""

from __future__ import annotations

import socket
from functools import cache

import numpy as np

from lightship.detect.test_card import draw
from lightship.media.frames import ArrayPicture, MediaInfo, Sound
from lightship.media.sinks import open_sink

WIDTH, HEIGHT, FPS = 640, 360, 25.0


@cache
def _grid(width, height):
    """Return a picture's columns, its rows, and the one of its three waves that stands still."""
    y, x = np.ogrid[0:height, 0:width]
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x, y, 128 + 50 * np.cos(x / 91 - y / 67)


_card = cache(draw)


def frame(at_s, card=False, width=WIDTH, height=HEIGHT):
    """Return a benign picture of colours and a moving ball, with the card in its middle if asked."""
    x, y, still = _grid(width, height)
    picture = np.empty((height, width, 3), np.uint8)
    picture[:, :, 0] = (128 + 50 * np.sin(x / 57 + at_s * 0.9)) + 50 * np.cos(y / 41 - at_s)
    across = x / 73 + at_s * 0.5  # of sin(across + y / 73): by columns and rows, a tenth of the sines
    picture[:, :, 1] = 128 + (50 * np.sin(across)) * np.cos(y / 73) + (50 * np.cos(across)) * np.sin(y / 73)
    picture[:, :, 2] = still
    ball_x, ball_y = width * (0.5 + 0.4 * np.sin(at_s * 1.3)), height * (0.5 + 0.3 * np.cos(at_s * 1.7))
    picture[(x - ball_x) ** 2 + (y - ball_y) ** 2 < (height / 12) ** 2] = (250, 210, 60)
    if card:
        drawn = _card(height // 2)
        top, left = height // 4, (width - drawn.shape[1]) // 2
        picture[top : top + drawn.shape[0], left : left + drawn.shape[1]] = drawn
    return picture


def tone(at_s, samples=1024, rate=48_000):
    """Return a stretch of a 440 Hz tone."""
    import av

    t = at_s + np.arange(samples) / rate
    wave = (0.4 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[None, :]
    sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    sound.sample_rate = rate
    return Sound(at_s, sound)


def write_video(path, *, seconds, card_s=None, fps=FPS, sound=False, width=WIDTH, height=HEIGHT):
    """Write a benign video; the card is held before the camera during ``card_s``."""
    info = MediaInfo(
        width, height, fps, 48_000 if sound else None, 1 if sound else None, live=False, name="scene"
    )
    sink = open_sink(str(path), info)
    heard_s = 0.0
    for number in range(round(seconds * fps)):
        at_s = number / fps
        held = card_s is not None and card_s[0] <= at_s < card_s[1]
        sink.write(ArrayPicture(at_s, frame(at_s, held, width, height)))
        while sound and heard_s <= at_s:
            sink.write(tone(heard_s))
            heard_s += 1024 / 48_000
    sink.close()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
