"""Sound apart from the picture: the one without the other, and how loud it is before anybody listens."""

from __future__ import annotations

import io
import wave
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from lightship.console.problems import Problem

RATE_HZ = 16_000
_BARS = 120
_WIDE, _HIGH = 480, 60
_LONGEST_S = 120.0


def sound_of(data: bytes) -> bytes:
    """Return an exhibit's sound alone (WAV, one channel, 16 kHz).

    Raises
    ------
    Problem
        If it has none that can be read.
    """
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(_samples(data).tobytes())
    return made.getvalue()


def silent(data: bytes) -> bytes:
    """Return a film without its sound, packet by packet as it was (MP4).

    Raises
    ------
    Problem
        If it is no film that can be read.
    """
    made = io.BytesIO()
    try:
        with av.open(io.BytesIO(data), "r") as source, av.open(made, "w", format="mp4") as target:
            video = source.streams.video[0]
            copy = target.add_stream_from_template(video)
            for packet in source.demux(video):
                if packet.dts is not None:
                    packet.stream = copy
                    target.mux(packet)
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise Problem("not-found", "The exhibit cannot be shown as a film.") from error
    return made.getvalue()


def wave_of(data: bytes) -> str:
    """Return how loud an exhibit is over its time, as a picture (SVG) of numbers alone.

    Raises
    ------
    Problem
        If it has no sound that can be read.
    """
    samples = _samples(data)
    peaks = [float(np.abs(part.astype(np.int32)).max()) / 32_768 if len(part) else 0.0
             for part in np.array_split(samples, _BARS)]  # fmt: skip
    step, middle = _WIDE / _BARS, _HIGH / 2
    bars = "".join(
        f"M{number * step + step / 2:.1f} {middle - max(1.0, peak * middle):.1f}V{middle + max(1.0, peak * middle):.1f}"
        for number, peak in enumerate(peaks)
    )
    seconds = len(samples) / RATE_HZ
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE} {_HIGH}" role="img">'
        f"<title>Loudness over {seconds:.1f} s, at most {100 * max(peaks):.0f} of 100</title>"
        f'<path d="{bars}" stroke="#5b7a94" stroke-width="2.5" fill="none"/></svg>'
    )


def _samples(data: bytes) -> NDArray[np.int16]:
    """Return at most two minutes of samples, ``(N,) int16`` at :data:`RATE_HZ`."""
    parts: list[NDArray[Any]] = []
    most = int(_LONGEST_S * RATE_HZ)
    try:
        with av.open(io.BytesIO(data), "r") as source:
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            for frame in source.decode(source.streams.audio[0]):
                parts += [one.to_ndarray().ravel() for one in resampler.resample(frame)]
                if sum(map(len, parts)) >= most:
                    break
            parts += [one.to_ndarray().ravel() for one in resampler.resample(None)]
    except (av.FFmpegError, IndexError, ValueError) as error:
        raise Problem("not-found", "The exhibit has no sound.") from error
    return np.concatenate(parts)[:most].astype(np.int16) if parts else np.zeros(0, np.int16)
