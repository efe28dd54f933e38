"""One value, one sequence of bytes: canonical JSON, and the digest that names a value.

References
----------
RFC 8785, JSON Canonicalization Scheme.
"""

from __future__ import annotations

import hashlib
from typing import Any

import rfc8785

from lightship.core.errors import InputError


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value, UTF-8.

    Parameters
    ----------
    value
        Dicts with text keys, lists, tuples, text, bools, None, finite floats, and integers within ±(2⁵³ - 1).

    Raises
    ------
    InputError
        If the value, or anything inside it, has no canonical JSON.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise InputError(
            f"This value cannot be written as canonical JSON: {error or type(error).__name__}.",
            type(value).__name__,
            "Use text, bools, finite numbers (integers within ±(2^53 - 1)), lists and dicts with text keys.",
        ) from error


def digest(value: Any) -> str:
    """Return ``"sha256:"`` and the hex SHA-256 of a value's canonical JSON: the name of that value.

    Raises
    ------
    InputError
        If the value has no canonical JSON.

    Examples
    --------
    >>> digest({})
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return f"sha256:{hashlib.sha256(canonical(value)).hexdigest()}"
