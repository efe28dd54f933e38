"""Blind comparison: points of a curve that hide an identifier until both parties have put their secret to it.

A commutative cipher on P-256 by ``openmined-psi`` (docs/adr/0011): ``x`` becomes ``H(x)^k``, and the order in which two
secrets are put to it does not matter. What a party sees of the other's identifiers are points it cannot tell from
random ones, unless it asks for the other's secret to be put to a guess, which the other counts and limits.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

from lightship.core.errors import InputError

POINT = 33
"""Bytes of a point."""
SECRET = 32

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256
_DOMAIN = "lightship.deconflict/1|"


def new_secret() -> bytes:
    """Return a secret of this method, 32 bytes."""
    return (secrets.randbelow(_ORDER - 1) + 1).to_bytes(SECRET, "big")


def blind(secret: bytes, keys: Iterable[str]) -> list[bytes]:
    """Return ``H(x)^secret`` of each key, in order.

    Parameters
    ----------
    keys
        As :func:`lightship.casework.normal.key` gives them.
    """
    psi = _library()
    made = psi.client.CreateFromKey(
        secret, True
    )  # one for each call: the library dies when threads share one
    return list(made.CreateRequest([_DOMAIN + one for one in keys]).encrypted_elements)


def raised(secret: bytes, points: Sequence[bytes]) -> list[bytes]:
    """Return each point to the power of the secret, in order.

    Raises
    ------
    InputError
        If one is no point of the curve.
    """
    if any(len(one) != POINT or one[0] not in {2, 3} for one in points):
        raise _no_point()
    psi = _library()
    request = psi.Request()
    request.reveal_intersection = True
    request.encrypted_elements.extend(points)
    try:
        answer = psi.server.CreateFromKey(secret, True).ProcessRequest(request)
    except RuntimeError as error:
        raise _no_point() from error
    return list(answer.encrypted_elements)


def unblinded(secret: bytes, points: Sequence[bytes]) -> list[bytes]:
    """Return the points with this secret taken off again.

    Raises
    ------
    InputError
        If one is no point of the curve.
    """
    inverse = pow(int.from_bytes(secret, "big"), -1, _ORDER)
    return raised(inverse.to_bytes(SECRET, "big"), points)


def dummies(count: int) -> list[str]:
    """Return keys that nobody has: they fill a message up to its agreed size."""
    return [f"none||{secrets.token_hex(16)}" for _ in range(count)]


def _library() -> Any:
    try:
        from private_set_intersection import python
    except ImportError as error:
        raise InputError(
            "Blind comparison needs openmined-psi, which is not installed.",
            "casework",
            "Install lightship[casework].",
        ) from error
    return python


def _no_point() -> InputError:
    return InputError("What came is no point of the curve.", "deconfliction", "Ask for the file again.")
