"""Sinks: where the protected stream goes.

====================  =====================================================================================
``holiday.mp4``       a file, its kind by its suffix; it appears under its name only when it is whole
``rtmp://host/a/k``   published to a server, H.264 and AAC
``srt://host:port``   the same, bridged by an installed ``ffmpeg`` program, as PyAV has no SRT
``-``                 raw Y4M video on standard output, at a constant frame rate, without sound
``virtual-camera``    a camera that any app on the machine can open; needs the extra ``lightship[camera]``
``null``              nowhere
====================  =====================================================================================
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, Self

from lightship.core.errors import InputError, LightshipError, SinkError
from lightship.core.ports import Picture
from lightship.media import trouble
from lightship.media.frames import MediaInfo, Sound, VideoPicture, plane_view

if TYPE_CHECKING:
    from lightship.media.bridge import Bridge
    from lightship.media.encode import Canvas, Muxer

STALL_S = 10.0
"""A receiver that takes nothing for so long is given up."""

_SRT_DRAIN_S = 0.25  # SRT drops what it still holds when it is closed; its own delay is 0.12 s

_REPEAT_S = 10.0  # the longest stretch that a constant-rate output repeats a picture for at once


class Sink(Protocol):
    """Takes pictures and sound in timeline order. Used with ``with``: an error inside closes it with ``ok=False``."""

    def write(self, item: Picture | Sound) -> None:
        """Take one item.

        Raises
        ------
        SinkError
            If it cannot be written; the sink is then to be closed with ``ok=False``.
        """

    def close(self, ok: bool = True) -> None:
        """End the output: whole if ``ok``, else without leaving half a file under the final name."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_sink(
    spec: str,
    info: MediaInfo,
    *,
    bitrate: int | None = None,
    preset: str = "superfast",
    crf: int = 23,
    audio_bitrate: int = 128_000,
) -> Sink:
    """Open a sink.

    Parameters
    ----------
    spec
        See the head of this module.
    info
        What will come: the output keeps this size, and has sound if this has.
    bitrate
        Video, bits a second; None lets ``crf`` decide (on a network, capped by size and rate).
    preset, crf
        x264's, for H.264 outputs.
    audio_bitrate
        Sound, bits a second.

    Raises
    ------
    SinkError
        If it cannot be opened.
    """
    if not spec.strip():
        raise SinkError("No sink is named.", todo="Give a file, an address, -, virtual-camera or null.")
    if spec == "null":
        return _Null()
    if spec == "-":
        return _Y4m(sys.stdout.buffer, info)
    if spec == "virtual-camera":
        return _VirtualCamera(info)

    from lightship.media.encode import Quality

    scheme = spec.split("://", 1)[0].lower() if "://" in spec else ""
    quality = Quality(bitrate=bitrate, preset=preset, crf=crf, audio_bitrate=audio_bitrate)
    if scheme in {"", "file"}:
        return _File(Path(spec.removeprefix("file://")), info, quality)
    if scheme in {"rtmp", "rtmps"}:
        return _rtmp(spec, info, quality)
    if scheme == "srt":
        return _srt(spec, info, quality)
    raise SinkError(
        f"Sinks of the kind {scheme}:// are not known.",
        trouble.public_name(spec),
        "Known: files, rtmp://, srt://, -, virtual-camera, null.",
    )


class _Base:
    """What all sinks share: the way out."""

    def close(self, ok: bool = True) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(ok=error is None)


class _Null(_Base):
    """Counts what it is given."""

    def __init__(self) -> None:
        self.pictures = 0
        self.sounds = 0

    def write(self, item: Picture | Sound) -> None:
        if isinstance(item, Sound):
            self.sounds += 1
        else:
            self.pictures += 1

    def close(self, ok: bool = True) -> None:
        pass


