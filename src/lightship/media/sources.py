"""Sources: anything that pictures and sound come from, as one stream of items on one timeline.

===============================  ==========================================================================
``holiday.mp4``                  any file that FFmpeg reads
``-``                            standard input
``camera``, ``camera:1``,        a camera (V4L2 on Linux, AVFoundation on macOS);
``camera:/dev/video0?fps=30``    ``?fps=`` and ``?size=1280x720`` ask it for a mode
``rtmp://host/app/key``          pulled from a server
``rtmp+listen://host:1935/a/k``  waits for OBS or ffmpeg to publish to it
``rtsp://``                      a network camera: when it stops it is lost, not over
``http(s)://``                   a file or an HLS playlist (``.m3u8``) on a web server
``srt://``, ``srt+listen://``    bridged by an installed ``ffmpeg`` program, as PyAV has no SRT
===============================  ==========================================================================

A file is decoded when the next item is asked for. A live source is decoded on a thread of its own, at most
64 MB ahead, and is never let run ahead of the clock.

A network source that sends nothing for 8 s (HLS: 30 s) counts as lost. It is called again for a minute; a listening
source waits 4 s for its publisher to come back, and then the stream is over. What was missed is a gap in the stream.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self
from urllib.parse import urlsplit

from lightship.core.errors import InputError, LightshipError, SourceLost
from lightship.media import trouble
from lightship.media.address import Place, place
from lightship.media.frames import Gap, Item, MediaInfo, Sound, VideoPicture
from lightship.media.keyframes import Keyframes
from lightship.media.pipe import Pipe
from lightship.media.timeline import Timeline

if TYPE_CHECKING:
    from lightship.media.bridge import Bridge
    from lightship.media.decode import Reader

Clock = Callable[[], float]
Sleep = Callable[[float], None]

_FIRST_PICTURE_ITEMS = 500
"""Items to look through for the first picture before a source is handed out: about ten seconds of sound."""

_ASK_S = 0.1  # how often a wait looks whether it should end


class Source(Protocol):
    """Pictures, sounds and gaps in the order they come. Used with ``with``; iterated once."""

    info: MediaInfo

    def __iter__(self) -> Iterator[Item]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stop(self) -> None:
        """End the iteration soon, from any thread or a signal handler."""

    def close(self) -> None:
        """Let go of the medium."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """How a lost network source is tried again.

    Parameters
    ----------
    first_s, most_s
        The first wait, doubled each time up to the longest.
    jitter
        Share of each wait that is drawn at random, so that many clients do not come back at once.
    total_s
        After so long without a picture the source counts as lost.
    listen_s
        A listening source waits so long for its first publisher.
    linger_s
        ... and so long for one that left to come back (OBS tries after 2 s); then the stream is over. Shorter
        than :data:`lightship.media.address.STALL_S`, so that whoever receives this in turn does not give up first.
    """

    first_s: float = 0.5
    most_s: float = 8.0
    jitter: float = 0.3
    total_s: float = 60.0
    listen_s: float = 300.0
    linger_s: float = 4.0

    def waits(self, draw: Callable[[], float] = random.random) -> Iterator[float]:
        """Yield the waits before each attempt, seconds; ``draw`` returns numbers in [0, 1).

        Examples
        --------
        >>> list(itertools.islice(Reconnect(first_s=1, most_s=4, jitter=0).waits(), 4))
        [1.0, 2.0, 4.0, 4.0]
        """
        wait_s = float(self.first_s)
        while True:
            yield wait_s * (1.0 - self.jitter * draw())
            wait_s = min(2.0 * wait_s, float(self.most_s))


def open_source(
    spec: str,
    *,
    realtime: bool = False,
    listen: bool = False,
    reconnect: Reconnect = Reconnect(),
    keyframes: Keyframes | None = None,
    options: Mapping[str, str] | None = None,
    clock: Clock = time.monotonic,
    sleep: Sleep = time.sleep,
) -> Source:
    """Open a source and wait until its first picture is there.

    Parameters
    ----------
    spec
        See the head of this module.
    realtime
        Play a file at its own speed, as if it were live.
    listen
        Wait for a publisher at an ``rtmp://`` or ``srt://`` address of this machine.
    reconnect
        How a lost network source is tried again.
    keyframes
        Decode only these, and no sound, for whoever looks at most about once a second; None decodes everything.
    options
        More of what FFmpeg is to be told.
    clock, sleep
        Monotonic seconds, and waiting for some.

    Raises
    ------
    InputError
        If it cannot be opened or has no picture.
    SourceLost
        If nobody published to a listening source in time.
    """
    where = place(spec, listen=listen)
    where = replace(where, options={**where.options, **(options or {})})
    if where.live:
        return _Live(where, reconnect, keyframes, clock, sleep)
    return _File(where, keyframes, _Pace(clock, sleep) if realtime else None)


class _Pace:
    """Holds items back until their time has come by the clock."""

    def __init__(self, clock: Clock, sleep: Sleep, lead_s: float = 0.0) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lead_s = lead_s
        self._zero_s: float | None = None

    def wait(self, at_s: float, stopped: Callable[[], bool]) -> None:
        if self._zero_s is None:
            self._zero_s = self._clock() - at_s
        while (left_s := self._zero_s + at_s - self._lead_s - self._clock()) > 0.0 and not stopped():
            self._sleep(min(left_s, _ASK_S))


class _Base:
    """What all sources share: the way out."""

    info: MediaInfo

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _StandardInput:
    """Standard input for PyAV: returns what is there instead of waiting for a full buffer."""

    name = "standard input"

    def read(self, size: int) -> bytes:
        return os.read(sys.stdin.fileno(), size)


class _File(_Base):
    """A file or standard input, decoded in the caller's thread."""

    def __init__(self, where: Place, keyframes: Keyframes | None, pace: _Pace | None) -> None:
        super().__init__()
        self._pace = pace
        self._timeline = Timeline()
        self._reader = _opened(where, self._timeline, self._stop.is_set, keyframes)
        self._timeline = _begun(self._reader, self._timeline)
        try:
            first, self._items = _first_picture(self._reader.items())
        except BaseException as error:
            self._reader.close()
            raise _as_input_error(error, where) from error
        self.info = self._reader.info(first, live=pace is not None)

    def __iter__(self) -> Iterator[Item]:
        from lightship.media.decode import ConnectionLost

        try:
            for item in self._items:
                if self._pace is not None:
                    self._pace.wait(item.at_s, self._stop.is_set)
                if self._stop.is_set():
                    return
                yield item
            ending = None if self._stop.is_set() else self._reader.ending()
        except ConnectionLost as error:
            ending = self._reader.ending() or Gap(
                self._timeline.now_s, self._timeline.now_s, f"the file could not be read to its end: {error}"
            )
        if ending is not None:
            yield ending

    def close(self) -> None:
        super().close()
        self._reader.close()


