"""What travels through media: pictures, sounds and gaps, on one timeline per source.

PyAV is loaded only when a picture that needs it is asked for a conversion, so that importing this stays light.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.core.values import Luma, Rgb

if TYPE_CHECKING:
    import av

Y_FIRST = frozenset(
    {
        "yuv420p",
        "yuvj420p",
        "yuv422p",
        "yuvj422p",
        "yuv444p",
        "yuvj444p",
        "yuv411p",
        "yuv410p",
        "yuva420p",
        "nv12",
        "nv21",
        "gray",
    }
)
"""Pixel formats whose first plane is the brightness, one byte a pixel."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a source delivers.

    Parameters
    ----------
    width, height
        Of the upright picture, pixels. It may change in mid-stream; this is what it begins with.
    fps
        Pictures a second as the medium declares them; 0.0 where it does not.
    sample_rate
        Of the sound in Hz; None without sound.
    channels
        Number of sound channels; None without sound.
    live
        Whether items come at their own pace and cannot be asked to wait.
    name
        The source in plain words, without secrets: file name, host, camera.
    colours
        Primaries, transfer and matrix of the pictures as ITU-T H.273 numbers; 2 where the medium does not say.
    """

    width: int
    height: int
    fps: float
    sample_rate: int | None
    channels: int | None
    live: bool
    name: str
    colours: tuple[int, int, int] = (2, 2, 2)


@dataclass(frozen=True, slots=True)
class Sound:
    """A stretch of sound: ``frame`` is an ``av.AudioFrame`` that begins ``at_s`` seconds into the stream."""

    at_s: float
    frame: Any

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return float(self.frame.samples) / float(self.frame.sample_rate)


@dataclass(frozen=True, slots=True)
class Gap:
    """A visible hole in the stream, in seconds on its timeline.

    Parameters
    ----------
    reason
        Why, in plain words.
    """

    from_s: float
    to_s: float
    reason: str

    @property
    def at_s(self) -> float:
        """Where the hole begins, seconds."""
        return self.from_s


class ArrayPicture:
    """A picture held as an array.

    Parameters
    ----------
    at_s
        Seconds on the source's timeline.
    array
        ``(H, W, 3) uint8 RGB, 0-255``. It is not copied and must not change afterwards.

    Raises
    ------
    InputError
        If the array has another shape or type.
    """

    __slots__ = ("_array", "_made", "at_s", "height", "width")

    def __init__(self, at_s: float, array: Rgb) -> None:
        if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or 0 in array.shape:
            raise InputError(
                f"A picture is a (height, width, 3) uint8 RGB array, this one is {array.shape} {array.dtype}.",
                todo="Convert it first.",
            )
        self.at_s = at_s
        self.height = int(array.shape[0])
        self.width = int(array.shape[1])
        self._array = array
        self._made = _Made()

    def __repr__(self) -> str:
        return f"ArrayPicture({self.width}x{self.height} at {self.at_s:.3f} s)"

    @property
    def nbytes(self) -> int:
        """Memory that the picture holds, bytes."""
        return int(self._array.nbytes)

    def at(self, at_s: float) -> ArrayPicture:
        """Return the same picture at another time, sharing its memory and conversions."""
        other = ArrayPicture(at_s, self._array)
        other._made = self._made
        return other

    def rgb(self) -> Rgb:
        """Return the array itself, ``(H, W, 3) uint8 RGB, 0-255``."""
        return self._array

    def luma(self) -> Luma:
        """Return BT.601 brightness, ``(H, W) uint8``, full range, rounded."""
        if self._made.luma is None:
            import cv2

            self._made.luma = _sealed(np.asarray(cv2.cvtColor(self._array, cv2.COLOR_RGB2GRAY), np.uint8))
        return self._made.luma

    def to_frame(self) -> av.VideoFrame:
        """Return the picture as an ``av.VideoFrame`` in rgb24."""
        if self._made.frame is None:
            import av

            self._made.frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(self._array), format="rgb24")
        return self._made.frame


@dataclass(slots=True)
class _Made:
    """Conversions of an array, shared by all pictures that show it."""

    luma: Luma | None = None
    frame: av.VideoFrame | None = None


class VideoPicture:
    """A picture held as the decoder gave it; conversions are made when asked for, once, under a lock.

    Parameters
    ----------
    at_s
        Seconds on the source's timeline.
    frame
        An ``av.VideoFrame``. Its rotation is applied in everything this returns.
    """

    __slots__ = ("_frame", "_lock", "_luma", "_rgb", "_turns", "_upright", "at_s", "height", "width")

    def __init__(self, at_s: float, frame: av.VideoFrame) -> None:
        self.at_s = at_s
        self._frame = frame
        self._turns = quarter_turns(frame.rotation)
        flat = self._turns % 2 == 0
        self.width, self.height = (frame.width, frame.height) if flat else (frame.height, frame.width)
        self._lock = threading.Lock()
        self._rgb: Rgb | None = None
        self._luma: Luma | None = None
        self._upright: av.VideoFrame | None = None if self._turns else frame

    def __repr__(self) -> str:
        return f"VideoPicture({self.width}x{self.height} {self._frame.format.name} at {self.at_s:.3f} s)"

    @property
    def nbytes(self) -> int:
        """Memory that the picture holds as decoded, bytes."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    @property
    def colours(self) -> tuple[int, int, int]:
        """Primaries, transfer and matrix as ITU-T H.273 numbers."""
        return int(self._frame.color_primaries), int(self._frame.color_trc), int(self._frame.colorspace)

    def at(self, at_s: float) -> VideoPicture:
        """Return the same picture at another time."""
        return VideoPicture(at_s, self._frame)

    def rgb(self) -> Rgb:
        """Return the picture as ``(H, W, 3) uint8 RGB, 0-255``, upright."""
        with self._lock:
            if self._rgb is None:
                self._rgb = _sealed(self._turned(np.asarray(_reformatted(self._frame, "rgb24").to_ndarray())))
            return self._rgb

    def luma(self) -> Luma:
        """Return the brightness plane, ``(H, W) uint8``, upright; a view into the frame where one exists."""
        if self._frame.format.name not in Y_FIRST:
            rgb = self.rgb()
            with self._lock:
                if self._luma is None:
                    self._luma = ArrayPicture(self.at_s, rgb).luma()
                return self._luma
        with self._lock:
            if self._luma is None:
                self._luma = _sealed(self._turned(plane_view(self._frame, 0)))
            return self._luma

    def to_frame(self) -> av.VideoFrame:
        """Return an upright ``av.VideoFrame``: the frame itself unless it has to be turned."""
        with self._lock:
            if self._upright is None:
                self._upright = _turned_frame(self._frame, self._turns)
            return self._upright

    def _turned(self, array: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(np.rot90(array, self._turns)) if self._turns else array


Item = ArrayPicture | VideoPicture | Sound | Gap
"""What a source yields."""


def quarter_turns(degrees: float) -> int:
    """Return how many quarter turns against the clock make a picture upright, 0-3.

    Examples
    --------
    >>> quarter_turns(-90), quarter_turns(180), quarter_turns(2)
    (3, 2, 0)
    """
    return round(degrees / 90.0) % 4


def plane_view(frame: av.VideoFrame, number: int) -> NDArray[np.uint8]:
    """Return one 8-bit plane as ``(H, W) uint8``, a view into the frame cropped to the picture's width."""
    plane = frame.planes[number]
    flat = np.frombuffer(memoryview(plane), np.uint8)
    return flat[: plane.height * plane.line_size].reshape(plane.height, plane.line_size)[:, : plane.width]


def frame_from_planes(planes: list[NDArray[np.uint8]], like: av.VideoFrame, form: str) -> av.VideoFrame:
    """Return a new frame of planar 8-bit form with these planes, in the colours of ``like``, and nothing else of it."""
    import av

    frame = av.VideoFrame(planes[0].shape[1], planes[0].shape[0], form)
    for number, plane in enumerate(planes):
        plane_view(frame, number)[...] = plane
    frame.colorspace, frame.color_range = like.colorspace, like.color_range
    frame.color_primaries, frame.color_trc = like.color_primaries, like.color_trc
    return frame


PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv444p", "yuvj444p", "gray"})
"""Forms that can be turned and blurred plane by plane."""


def planar(frame: av.VideoFrame) -> av.VideoFrame:
    """Return the frame in a form whose planes can be worked on one by one."""
    return frame if frame.format.name in PLANAR else _reformatted(frame, "yuv420p")


def _reformatted(frame: av.VideoFrame, form: str) -> av.VideoFrame:
    """Convert with a converter of its own: the one that PyAV keeps in a frame is not safe between threads."""
    from av.video.reformatter import VideoReformatter

    return VideoReformatter().reformat(frame, format=form)


def _turned_frame(frame: av.VideoFrame, turns: int) -> av.VideoFrame:
    flat = planar(frame)
    planes = [np.rot90(plane_view(flat, number), turns) for number in range(len(flat.planes))]
    return frame_from_planes(planes, flat, flat.format.name)


def _sealed(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    array.flags.writeable = False
    return array
