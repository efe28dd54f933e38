"""Publishes a demonstration stream as live HLS into a folder, at its own speed: a program of its own."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import av
import numpy as np

from lightship.core.values import Rgb
from lightship.demo.publisher import FPS, HEIGHT_PX, WIDTH_PX, scene

SECONDS = 3600.0


def listed_picture() -> Rgb:
    """Return the benign picture ``(H, W, 3) uint8`` that stands for listed material in the demonstration."""
    rng = np.random.default_rng(42)
    coarse = rng.integers(0, 255, (9, 16, 3)).astype(np.float32)
    rows = np.linspace(0, 8, HEIGHT_PX)
    columns = np.linspace(0, 15, WIDTH_PX)
    low_r, low_c = rows.astype(int).clip(0, 7), columns.astype(int).clip(0, 14)
    down, across = (rows - low_r)[:, None, None], (columns - low_c)[None, :, None]
    top = coarse[low_r][:, low_c] * (1 - across) + coarse[low_r][:, low_c + 1] * across
    bottom = coarse[low_r + 1][:, low_c] * (1 - across) + coarse[low_r + 1][:, low_c + 1] * across
    return np.asarray((top * (1 - down) + bottom * down).clip(0, 255), dtype=np.uint8)


def publish(folder: Path, listed_from_s: float) -> None:
    """Publish until the hour is over, or whoever began it is gone; from a second on, the listed picture is shown.

    Parameters
    ----------
    listed_from_s
        Infinite for a stream that stays benign.
    """
    options = {"hls_time": "1", "hls_list_size": "6", "hls_flags": "delete_segments+temp_file"}
    with av.open(str(folder / "live.m3u8"), "w", format="hls", options=options) as output:
        stream = output.add_stream(
            "libx264", rate=int(FPS), options={"preset": "ultrafast", "tune": "zerolatency"}
        )
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.gop_size = int(FPS)
        listed, began_s, parent = listed_picture(), time.monotonic(), os.getppid()
        for number in range(int(SECONDS * FPS)):
            if os.getppid() != parent:
                return
            at_s = number / FPS
            time.sleep(max(0.0, began_s + at_s - time.monotonic()))
            shown = listed if at_s >= listed_from_s else scene(at_s, card=False)
            frame = av.VideoFrame.from_ndarray(shown, format="rgb24")
            for packet in stream.encode(frame):
                output.mux(packet)


if __name__ == "__main__":
    publish(Path(sys.argv[1]), float(sys.argv[2]))