class _Live(_Base):
    """A camera or network source, decoded on its own thread, reconnected when lost."""

    def __init__(
        self, where: Place, reconnect: Reconnect, keyframes: Keyframes | None, clock: Clock, sleep: Sleep
    ) -> None:
        super().__init__()
        self._where = where
        self._reconnect = reconnect
        self._keyframes = keyframes
        self._clock = clock
        self._sleep = sleep
        self._timeline = Timeline()
        self._zero_s: float | None = None
        self._pipe: Pipe[Item | LightshipError | None] = Pipe()
        self._ready = threading.Event()
        self._failures: list[LightshipError] = []
        self._bridge: Bridge | None = None
        self._loss = ""
        self._beat_s = clock()
        self._thread = threading.Thread(target=self._run, name=f"lightship-{where.kind}", daemon=True)
        self._thread.start()
        try:
            while not self._ready.wait(_ASK_S):
                pass
        except BaseException:
            self.close()
            raise
        for failure in self._failures:
            self.close()
            raise failure

    # The caller's side.

    def __iter__(self) -> Iterator[Item]:
        pace = _Pace(self._clock, self._sleep, self._where.lead_s)
        while not self._stop.is_set():
            item = self._pipe.get(_ASK_S)
            if item is None:
                if not self._thread.is_alive():
                    return
                self._watch()
                continue
            if isinstance(item, LightshipError):
                if isinstance(item, _Over):
                    return
                raise item
            if not isinstance(item, Gap):
                pace.wait(item.at_s, self._stop.is_set)
            yield item

    def _watch(self) -> None:
        """Give up on a device whose driver never returns; FFmpeg's own timeouts see to the rest."""
        if self._where.kind == "camera" and self._clock() - self._beat_s > 3.0 * (self._where.read_s or 5.0):
            raise SourceLost(
                "The camera has stopped sending pictures.", self._where.name, "Plug it in again."
            )

    def close(self) -> None:
        super().close()
        self._pipe.close()
        if self._where.kind == "listen":
            _poke(self._where.target)
        self._thread.join(timeout=1.0)

    # The decoding thread's side.

    def _run(self) -> None:
        try:
            self._carry()
            self._send(_Over("The stream is over."))
        except LightshipError as error:
            self._fail(error)
        except BaseException as error:  # noqa: BLE001 - it is raised where the caller can see it
            self._fail(InputError(f"The source failed: {error}.", self._where.name))
        finally:
            self._ready.set()

    def _fail(self, error: LightshipError) -> None:
        if self._ready.is_set():
            self._send(error)
        else:
            self._failures.append(error)

    def _send(self, item: Item | LightshipError) -> None:
        self._beat_s = self._clock()
        size = getattr(item, "nbytes", 0)
        if isinstance(item, Sound):
            size = sum(plane.buffer_size for plane in item.frame.planes)
        self._pipe.put(item, size)

    def _carry(self) -> None:
        from lightship.media.decode import ConnectionLost

        reader: Reader | None = self._first_connection()
        while reader is not None and not self._stop.is_set():
            reason = "it hung up"
            try:
                for item in self._placed(reader):
                    self._send(item)
                    if self._stop.is_set():
                        break
                else:
                    if self._ended_well():
                        return
            except ConnectionLost as error:
                reason = str(error)
            finally:
                self._let_go(reader)
            if self._stop.is_set():
                return
            # A publisher may declare a length as well; only what lies on a web server would start from its beginning.
            if reader.length_s is not None and self._where.kind in {"hls", "web"}:
                raise SourceLost(
                    f"The stream broke off: {reason}.", self._where.name, "Check the connection."
                )
            self._loss = reason
            reader = self._again(reason)

    def _first_connection(self) -> Reader:
        until_s = self._clock() + self._reconnect.listen_s
        while True:
            reader = self._connect(self._reconnect.listen_s)
            if reader is not None:
                return reader
            if self._stop.is_set() or self._clock() >= until_s:
                raise SourceLost(
                    f"Nobody published here within {self._reconnect.listen_s:g} s.",
                    self._where.name,
                    "Start the stream there, or check the address it publishes to.",
                )

    def _connect(self, listen_s: float) -> Reader | None:
        """Open once; None where a listening source had a caller that did not publish, or none at all."""
        where = replace(self._where, open_s=listen_s) if self._waits_for_caller() else self._where
        try:
            reader = _opened(where, self._timeline, self._stop.is_set, self._keyframes, self._bridged)
        except InputError as error:
            if self._waits_for_caller() and not _is_about_the_address(error):
                self._sleep(_ASK_S)  # a caller that knocks and leaves must not make this spin
                return None
            raise
        self._timeline.begin(None, self._now_s())
        return reader

    def _waits_for_caller(self) -> bool:
        return self._where.kind == "listen" or "mode=listener" in self._where.target

    def _bridged(self, bridge: Bridge) -> None:
        self._bridge = bridge

    def _placed(self, reader: Reader) -> Iterator[Item]:
        """Yield a connection's items, with the gap before them, and announce the source with its first picture."""
        before_s = self._timeline.now_s
        items = reader.items()
        if not self._ready.is_set():
            first, items = _first_picture(items)
            self.info = reader.info(first, live=True)
            self._zero_s = self._clock() - (first.at_s if first is not None else 0.0)
            self._ready.set()
        else:
            found = next(items, None)
            if found is None:
                return
            # The connection began when its first item came; only now is it known how long the gap was.
            yield Gap(before_s, found.at_s, f"it was lost ({self._loss}) and came back")
            items = itertools.chain([found], items)
        yield from items

    def _now_s(self) -> float:
        return 0.0 if self._zero_s is None else max(self._clock() - self._zero_s, self._timeline.now_s)

    def _again(self, reason: str) -> Reader | None:
        """Try to come back; None if a listening source's publisher did not."""
        from lightship.media.decode import SILENT

        lost_s, began_s = self._clock(), self._timeline.now_s
        if self._waits_for_caller():
            until_s = lost_s + self._reconnect.linger_s
            while not self._stop.is_set() and (left_s := until_s - self._clock()) > 0.0:
                reader = self._connect(left_s)
                if reader is not None:
                    return reader
            if reason == SILENT and not self._stop.is_set():  # one that hangs up has ended its stream
                self._send(Gap(began_s, self._now_s(), f"{reason}, and the publisher did not come back"))
            return None
        for wait_s in self._reconnect.waits():
            until_s = self._clock() + wait_s
            while not self._stop.is_set() and (left_s := until_s - self._clock()) > 0.0:
                self._sleep(min(left_s, _ASK_S))
            if self._stop.is_set():
                return None
            self._beat_s = self._clock()
            with contextlib.suppress(InputError):
                return self._connect(0.0)
            if self._clock() - lost_s >= self._reconnect.total_s:
                break
        self._send(Gap(began_s, self._now_s(), f"the source was lost: {reason}"))
        raise SourceLost(
            f"The source was lost ({reason}) and did not come back within {self._reconnect.total_s:g} s.",
            self._where.name,
            "Check the connection and start again.",
        )

    def _ended_well(self) -> bool:
        """Return whether a stream that came to its end did so on purpose."""
        if self._where.endless:
            return False
        if self._bridge is not None:
            well, _ = self._bridge.finish()
            return well
        return True

    def _let_go(self, reader: Reader) -> None:
        reader.close()
        if self._bridge is not None:
            self._bridge.finish(wait_s=0.5)
            self._bridge = None


