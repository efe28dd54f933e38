"""Decoding only the pictures that are judged: keyframes, as long as they come often enough."""

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
        Of keyframes that come more often than this, only so many are decoded.
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
            if self.at_s is not None and not self._cadence.due(self.at_s):
                self._since_s = self.at_s
                return []
            frames = self._alone(packet)
            if (
                frames
            ):  # a point where pictures recover bit by bit is marked as a keyframe too, and shows nothing yet
                self._since_s = self.at_s
                return frames
        else:
            self._held.append(packet)
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
