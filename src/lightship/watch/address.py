"""Which addresses a stream may be pulled from: none of this machine or its network, unless the operator allows it.

A name is resolved once, every answer is checked, and FFmpeg is handed the checked address in place of the name, so that
a second answer (DNS rebinding) changes nothing. How far that goes:

==================  =================================================================================================
``rtmp``            wholly: one connection, to the checked address; the server is told the name (``tcUrl``)
``rtsp``, ``srt``   the connection; a redirect that an RTSP server sends is followed by FFmpeg unchecked
``http``            the playlist or file and every relative segment; not a segment or redirect on another host
``https``           not at all: FFmpeg sends no server name to a numeric address. The name is checked each time it
``rtmps``           is opened, and the answer may differ a moment later
==================  =================================================================================================

What is not pinned needs a firewall that keeps workers from the inner network; :attr:`Pinned.whole` says which it is.
FFmpeg is moreover told which protocols it may open from a playlist: never ``file``.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lightship.core.errors import InputError
from lightship.media.trouble import public_name

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Ip = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"rtmp": 1935, "rtmps": 443, "rtsp": 554, "http": 80, "https": 443, "srt": 9000}
"""The schemes that a stream may be pulled by, with their usual ports."""

_OPENS = {
    "http": "http,tcp,crypto",
    "https": "https,http,tls,tcp,crypto",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,rtmp,tls,tcp",
    "rtsp": "rtsp,rtp,tcp,udp",
}


@dataclass(frozen=True, slots=True)
class Pinned:
    """An address that may be opened.

    Parameters
    ----------
    url
        For :func:`lightship.media.sources.open_source`, with the checked address in it where that is possible.
    options
        For FFmpeg.
    whole
        Whether every connection of it goes to the checked address.
    """

    url: str
    options: dict[str, str] = field(default_factory=dict)
    whole: bool = False


def resolve(host: str, port: int) -> tuple[str, ...]:
    """Return the addresses of a name.

    Raises
    ------
    OSError
        If it has none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(one[4][0]).partition("%")[0] for one in found))


def pin(
    url: str,
    allowed: Sequence[Network] = (),
    resolve: Callable[[str, int], tuple[str, ...]] = resolve,
) -> Pinned:
    """Check where an address leads, and pin it there.

    Parameters
    ----------
    allowed
        Inner networks that the operator allows, such as that of the platform's own ingest.

    Raises
    ------
    InputError
        If its scheme, host or port is none that may be pulled from, or any of its addresses is an inner one.
    """
    where = public_name(url)
    parts, port = _parts(url, where)
    host = parts.hostname or ""
    try:
        answers = [ipaddress.ip_address(one) for one in resolve(host, port)]
    except (OSError, UnicodeError, ValueError) as error:
        raise InputError("The host of this address has no address.", where, "Check its name.") from error
    inner = [one for one in answers if not _outer(one) and not any(one in net for net in allowed)]
    if inner or not answers:
        raise InputError(
            "This address leads into an inner network, which streams are not pulled from.",
            where,
            "Give a public address, or have an administrator allow the network.",
        )
    return _pinned(parts, answers[0], port)


def _parts(url: str, where: str) -> tuple[SplitResult, int]:
    todo = f"Give an address of the kind {', '.join(PORTS)}."
    if any(ord(char) <= 32 or ord(char) == 127 for char in url):
        raise InputError("The address has a space or control character in it.", where, todo)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError("The address cannot be read.", where, todo) from error
    if parts.scheme not in PORTS:
        raise InputError(f"Streams are not pulled by {parts.scheme or 'path'}.", where, todo)
    if not parts.hostname or port == 0:
        raise InputError("The address names no host or port.", where, todo)
    return parts, port or PORTS[parts.scheme]


def _outer(address: Ip) -> bool:
    """Return whether an address is a public one; one that hides an IPv4 address is judged by that."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in ipaddress.ip_network("64:ff9b::/96"):
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if hidden is not None:
            return _outer(hidden)
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _pinned(parts: SplitResult, address: Ip, port: int) -> Pinned:
    options = {"protocol_whitelist": _OPENS[parts.scheme]} if parts.scheme in _OPENS else {}
    name = parts.netloc.rpartition("@")[2]
    if parts.scheme in {"https", "rtmps"}:
        return Pinned(urlunsplit(parts), options)
    literal = f"[{address}]" if address.version == 6 else str(address)
    user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
    url = urlunsplit(parts._replace(netloc=f"{user}{literal}:{port}"))
    if parts.scheme == "rtmp":
        app = parts.path.strip("/").split("/")[0]
        return Pinned(url, {**options, "rtmp_tcurl": f"rtmp://{name}/{app}"}, whole=True)
    if parts.scheme == "http":
        return Pinned(url, {**options, "headers": f"Host: {name}\r\n"})
    return Pinned(url, options)
