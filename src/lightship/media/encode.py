"""From pictures and sounds to one FFmpeg container: H.264 and AAC. Loads PyAV: import it only to open a sink."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import av.container
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from lightship.core.errors import SinkError
from lightship.core.ports import Picture
from lightship.media.frames import ArrayPicture, MediaInfo, Sound, VideoPicture, frame_from_planes, plane_view

TICKS = 90_000
"""Time base of pictures, a second: the MPEG clock, fine enough for any frame rate."""

_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
_AAC_SAMPLES = 1024  # an AAC frame
_DRIFT_S = 0.040  # sound this far from its time is put right; less is not noticed (ITU-R BT.1359)
_FILL_S = 10.0  # a longer hole is left a hole
_LIMITED, _FULL = 1, 2  # AVColorRange: MPEG, JPEG
_BT709, _BT601 = 1, 5  # as swscale names them


@dataclass(frozen=True, slots=True)
class Quality:
    """How the output is encoded.

    Parameters
    ----------
    bitrate
        Video, bits a second; None lets the quality decide.
    preset
        x264's trade of size against work. ``superfast`` costs about a third more CPU than ``ultrafast`` and
        needs half the bits.
    crf
        x264's constant quality, smaller is better; used where no bitrate is given.
    audio_bitrate
        Sound, bits a second.
    keyframe_s
        Longest time between keyframes.
    """

    bitrate: int | None = None
    preset: str = "superfast"
    crf: int = 23
    audio_bitrate: int = 128_000
    keyframe_s: float = 2.0


def even(size: int) -> int:
    """Return a size that 4:2:0 can hold: the odd last row or column is left out.

    Examples
    --------
    >>> even(33), even(32), even(1)
    (32, 32, 2)
    """
    return max(2, size - size % 2)


class Canvas:
    """Brings every picture to one size and form: yuv420p, limited range.

    Parameters
    ----------
    info
        What will come; its size, made even, is the canvas's.
    """

    def __init__(self, info: MediaInfo) -> None:
        self.width, self.height = even(info.width), even(info.height)
        self._reformatter = VideoReformatter()
        self._matrix = _BT709 if info.colours[2] == _BT709 else _BT601
        self._last: tuple[av.VideoFrame, av.VideoFrame] | None = None

    def frame(self, picture: Picture) -> av.VideoFrame:
        """Return the picture as a frame of the canvas; it may be the picture's own."""
        if isinstance(picture, (VideoPicture, ArrayPicture)):
            frame = picture.to_frame()
        else:
            frame = ArrayPicture(picture.at_s, picture.rgb()).to_frame()
        if self._last is not None and self._last[0] is frame:
            return self._last[1]  # a still card is converted once
        fitted = self._fitted(frame)
        self._last = (frame, fitted)
        return fitted

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        if frame.format.name != "yuv420p" or frame.color_range == _FULL:
            frame = self._converted(frame, frame.width, frame.height)
        if (even(frame.width), even(frame.height)) == (self.width, self.height) and min(
            frame.width, frame.height
        ) > 1:
            return frame if (frame.width, frame.height) == (self.width, self.height) else self._cropped(frame)
        return self._letterboxed(frame)

    def _converted(self, frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
        return self._reformatter.reformat(
            frame,
            width,
            height,
            "yuv420p",
            dst_colorspace=self._matrix,
            dst_color_range=_LIMITED,
        )

    def _cropped(self, frame: av.VideoFrame) -> av.VideoFrame:
        sizes = (
            (self.height, self.width),
            (self.height // 2, self.width // 2),
            (self.height // 2, self.width // 2),
        )
        planes = [plane_view(frame, number)[:high, :wide] for number, (high, wide) in enumerate(sizes)]
        return frame_from_planes(planes, frame, "yuv420p")

    def _letterboxed(self, frame: av.VideoFrame) -> av.VideoFrame:
        scale = min(self.width / frame.width, self.height / frame.height)
        width = min(self.width, even(round(frame.width * scale)))
        height = min(self.height, even(round(frame.height * scale)))
        inner = self._converted(frame, width, height)
        left, top = even_below((self.width - width) // 2), even_below((self.height - height) // 2)
        planes: list[NDArray[np.uint8]] = []
        for number, (level, part) in enumerate(((16, 1), (128, 2), (128, 2))):
            plane = np.full((self.height // part, self.width // part), level, np.uint8)
            down, across = top // part, left // part
            plane[down : down + height // part, across : across + width // part] = plane_view(inner, number)
            planes.append(plane)
        return frame_from_planes(planes, inner, "yuv420p")


def even_below(size: int) -> int:
    """Return the largest even number not above ``size``."""
    return size - size % 2


class Muxer:
    """Encodes into one container.

    Parameters
    ----------
    container
        Opened for writing; closed by :meth:`close`.
    info
        What will come; sound is expected if it names a sample rate.
    low_delay
        Whether each picture is to come out as soon as it went in.

    Raises
    ------
    SinkError
        If the container cannot hold H.264.
    """

    def __init__(
        self, container: av.container.OutputContainer, info: MediaInfo, quality: Quality, *, low_delay: bool
    ) -> None:
        self._container = container
        self._canvas = Canvas(info)
        self._video = self._video_stream(info, quality, low_delay=low_delay)
        self._audio = _SoundTrack(container, info, quality, low_delay=low_delay) if info.sample_rate else None
        self._last_tick = -1
        container.start_encoding()

    def _video_stream(self, info: MediaInfo, quality: Quality, *, low_delay: bool) -> Any:
        fps = min(max(info.fps, 1.0), 240.0) if info.fps else 30.0
        options = {"preset": quality.preset}
        if low_delay:
            options["tune"] = "zerolatency"
        if quality.bitrate is None:
            options["crf"] = str(quality.crf)
            if low_delay:
                # About 4 Mb/s for 1280x720 at 30 a second, what receivers commonly take.
                cap = max(300_000, round(0.145 * info.width * info.height * fps))
                options |= {"maxrate": str(cap), "bufsize": str(2 * cap)}
        try:
            stream: Any = self._container.add_stream(
                "libx264", rate=Fraction(fps).limit_denominator(1001), options=options
            )
        except (ValueError, av.error.FFmpegError) as error:
            raise SinkError(
                "This kind of file cannot hold H.264 video.",
                self._container.format.name,
                "Use .mp4, .mkv, .mov, .ts or .flv.",
            ) from error
        stream.width, stream.height = self._canvas.width, self._canvas.height
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = stream.time_base = Fraction(1, TICKS)
        context.color_primaries, context.color_trc, context.colorspace = info.colours
        context.color_range = _LIMITED
        context.gop_size = max(1, round(fps * quality.keyframe_s))
        if low_delay:
            context.flags |= Flags.global_header  # the queue in front of the container does not ask for it
        context.thread_count = 1 if info.width * info.height <= 1920 * 1088 else 0
        if quality.bitrate is not None:
            context.bit_rate = quality.bitrate
        return stream

    def picture(self, picture: Picture) -> None:
        """Encode a picture at its own time."""
        frame = self._canvas.frame(picture)
        tick = max(round(picture.at_s * TICKS), self._last_tick + 1)
        self._last_tick = tick
        # A decoder leaves its choice of I, P or B in the frame, and x264 would obey it.
        frame.pts, frame.time_base, frame.pict_type = tick, Fraction(1, TICKS), 0
        self._container.mux(self._video.encode(frame))

    def sound(self, sound: Sound) -> None:
        """Encode a sound at its own time; nothing if the output has no sound."""
        if self._audio is not None:
            for frame in self._audio.frames(sound):
                self._container.mux(self._audio.stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoders hold, and the container's end."""
        self.flush()
        self._container.close()

    def flush(self) -> None:
        """Write what the encoders hold; nothing can be added afterwards."""
        if self._last_tick >= 0:
            self._container.mux(self._video.encode(None))
        if self._audio is not None:
            for frame in self._audio.rest():
                self._container.mux(self._audio.stream.encode(frame))
            self._container.mux(self._audio.stream.encode(None))

    def abandon(self) -> None:
        """Let go of the container; what it has written is worth nothing."""
        self._container.close()


class _SoundTrack:
    """Sound resampled to AAC, without drift against the picture: holes filled, overlaps cut."""

    def __init__(
        self, container: av.container.OutputContainer, info: MediaInfo, quality: Quality, *, low_delay: bool
    ) -> None:
        rate = info.sample_rate or 48_000
        self.rate = rate if rate in _AAC_RATES else 48_000
        self.channels = 1 if info.channels == 1 else 2
        self._layout = "mono" if self.channels == 1 else "stereo"
        self.stream: Any = container.add_stream("aac", rate=self.rate, layout=self._layout)
        if low_delay:
            self.stream.codec_context.flags |= Flags.global_header
        self.stream.codec_context.bit_rate = quality.audio_bitrate // (1 if self.channels == 2 else 2)
        self._shape: tuple[Any, ...] | None = None
        self._resampler: Any = None
        self._waiting: NDArray[np.float32] = np.zeros((self.channels, 0), np.float32)
        self._at: int = 0  # sample number, on the timeline, of the first that waits

    def frames(self, sound: Sound) -> Iterator[Any]:
        """Yield the AAC-sized frames that are full after this sound."""
        samples = self._resampled(sound.frame)
        yield from self._in_step(round(sound.at_s * self.rate), samples.shape[1])
        cut = self._overlap(round(sound.at_s * self.rate))
        self._waiting = np.concatenate([self._waiting, samples[:, cut:]], axis=1)
        yield from self._full()

    def rest(self) -> Iterator[Any]:
        """Yield what is left."""
        if self._waiting.shape[1]:
            yield self._frame(self._waiting)
            self._waiting = self._waiting[:, :0]

    @property
    def _end(self) -> int:
        return self._at + int(self._waiting.shape[1])

    def _in_step(self, at: int, length: int) -> Iterator[Any]:
        hole = at - self._end
        if hole <= _DRIFT_S * self.rate:
            return
        if length and hole <= _FILL_S * self.rate:
            self._waiting = np.pad(self._waiting, ((0, 0), (0, hole)))
            yield from self._full()
        else:
            yield from self.rest()
            self._at = at

    def _overlap(self, at: int) -> int:
        overlap = self._end - at
        return overlap if overlap > _DRIFT_S * self.rate else 0

    def _full(self) -> Iterator[Any]:
        while self._waiting.shape[1] >= _AAC_SAMPLES:
            yield self._frame(self._waiting[:, :_AAC_SAMPLES])
            self._waiting = self._waiting[:, _AAC_SAMPLES:]

    def _frame(self, samples: NDArray[np.float32]) -> Any:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=self._layout)
        frame.sample_rate, frame.pts, frame.time_base = self.rate, self._at, Fraction(1, self.rate)
        self._at += samples.shape[1]
        return frame

    def _resampled(self, frame: Any) -> NDArray[np.float32]:
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if shape != self._shape:
            self._shape = shape
            self._resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self.rate)
        pts, frame.pts = frame.pts, None
        parts = [part.to_ndarray() for part in self._resampler.resample(frame)]
        frame.pts = pts
        empty = np.zeros((self.channels, 0), np.float32)
        return np.concatenate([empty, *parts], axis=1)
