"""From which address, port and when something came, as one line: ``[2001:db8::7]:4431 at 2026-11-28T23:31:07Z``."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime

_LINE = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<bare>\S+?))(?::(?P<port>\d{1,6}))?(?: at (?P<at>\S+))?")


@dataclass(frozen=True, slots=True)
class IpEvent:
    """An address at a time.

    Parameters
    ----------
    port
        The source port; 0 where it is not held.
    at
        ISO 8601 with its zone; empty where it is not held.
    """

    address: str
    port: int = 0
    at: str = ""


def event_of(text: str) -> IpEvent | str:
    """Return the event of a line, or why it is none.

    Examples
    --------
    >>> event_of("192.0.2.7:4431 at 2026-11-28T23:31:07+00:00")
    IpEvent(address='192.0.2.7', port=4431, at='2026-11-28T23:31:07+00:00')
    >>> event_of("2001:db8::7").address
    '2001:db8::7'
    >>> event_of("[192.0.2.7]:4431")
    '192.0.2.7 is IPv4, and brackets are for IPv6'
    """
    text = text.strip()
    address, _, at = text.partition(" at ")
    if _is_six(address):  # without brackets its last part is no port
        port = ""
    else:
        found = _LINE.fullmatch(text)
        if found is None:
            return f"{text[:80]!r} is no address: write 192.0.2.7:4431 at 2026-11-28T23:31:07Z"
        address, port, at = found["six"] or found["bare"], found["port"] or "", found["at"] or ""
        if found["six"] and not _is_six(address):
            return f"{address[:60]} is IPv4, and brackets are for IPv6"
    said = address_fault(address) or (moment_fault(at) if at else "")
    if port and not 0 < int(port) < 65536:
        said = said or f"{port} is no port: 1 to 65,535"
    return said or IpEvent(address, int(port or 0), at)


def _is_six(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def address_fault(text: str) -> str:
    """Return why a text is no IP address of its family, or an empty string.

    Examples
    --------
    >>> address_fault("192.0.2.7"), address_fault("2001:db8::7")
    ('', '')
    >>> address_fault("::ffff:192.0.2.7")
    "'::ffff:192.0.2.7' is IPv4 written as IPv6: give 192.0.2.7"
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return f"{text[:60]!r} is no IP address"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return f"{text!r} is IPv4 written as IPv6: give {address.ipv4_mapped}"
        if address.scope_id is not None:
            return f"{text!r} names a network card, which means nothing elsewhere"
    return ""


def moment_fault(text: str) -> str:
    """Return why a text is no time that means the same everywhere, or an empty string.

    Examples
    --------
    >>> moment_fault("2026-11-28T23:40:00+00:00")
    ''
    >>> moment_fault("2026-11-28T23:40:00")
    '2026-11-28T23:40:00 says no zone, so that nobody knows which moment it is'
    """
    try:
        at = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        at = None
    if at is None:
        return f"{text[:60]!r} is no time: write 2026-11-28T23:40:00+00:00"
    if at.tzinfo is None:
        return f"{text} says no zone, so that nobody knows which moment it is"
    offset = at.utcoffset()
    if offset is None or abs(offset.total_seconds()) > 14 * 3600:
        return f"{text} has a zone that is none"
    return ""


_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