class _Over(LightshipError):
    """The end of a stream, sent through the pipe."""


def _opened(
    where: Place,
    timeline: Timeline,
    stopped: Callable[[], bool],
    keyframes: Keyframes | None,
    bridged: Callable[[Bridge], None] | None = None,
) -> Reader:
    """Open a place once; errors in plain words."""
    import av

    from lightship.media.decode import Address, Reader, open_container

    target: Any = where.target
    if where.kind == "stdin":
        target = _StandardInput()
    bridge = None
    if where.kind == "srt":
        from lightship.media.bridge import Bridge

        arguments = ["-i", where.target, "-c", "copy", "-f", "mpegts", "pipe:1"]
        target = bridge = Bridge(arguments, receiving=True, patience_s=where.open_s or 10.0, stopped=stopped)
    waits = (None, None) if bridge is not None else (where.open_s, where.read_s)
    address = Address(target, where.name, where.form, where.options, *waits)
    try:
        reader = Reader(open_container(address), timeline, where.name, stopped, keyframes)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if bridge is not None:
            _, said = bridge.finish(wait_s=0.5)
            what = "The stream could not be opened" + (f": {said}." if said else ".")
            raise InputError(what, where.name, "Check the address and that the stream is on.") from error
        if where.kind == "file":
            target = where.target
        raise trouble.opening(error, target, where.name, network=where.network) from error
    if bridge is not None:
        bridge.patience_s = where.read_s or bridge.patience_s
        if bridged is not None:
            bridged(bridge)
    return reader


