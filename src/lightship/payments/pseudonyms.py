"""Names that only the bank can read: each identifier under the bank's own key, one way.

The same identifier gives the same pseudonym under the same key, so that a network keeps its form. Who has no key can
neither read a pseudonym nor make one, and cannot try identifiers out.

References
----------
RFC 2104, HMAC.
"""

from __future__ import annotations

import base64
import hmac

PREFIX = "p1-"
_BYTES = 20  # 160 bits: two of a billion identifiers never meet


def pseudonym(key: bytes, identifier: str) -> str:
    """Return an identifier's pseudonym; a pseudonym is returned as it is.

    Examples
    --------
    >>> pseudonym(bytes(32), "GB29NWBK60161331926819")
    'p1-6it6mxodggkbtsrmvpv2b557ux7j4rcl'
    """
    if is_pseudonym(identifier):
        return identifier
    mark = hmac.digest(key, b"lightship-payments\0" + identifier.encode(), "sha256")[:_BYTES]
    return PREFIX + base64.b32encode(mark).decode().lower()


def is_pseudonym(identifier: str) -> bool:
    """Return whether an identifier is a pseudonym by its form."""
    rest = identifier.removeprefix(PREFIX)
    return (
        rest != identifier
        and len(rest) == _BYTES * 8 // 5
        and set(rest) <= set("abcdefghijklmnopqrstuvwxyz234567")
    )
