"""Media made for a test: moving pictures with a number that can be read back, and a tone."""

from __future__ import annotations

import socket
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


def numbered(width: int, height: int, number: int) -> np.ndarray:
    """Return a picture whose top left quarter holds the number as a grey level, ``number % 200 + 30``."""
    image = np.full((height, width, 3), 120, np.uint8)
    image[:, :, 0] = np.linspace(0, 255, width, dtype=np.uint8)
    image[: height // 2, : width // 2] = number % 200 + 30
    return image


def number_in(rgb: np.ndarray) -> float:
    """Return the number that :func:`numbered` put in."""
    height, width = rgb.shape[:2]
    return float(rgb[height // 8 : height * 3 // 8, width // 8 : width * 3 // 8].mean()) - 30.0


def tone(samples: int, rate: int, start: int) -> np.ndarray:
    return (0.3 * np.sin(2 * np.pi * 440 * (start + np.arange(samples)) / rate)).astype(np.float32)[None, :]


def make(
    path: Path | str,
    *,
    width: int = 160,
    height: int = 96,
    fps: int = 25,
    seconds: float = 1.0,
    times: list[float] | None = None,
    sound: bool = True,
    codec: str = "libx264",
    rotation: int = 0,
    form: str | None = None,
    options: dict[str, str] | None = None,
    encoder: dict[str, str] | None = None,
) -> Path | str:
    """Write a clip; picture n lies at ``times[n]``, or n / fps."""
    times = times if times is not None else [number / fps for number in range(round(fps * seconds))]
    with av.open(str(path), "w", format=form, container_options=options or {}) as container:
        settings = {"preset": "ultrafast", "g": str(max(1, fps // 2))} if codec == "libx264" else {}
        settings.update(encoder or {})
        video = container.add_stream(codec, rate=fps, width=width, height=height, options=settings)
        video.pix_fmt = {"mpeg2video": "yuv420p", "mjpeg": "yuvj420p", "png": "rgb24"}.get(codec, "yuv420p")
        if codec == "libx264":
            video.codec_context.time_base = Fraction(1, 90_000)
        if rotation:
            video.set_display_rotation(rotation)
        audio = container.add_stream("aac", rate=48_000, layout="mono") if sound else None
        done = 0
        for number, at_s in enumerate(times):
            frame = av.VideoFrame.from_ndarray(numbered(width, height, number))
            base = Fraction(1, 90_000) if codec == "libx264" else Fraction(1, fps)
            frame.pts, frame.time_base = round(at_s / base), base
            container.mux(video.encode(frame))
            while audio is not None and done < at_s * 48_000:
                piece = av.AudioFrame.from_ndarray(tone(1024, 48_000, done), format="fltp", layout="mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, done, Fraction(1, 48_000)
                done += 1024
                container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        if audio is not None:
            container.mux(audio.encode(None))
    return path


def write(
    path: Path | str,
    pictures: list[np.ndarray],
    *,
    fps: int,
    encoder: dict[str, str] | None = None,
    keys: frozenset[int] = frozenset(),
) -> Path | str:
    """Write a clip of these pictures in H.264, without sound; ``keys`` are keyframes in any case."""
    with av.open(str(path), "w") as container:
        height, width = pictures[0].shape[:2]
        settings = {"preset": "ultrafast", "forced-idr": "1", **(encoder or {})}
        video = container.add_stream("libx264", rate=fps, width=width, height=height, options=settings)
        video.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture)
            frame.pts, frame.time_base = number, Fraction(1, fps)
            if number in keys:
                frame.pict_type = av.video.frame.PictureType.I
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ManualClock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0.0
        self.now_s += seconds