def _begun(reader: Reader, timeline: Timeline) -> Timeline:
    """Begin a file's timeline at the container's own beginning."""
    longest_s = max(10.0, reader.length_s or 0.0)
    timeline.longest_step_s = longest_s
    timeline.begin(reader.origin_s, 0.0)
    return timeline


def _first_picture(items: Iterator[Item]) -> tuple[VideoPicture | None, Iterator[Item]]:
    """Return the first picture, and all items again."""
    seen: list[Item] = []
    for item in itertools.islice(items, _FIRST_PICTURE_ITEMS):
        seen.append(item)
        if isinstance(item, VideoPicture):
            return item, itertools.chain(seen, items)
    return None, itertools.chain(seen, items)


def _as_input_error(error: BaseException, where: Place) -> BaseException:
    from lightship.media.decode import ConnectionLost

    if isinstance(error, ConnectionLost):
        todo = "Copy or record it again."
        if where.kind == "stdin":
            todo = "An MP4 file can be piped only if its index lies at its beginning; name the file instead."
        return InputError("The video breaks off before its first picture.", where.name, todo)
    return error


def _is_about_the_address(error: InputError) -> bool:
    return getattr(error.__cause__, "errno", None) in {errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL}


def _poke(url: str) -> None:
    """Wake a listening socket of this process that waits for a caller, so that it can be closed."""
    import socket

    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    with (
        contextlib.suppress(OSError, ValueError),
        socket.create_connection((host, parts.port or 1935), timeout=0.2),
    ):
        pass