class _File(_Base):
    """A media file, written beside its place under another name and moved there when whole."""

    def __init__(self, path: Path, info: MediaInfo, quality: Any) -> None:
        import av

        from lightship.media.encode import Muxer

        self._path = path
        # Devices and named pipes have no half-written state to hide.
        self._moves = not path.exists() or path.is_file()
        self._part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}") if self._moves else path
        self._muxer: Muxer | None = None
        try:
            if path.is_dir():
                raise IsADirectoryError(21, "is a directory")
            container = av.open(str(self._part), "w")
            self._muxer = Muxer(container, info, quality, low_delay=False)
        except LightshipError:
            self._remove()
            raise
        except ValueError as error:
            self._remove()
            raise SinkError(
                f"No kind of video file ends in {path.suffix or 'nothing'}.",
                path.name,
                "Use .mp4, .mkv, .mov, .ts or .flv.",
            ) from error
        except OSError as error:
            self._remove()
            raise trouble.writing(error, str(path)) from error

    def write(self, item: Picture | Sound) -> None:
        if self._muxer is None:
            raise SinkError("The file is closed already.", str(self._path))
        try:
            _mux(self._muxer, item)
        except (OSError, ValueError) as error:
            self.close(ok=False)
            raise trouble.writing(error, str(self._path)) from error

    def close(self, ok: bool = True) -> None:
        muxer, self._muxer = self._muxer, None
        if muxer is None:
            return
        try:
            if ok:
                muxer.finish()
                if self._moves:
                    _keep(self._part, self._path)
            else:
                with contextlib.suppress(OSError, ValueError):
                    muxer.abandon()
        except (OSError, ValueError) as error:
            with contextlib.suppress(OSError, ValueError):
                muxer.abandon()
            raise trouble.writing(error, str(self._path)) from error
        finally:
            self._remove()

    def _remove(self) -> None:
        if self._moves:
            self._part.unlink(missing_ok=True)


def _keep(part: Path, path: Path) -> None:
    """Move a whole file to its name, so that a power cut leaves the old or the new one."""
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(path)


def _mux(muxer: Muxer, item: Picture | Sound) -> None:
    if isinstance(item, Sound):
        muxer.sound(item)
    else:
        muxer.picture(item)


class _Encoded(_Base):
    """A published stream.

    Parameters
    ----------
    container
        Opened by PyAV, of a kind that never waits for the network itself: PyAV would hold Python still meanwhile.
    bridge
        The program that sends it on, if one does.
    """

    def __init__(
        self, container: Any, name: str, info: MediaInfo, quality: Any, bridge: Bridge | None
    ) -> None:
        from lightship.media.encode import Muxer

        self._name = name
        self._bridge = bridge
        self._muxer: Muxer | None = None
        try:
            self._muxer = Muxer(container, info, quality, low_delay=True)
        except (OSError, ValueError) as error:
            raise self._trouble(error) from error

    def write(self, item: Picture | Sound) -> None:
        if self._muxer is None:
            raise SinkError("The stream is closed already.", self._name)
        try:
            _mux(self._muxer, item)
        except (OSError, ValueError) as error:
            self._abandon()
            raise self._trouble(error) from error

    def close(self, ok: bool = True) -> None:
        if self._muxer is None:
            return
        try:
            if ok:
                self._muxer.flush()
        except (OSError, ValueError) as error:
            self._abandon()
            raise self._trouble(error) from error
        self._abandon()  # many receivers hang up at the word that the stream is over: no error
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            if ok:
                time.sleep(_SRT_DRAIN_S)
            well, said = bridge.finish()
            if ok and not well:
                raise SinkError(
                    f"ffmpeg could not send it: {said}.", self._name, "Check the address and the receiver."
                )

    def _unsent(self, said: str) -> SinkError:
        return SinkError(
            f"ffmpeg could not send it: {said}.", self._name, "Check the address and the receiver."
        )

    def _abandon(self) -> None:
        muxer, self._muxer = self._muxer, None
        if muxer is not None:
            with contextlib.suppress(OSError, ValueError):
                muxer.abandon()

    def _trouble(self, error: Exception) -> SinkError:
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            _, said = bridge.finish(wait_s=0.5)
            if said:
                return SinkError(
                    f"ffmpeg could not send it: {said}.", self._name, "Check the address and the receiver."
                )
        return trouble.writing(error, self._name, network=True)


# Without a limit the muxer would hold pictures for ten seconds where announced sound does not come.
_PROMPT = {"max_interleave_delta": "500000", "flush_packets": "1"}


def _rtmp(spec: str, info: MediaInfo, quality: Any) -> Sink:
    """Publish through FFmpeg's own queue and thread, with a limit on every network operation."""
    import av

    options = {
        **_PROMPT,
        "fifo_format": "flv",
        "queue_size": "600",
        "format_opts": f"rw_timeout={int(STALL_S * 1e6)}:flvflags=no_duration_filesize",
    }
    container = av.open(spec, "w", format="fifo", container_options=options)
    return _Encoded(container, trouble.public_name(spec), info, quality, None)


