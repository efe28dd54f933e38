"""FFmpeg's errors in plain words, with what to do."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightship.core.errors import InputError, SinkError

_CONVERT = "Check that it is a video, and that it was copied whole."


def public_name(spec: str) -> str:
    """Return an address without what may be secret: user, password, query and stream key.

    Examples
    --------
    >>> public_name("rtmp://me:pass@live.example:1935/app/my-secret-key")
    'rtmp://live.example:1935/app/...'
    >>> public_name("https://example.org/a/b.m3u8?token=1")
    'https://example.org/a/b.m3u8'
    >>> public_name("/tmp/holiday.mp4")
    'holiday.mp4'
    """
    if "://" not in spec:
        return Path(spec).name or spec
    parts = urlsplit(spec)
    host = parts.netloc.rpartition("@")[2]
    path = parts.path
    if parts.scheme.startswith("rtmp"):
        path = "/".join([*path.split("/")[:2], "..."]) if path.count("/") > 1 else path
    return f"{parts.scheme}://{host}{path}"


def opening(error: Exception, target: Any, name: str, *, network: bool) -> InputError:
    """Return what to tell when a source could not be opened."""
    if network:
        return _network(error, name)
    number = getattr(error, "errno", None)
    known = {
        errno.ENOENT: ("There is no such file.", "Check the path."),
        errno.EACCES: ("This may not be read.", "Check its permissions."),
        errno.EISDIR: ("This is a folder, not a video.", "Name a file in it."),
        errno.EBUSY: ("The camera is in use by another program.", "Close that program."),
    }
    if number in known:
        return InputError(known[number][0], name, known[number][1])
    if isinstance(target, str) and Path(target).is_file():
        with Path(target).open("rb") as file:
            head = file.read(12)
        if not head:
            return InputError("The file is empty.", name, "Record or copy it again.")
        if head[4:8] in {b"ftyp", b"mdat", b"moov", b"wide"}:
            return InputError(
                "The file is cut short or damaged: its index cannot be read.",
                name,
                "Copy it again; a recording that was never finished can often be saved with a repair tool.",
            )
    if not isinstance(target, str):
        return InputError("What came in is empty or no video that FFmpeg can read.", name, _CONVERT)
    return InputError("This is no video that FFmpeg can read.", name, _CONVERT)


def _network(error: Exception, name: str) -> InputError:
    number = getattr(error, "errno", None)
    if number == errno.EADDRINUSE:
        return InputError(
            "Another program listens on this port already.", name, "Close it or take another port."
        )
    if number in {errno.EACCES, errno.EADDRNOTAVAIL}:
        return InputError(
            "This machine may not listen on that address.", name, "Use 127.0.0.1 and a port above 1023."
        )
    said = getattr(error, "strerror", "") or "it broke"
    return InputError(
        f"The stream could not be opened: {said.lower()}.",
        name,
        "Check the address and that the stream is on.",
    )


def writing(error: Exception, name: str, *, network: bool = False) -> SinkError:
    """Return what to tell when a sink cannot be written."""
    number = getattr(error, "errno", None)
    known = {
        errno.ENOSPC: ("The disk is full.", "Make room or name a place on another disk."),
        errno.EDQUOT: ("The disk quota is used up.", "Make room or name a place on another disk."),
        errno.EFBIG: ("The file has become too large for this disk.", "Name a place on another disk."),
        errno.ENOENT: ("The folder does not exist.", "Make it first or name another."),
        errno.ENOTDIR: ("A part of the path is a file, not a folder.", "Name another place."),
        errno.EACCES: ("This may not be written.", "Check the permissions or name another place."),
        errno.EPERM: ("This may not be written.", "Check the permissions or name another place."),
        errno.EROFS: ("The disk is read-only.", "Name a place on another disk."),
        errno.EISDIR: ("This is a folder.", "Name a file in it."),
        errno.EPIPE: ("The program that took the output has ended.", "Start it again, then this."),
    }
    said = (getattr(error, "strerror", None) or str(error) or type(error).__name__).lower()
    if network:
        return SinkError(
            f"The receiver does not take the stream: {said}.", name, "Check the address and the receiver."
        )
    if number in known:
        return SinkError(known[number][0], name, known[number][1])
    return SinkError(f"The output cannot be written: {said}.", name, "Name another place or kind of file.")
