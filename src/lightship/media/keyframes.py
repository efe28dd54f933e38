"""Decoding only the pictures that are judged: keyframes, as long as they come often enough, and cuts between them.

A live encoder puts a keyframe every two or more seconds, and a cut in between into a packet like any other. But such a
packet is as large as a keyframe's and several times as large as its neighbours. So where one is seen the pictures since
the keyframe are decoded up to it, and what a cut brings is looked at some seconds sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lightship.core.errors import InputError
from lightship.media.sampler import Cadence

if TYPE_CHECKING:
    import av
    from av.video.stream import VideoStream


@dataclass(frozen=True, slots=True)
class Keyframes:
    """Which keyframes are decoded.

    Parameters
    ----------
    every_s
        Of keyframes and cuts that come more often than this, only so many are decoded.
    bound_s
        When no keyframe has come for so long, every picture is decoded from there on, and a gap says so. Until then
        the packets are kept, so that the pictures in between can still be made.

    Raises
    ------
    InputError
        If either is not above 0.
    """

    every_s: float = 1.0
    bound_s: float = 5.0

    def __post_init__(self) -> None:
        if not (self.every_s > 0.0 and self.bound_s > 0.0):
            raise InputError(f"Keyframes every {self.every_s:g} s within {self.bound_s:g} s make no sense.")

    @property
    def longest_step_s(self) -> float:
        """The longest way between two decoded pictures of a stream whose timestamps are sound, seconds."""
        return 2.0 * self.every_s + self.bound_s


_CUT_SHARE, _CUT_TIMES = 0.3, 4.0
"""A packet is a cut's if it has so much of its keyframe's size, and is so many times as large as those before it.
Measured with x264: at a cut 0.4 to 1.0 and 30 times, in a moving picture up to 2 times."""

_MOST_HELD = 90
"""Most packets that are decoded for one picture: three seconds at 30 a second."""


class KeyframeDecoder:
    """Decodes one stream's keyframes, each at once, and all of its pictures where keyframes stay away.

    A decoder that is only told to skip other pictures (FFmpeg's ``skip_frame``) holds a keyframe back until as many
    more have come as it expects pictures out of order: four seconds where there are B-frames and a keyframe every two.
    So other packets are not handed to it at all, and it is drained after each keyframe.

    Parameters
    ----------
    stream
        The video stream of an open container.
    """

    def __init__(self, stream: VideoStream, wanted: Keyframes) -> None:
        self._stream = stream
        self._wanted = wanted
        self._cadence = Cadence(1.0 / wanted.every_s, 1.0 / wanted.every_s)
        self._held: list[av.Packet[VideoStream]] = []
        self._since_s: float | None = None
        self._usual_bytes = 0.0
        self._cut = False
        self._last_pts = -(2**63)
        self.at_s: float | None = None
        """Timestamp of the latest packet, the medium's own seconds."""
        self.missed_s: float | None = None
        """How long no keyframe had come when it was given up to wait for them; None while they come."""
        stream.codec_context.skip_frame = "NONKEY"

    def decode(self, packet: av.Packet[VideoStream] | None) -> list[av.VideoFrame]:
        """Return the pictures that a packet, or the end (None or an empty one), completes.

        Raises
        ------
        av.error.FFmpegError
            If it is damaged.
        """
        if self.missed_s is not None:
            return self._new(list(self._stream.decode(packet)))
        if packet is None or not packet.size:  # nothing is left in the decoder
            return []
        self._advance(packet)
        if packet.is_keyframe:
            self._held = [packet]
            self._cut = False
            if self.at_s is not None and not self._cadence.due(self.at_s):
                self._since_s = self.at_s
                self._cut = True  # what it shows is looked at when the next picture is due
                return []
            frames = self._alone(packet)
            if (
                frames
            ):  # a point where pictures recover bit by bit is marked as a keyframe too, and shows nothing yet
                self._since_s = self.at_s
                return frames
        else:
            self._held.append(packet)
            self._cut = self._cut or self._is_cut(packet)
            if self._cut and self.at_s is not None and self._cadence.due(self.at_s):
                self._cut = False
                return self._up_to(packet)
        if self.at_s is not None and self._since_s is not None:
            waited_s = self.at_s - self._since_s
            if waited_s > self._wanted.bound_s:
                self.missed_s = waited_s
                self._stream.codec_context.skip_frame = "DEFAULT"
        return []

    def released(self) -> list[av.Packet[VideoStream]]:
        """Return, once they were given up, the packets from the latest keyframe on; they are to be decoded first."""
        held: list[av.Packet[VideoStream]] = []
        if self.missed_s is not None:
            held, self._held = self._held, []
        return held

    def _advance(self, packet: av.Packet[VideoStream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None and packet.time_base:
            self.at_s = float(stamp * packet.time_base)
            if self._since_s is None or self.at_s < self._since_s - self._wanted.bound_s:
                self._since_s = self.at_s  # the beginning, or the timestamps began anew

    def _is_cut(self, packet: av.Packet[VideoStream]) -> bool:
        first = self._held[0]
        usual_bytes = self._usual_bytes
        if not first.is_keyframe or len(self._held) > _MOST_HELD:
            return False
        if usual_bytes and packet.size >= max(_CUT_SHARE * first.size, _CUT_TIMES * usual_bytes):
            return True
        self._usual_bytes += (packet.size - usual_bytes) * (0.1 if usual_bytes else 1.0)
        return False

    def _up_to(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        """Return the picture of a packet that needs those before it."""
        context = self._stream.codec_context
        context.skip_frame = "DEFAULT"
        try:
            frames = [frame for one in self._held for frame in self._stream.decode(one)]
            frames += context.decode(None)
        finally:
            context.flush_buffers()
            context.skip_frame = "NONKEY"
        return self._new([frame for frame in frames if frame.pts == packet.pts])

    def _alone(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        context = self._stream.codec_context
        try:
            return self._new([*self._stream.decode(packet), *context.decode(None)])
        finally:
            context.flush_buffers()

    def _new(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Return the frames without those that were returned before."""
        fresh = [frame for frame in frames if frame.pts is None or frame.pts > self._last_pts]
        self._last_pts = max([self._last_pts, *(frame.pts for frame in fresh if frame.pts is not None)])
        return fresh
