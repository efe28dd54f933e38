"""From one opened FFmpeg container to pictures, sounds and gaps. Loads PyAV: import it only to open a medium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import av
import av.container
import av.error
from av.stream import Discard, Disposition

from lightship.core.errors import InputError
from lightship.media.frames import Gap, Item, MediaInfo, Sound, VideoPicture
from lightship.media.keyframes import KeyframeDecoder, Keyframes
from lightship.media.timeline import Kind, Timeline

_HOPELESS_PACKETS = 250  # about ten seconds of video that gave no picture at all
_SHORT_S = 1.0  # a file that ends so much before its declared length is cut short

SILENT = "nothing came any more"
"""Why a connection was given up that neither sent anything nor hung up."""


class ConnectionLost(Exception):
    """A connection broke; the source decides whether to come back. Never leaves this room."""


@dataclass(frozen=True, slots=True)
class Address:
    """What to hand to FFmpeg.

    Parameters
    ----------
    target
        Path, URL, or an object with ``read``.
    name
        In plain words, without secrets.
    form
        Container or device format; None lets FFmpeg find out.
    options
        For the protocol and the demuxer.
    open_s, read_s
        Longest waits for opening and for each next packet; None waits for ever.
    """

    target: Any
    name: str
    form: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    open_s: float | None = None
    read_s: float | None = None


def open_container(address: Address) -> av.container.InputContainer:
    """Open a container.

    Raises
    ------
    av.error.FFmpegError
        As FFmpeg says; :func:`lightship.media.trouble.opening` puts it into words.
    """
    timeout = None if address.open_s is None and address.read_s is None else (address.open_s, address.read_s)
    container: av.container.InputContainer = av.open(
        address.target,
        format=address.form,
        options=address.options,
        timeout=timeout,
        metadata_errors="replace",
    )
    return container


class Reader:
    """Decodes one container, one thread, the best video stream and the first sound that goes with it.

    Parameters
    ----------
    container
        Opened; closed by :meth:`close`.
    timeline
        Already told where this connection begins.
    stopped
        Asked between packets; True ends the reading.
    keyframes
        Decode only these, and no sound; None decodes everything.

    Raises
    ------
    InputError
        If there is no picture in it, or no decoder for it.
    """

    def __init__(
        self,
        container: av.container.InputContainer,
        timeline: Timeline,
        name: str,
        stopped: Callable[[], bool] = lambda: False,
        keyframes: Keyframes | None = None,
    ) -> None:
        self._container = container
        self._timeline = timeline
        self._name = name
        self._stopped = stopped
        self._video = _picture_stream(container, name)
        sounds: list[Any] = [stream for stream in container.streams.audio if _decodable(stream)]
        self._audio = sounds[0] if sounds and keyframes is None else None
        for stream in (self._video, self._audio):
            if stream is not None:
                stream.thread_count = 1
                stream.thread_type = "NONE"
        for stream in container.streams:
            if stream not in (self._video, self._audio):
                stream.discard = Discard.all  # other qualities of the same stream are not fetched
        self._keyframes: KeyframeDecoder | None = None
        if keyframes is not None:
            self._keyframes = KeyframeDecoder(self._video, keyframes)
            timeline.longest_step_s = max(timeline.longest_step_s, keyframes.longest_step_s)
        began, length = container.start_time, container.duration
        self.origin_s: float | None = began / av.time_base if began is not None else None
        """Timestamp at which the container begins, seconds, if it knows."""
        self.length_s: float | None = length / av.time_base if length else None
        """Declared length in seconds, if the container knows it."""
        self._pictures = 0
        self._faults: dict[Kind, int] = {"picture": 0, "sound": 0}
        self._sound_from_s = 0.0
        self._picture_from_s = timeline.now_s

    def info(self, first: VideoPicture | None, *, live: bool) -> MediaInfo:
        """Return what this delivers; the size is that of its first picture, upright, where one is at hand."""
        shape = first if first is not None else self._video.codec_context
        sound = self._audio.codec_context if self._audio is not None else None
        return MediaInfo(
            width=shape.width,
            height=shape.height,
            fps=self._fps(),
            sample_rate=sound.sample_rate if sound is not None else None,
            channels=sound.channels if sound is not None else None,
            live=live,
            name=self._name,
            colours=first.colours if first is not None else (2, 2, 2),
        )

    def items(self) -> Iterator[Item]:
        """Yield pictures, sounds and gaps as they are decoded.

        Raises
        ------
        ConnectionLost
            If reading fails or stops; what was decoded until then has been yielded.
        InputError
            If nothing in it can be decoded.
        """
        streams = [stream for stream in (self._video, self._audio) if stream is not None]
        lost: str | None = None
        try:
            for packet in self._container.demux(streams):
                if self._stopped():
                    return
                yield from self._decoded(packet)
        except av.error.FFmpegError as error:
            lost = SILENT if isinstance(error, av.error.ExitError) else error.strerror or "it broke"
        if lost is not None:
            for stream in streams:  # what the decoder still holds
                yield from self._decoded(None, stream)
            raise ConnectionLost(lost)
        if not self._pictures:
            raise self._hopeless()

    def _decoded(self, packet: Any, stream: Any = None) -> Iterator[Item]:
        stream = packet.stream if stream is None else stream
        kind: Kind = "picture" if stream is self._video else "sound"
        try:
            frames = (self._keyframes or stream).decode(packet)
        except EOFError:
            return
        except av.error.FFmpegError:
            self._faults[kind] += 1
            if kind == "picture" and not self._pictures and self._faults[kind] >= _HOPELESS_PACKETS:
                raise self._hopeless() from None
            return
        yield from self._late()
        for frame in frames:
            if not frame.time_base:  # a frame that was drained knows its timestamp, not the unit
                frame.time_base = stream.time_base
            yield from self._placed(kind, frame)

    def _placed(self, kind: Kind, frame: Any) -> Iterator[Item]:
        if kind == "picture":
            length_s = 1.0 / (self._fps() or 25.0)
            at_s = self._timeline.place(kind, frame.time, length_s)
            if self._faults[kind]:
                yield self._hole(kind, self._picture_from_s, at_s)
            if self._keyframes is not None and frame.is_corrupt:
                yield Gap(at_s, at_s, "the picture is damaged; it was decoded as far as it goes")
            self._pictures += 1
            self._picture_from_s = at_s + length_s
            yield VideoPicture(at_s, frame)
        elif frame.samples:
            length_s = frame.samples / frame.sample_rate
            at_s = self._timeline.place(kind, frame.time, length_s)
            if self._faults[kind]:
                yield self._hole(kind, self._sound_from_s, at_s)
            self._sound_from_s = at_s + length_s
            yield Sound(at_s, frame)

    def _hole(self, kind: Kind, from_s: float, to_s: float) -> Gap:
        count, self._faults[kind] = self._faults[kind], 0
        packets = f"{count} damaged {kind} packet{'s' if count != 1 else ''}"
        return Gap(
            min(from_s, to_s),
            to_s,
            f"{packets} could not be decoded and {'were' if count != 1 else 'was'} left out",
        )

    def _late(self) -> Iterator[Item]:
        """Yield what was left undecoded while no keyframe came, once they are given up, and say so."""
        late = self._keyframes.released() if self._keyframes is not None else []
        if late and self._keyframes is not None and self._keyframes.missed_s is not None:
            from_s, missed_s = self._picture_from_s, self._keyframes.missed_s
            reason = (
                f"no keyframe for {missed_s:.1f} s, so its pictures come late; from here on all are decoded"
            )
            yield Gap(from_s, from_s + missed_s, reason)
        for packet in late:
            yield from self._decoded(packet)

    def ending(self) -> Gap | None:
        """Return the gap at the end: damaged packets after the last picture, or a file that stops too early."""
        end_s = self._end_s()
        length_s = self.length_s
        if length_s is not None and length_s - end_s > max(_SHORT_S, 2.0 / (self._fps() or 25.0)):
            return Gap(end_s, length_s, "it is cut short or damaged: it ends before the length it declares")
        if self._faults["picture"]:
            return self._hole("picture", end_s, end_s)
        return None

    def _end_s(self) -> float:
        """Return where the pictures end; where only keyframes are decoded, by the packets after the last one."""
        read_s = self._keyframes.at_s if self._keyframes is not None else None
        if read_s is None or self.origin_s is None:
            return self._picture_from_s
        return max(self._picture_from_s, read_s - self.origin_s)

    def _hopeless(self) -> InputError:
        codec = self._video.codec_context.name
        if self._faults["picture"]:
            return InputError(
                f"Not one picture could be decoded: the {codec} data is damaged.",
                self._name,
                "Copy the file again or convert it with ffmpeg.",
            )
        return InputError("The video has no picture in it.", self._name, "Check how it was recorded.")

    def _fps(self) -> float:
        rate = self._video.average_rate or self._video.guessed_rate
        return float(rate) if rate else 0.0

    def close(self) -> None:
        """Close the container."""
        self._container.close()


def _decodable(stream: Any) -> bool:
    return stream.codec_context is not None


def _picture_stream(container: av.container.InputContainer, name: str) -> Any:
    moving = [
        stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
    ]
    if not moving:
        if container.streams.audio:
            raise InputError("This has sound but no picture.", name, "Give a medium with video in it.")
        raise InputError(
            "There is neither picture nor sound in this.", name, "Give a medium with video in it."
        )
    known = [stream for stream in moving if _decodable(stream)]
    if not known:
        raise InputError(
            "There is no decoder for its kind of video.", name, "Convert it to H.264 with ffmpeg."
        )
    best = container.streams.best("video")
    return next((stream for stream in known if best is not None and stream.index == best.index), known[0])