def _srt(spec: str, info: MediaInfo, quality: Any) -> Sink:
    """Publish through the ``ffmpeg`` program."""
    import av

    from lightship.media.bridge import Bridge

    name = trouble.public_name(spec)
    # NUT says all about its streams at once; ffmpeg would study MPEG-TS for five seconds before it sends any.
    quick = ["-probesize", "100000", "-analyzeduration", "100000", "-fpsprobesize", "0"]
    arguments = [
        *quick,
        "-f",
        "nut",
        "-i",
        "pipe:0",
        "-c",
        "copy",
        "-f",
        "mpegts",
        "-flush_packets",
        "1",
        spec,
    ]
    try:
        bridge = Bridge(arguments, receiving=False, patience_s=STALL_S)
    except InputError as error:
        raise SinkError(error.what, name, error.todo) from error
    container = av.open(bridge, "w", format="nut", container_options=_PROMPT)
    return _Encoded(container, name, info, quality, bridge)


class _Constant:
    """Repeats and leaves out pictures so that they come at a constant rate."""

    def __init__(self, fps: float) -> None:
        self.fps = fps
        self._next: int | None = None

    def times(self, at_s: float) -> int:
        """Return how often the picture at this time is to be shown to stay in step."""
        slot = round(at_s * self.fps)
        if self._next is None:
            self._next = slot
        count = min(slot + 1 - self._next, max(1, int(_REPEAT_S * self.fps)))
        self._next = max(self._next, slot + 1)
        return max(0, count)


class _Y4m(_Base):
    """Raw video for another program's standard input."""

    def __init__(self, out: BinaryIO, info: MediaInfo) -> None:
        from fractions import Fraction

        from lightship.media.encode import Canvas

        self._out = out
        self._canvas: Canvas = Canvas(info)
        rate = Fraction(info.fps or 30.0).limit_denominator(1001)
        self._constant = _Constant(float(rate))
        size = f"W{self._canvas.width} H{self._canvas.height}"
        self._put(f"YUV4MPEG2 {size} F{rate.numerator}:{rate.denominator} Ip A1:1 C420jpeg\n".encode())

    def write(self, item: Picture | Sound) -> None:
        if isinstance(item, Sound):
            return
        times = self._constant.times(item.at_s)
        if times:
            frame = self._canvas.frame(item)
            data = b"FRAME\n" + b"".join(plane_view(frame, number).tobytes() for number in range(3))
            for _ in range(times):
                self._put(data)

    def close(self, ok: bool = True) -> None:
        try:
            self._out.flush()
        except (OSError, ValueError) as error:
            if ok:
                raise trouble.writing(error, "standard output") from error

    def _put(self, data: bytes) -> None:
        try:
            self._out.write(data)
        except (OSError, ValueError) as error:
            raise trouble.writing(error, "standard output") from error


class _VirtualCamera(_Base):
    """A camera that other programs on this machine can open."""

    def __init__(self, info: MediaInfo, clock: Callable[[], float] = time.monotonic) -> None:
        try:
            import pyvirtualcam
        except ImportError as error:
            raise SinkError(
                "The virtual camera needs the package pyvirtualcam, which is not installed.",
                "virtual-camera",
                "Install it with: pip install 'lightship[camera]'.",
            ) from error
        from lightship.media.encode import Canvas

        self._canvas: Canvas = Canvas(info)
        try:
            self._camera: Any = pyvirtualcam.Camera(
                width=self._canvas.width, height=self._canvas.height, fps=info.fps or 30.0
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise SinkError(
                f"No virtual camera could be opened: {error}.",
                "virtual-camera",
                "On Linux load v4l2loopback (modprobe v4l2loopback); on macOS install OBS.",
            ) from error
        self._clock = clock

    def write(self, item: Picture | Sound) -> None:
        if isinstance(item, Sound):
            return
        try:
            self._camera.send(VideoPicture(item.at_s, self._canvas.frame(item)).rgb())
        except (RuntimeError, ValueError, OSError) as error:
            raise SinkError(
                f"The virtual camera stopped: {error}.", "virtual-camera", "Start it again."
            ) from error

    def close(self, ok: bool = True) -> None:  # noqa: ARG002 - nothing is left behind either way
        self._camera.close()
