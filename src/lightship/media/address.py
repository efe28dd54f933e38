"""What a source is called, and what FFmpeg is to be told about it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from lightship.core.errors import InputError
from lightship.media.trouble import public_name

Kind = Literal["file", "stdin", "camera", "listen", "stream", "hls", "web", "srt"]

OPEN_S = 10.0
"""Longest wait for a network source to answer."""

STALL_S = 8.0
"""A network source that sends nothing for so long is lost."""

_SLOW_STALL_S = 30.0  # HLS sends a segment at a time, 6 to 10 s each


@dataclass(frozen=True, slots=True)
class Place:
    """A source as its specification names it.

    Parameters
    ----------
    target
        Path or URL for FFmpeg.
    name
        In plain words, without secrets.
    form
        Device format, or None.
    lead_s
        How far ahead of its own clock items may come: a burst on joining is let through, more is held to pace.
    """

    kind: Kind
    target: str
    name: str
    form: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    open_s: float | None = None
    read_s: float | None = None
    lead_s: float = 0.0

    @property
    def live(self) -> bool:
        """Whether it comes at its own pace."""
        return self.kind not in {"file", "stdin"}

    @property
    def endless(self) -> bool:
        """Whether it is a camera, on this machine or in the network: when it stops it is lost, not over."""
        return self.kind == "camera" or urlsplit(self.target).scheme.lower() in {"rtsp", "rtsps"}

    @property
    def network(self) -> bool:
        """Whether it is reached over a network."""
        return self.kind in {"listen", "stream", "hls", "web", "srt"}


def place(spec: str, *, listen: bool = False) -> Place:
    """Read a source's specification.

    Raises
    ------
    InputError
        If it cannot be one.

    Examples
    --------
    >>> place("holiday.mp4").kind, place("-").kind, place("rtmp+listen://127.0.0.1:1935/live/key").target
    ('file', 'stdin', 'rtmp://127.0.0.1:1935/live/key')
    """
    if not spec.strip():
        raise InputError(
            "No source is named.", todo="Give a file, an address, camera, or - for standard input."
        )
    if spec == "-":
        return Place("stdin", "-", "standard input")
    if spec == "camera" or spec.startswith("camera:"):
        return _camera(spec)
    scheme = urlsplit(spec).scheme.lower() if "://" in spec else ""
    if scheme in {"", "file"}:
        path = spec.removeprefix("file://")
        return Place("file", path, Path(path).name)
    if scheme.endswith("+listen"):
        spec, scheme, listen = spec.replace("+listen", "", 1), scheme.removesuffix("+listen"), True
    return _network(spec, scheme, listen=listen)


def _network(spec: str, scheme: str, *, listen: bool) -> Place:
    name = public_name(spec)
    waits = {"open_s": OPEN_S, "read_s": STALL_S}
    probing = {"analyzeduration": "1000000"}  # µs: sound that is announced but never comes costs no more
    if listen and scheme not in {"rtmp", "srt"}:
        raise InputError(
            f"Listening works for rtmp and srt, not for {scheme}.", name, "Use rtmp+listen://..."
        )
    if scheme == "rtmp" and listen:
        options = {**probing, "listen": "1", "rw_timeout": str(int(STALL_S * 1e6))}
        return Place("listen", spec, name, "live_flv", options, **waits, lead_s=2.0)
    pulled = {
        "rtmp": {"rtmp_live": "live"},
        "rtsp": {"rtsp_transport": "tcp"},
        "udp": {},
        "rtp": {},
        "tcp": {},
    }
    family = {"rtmps": "rtmp", "rtmpt": "rtmp", "rtmpts": "rtmp", "rtsps": "rtsp"}.get(scheme, scheme)
    if family in pulled:
        return Place("stream", spec, name, None, {**probing, **pulled[family]}, **waits, lead_s=2.0)
    if scheme == "srt":
        joint = "&" if "?" in spec else "?"
        target = f"{spec}{joint}mode=listener" if listen else spec
        return Place("srt", target, name, "mpegts", probing, **waits, lead_s=2.0)
    if scheme in {"http", "https"}:
        again = {"reconnect": "1", "reconnect_delay_max": "8"}
        slow = {"open_s": _SLOW_STALL_S, "read_s": _SLOW_STALL_S}
        if urlsplit(spec).path.lower().endswith((".m3u8", ".m3u")):
            return Place("hls", spec, name, None, {"http_persistent": "1"}, **slow)
        return Place("web", spec, name, None, again, **slow)
    raise InputError(
        f"Sources of the kind {scheme}:// are not known.",
        name,
        "Known: files, -, camera, rtmp, rtmp+listen, rtsp, srt, http(s) and HLS.",
    )


def _camera(spec: str) -> Place:
    _, _, which = spec.partition(":")
    which, _, query = which.partition("?")
    asked = dict(parse_qsl(query))
    options = {"framerate": asked.get("fps", ""), "video_size": asked.get("size", "")}
    options = {name: value for name, value in options.items() if value}
    which = which or "0"
    if sys.platform == "darwin":
        # Without a rate AVFoundation asks the camera for 29.97, which most refuse.
        device, form = f"{which}:none", "avfoundation"
        options = {"framerate": "30", **options}
    else:
        device, form = (f"/dev/video{which}" if which.isdigit() else which), "v4l2"
        if not os.path.exists(device):  # noqa: PTH110 - a device node
            raise InputError(
                "There is no such camera.", device, "Plug it in, or name another: camera:/dev/video1."
            )
    waits = {"open_s": OPEN_S, "read_s": STALL_S}
    return Place("camera", device, f"camera {which}", form, options, **waits, lead_s=2.0)
