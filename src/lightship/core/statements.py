"""Signed statements: facts that somebody vouches for, as one note that an outsider can check with the public key alone.

The note's first line says what kind of statement it is, so that a signature on one is never one on another; the second
holds the facts as canonical JSON (RFC 8785).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lightship.core.canonical import canonical
from lightship.core.errors import LedgerError
from lightship.core.notes import SigningKey, VerifierKey, open_note, sign_note

_HEAD = re.compile(r"lightship\.([a-z][a-z-]{0,40})/1")


def sign_statement(kind: str, facts: Mapping[str, Any], key: SigningKey) -> str:
    """Return a statement of these facts as a signed note.

    Raises
    ------
    InputError
        If the facts have no canonical JSON.
    """
    assert _HEAD.fullmatch(f"lightship.{kind}/1"), "kinds are named in code"
    return sign_note(f"lightship.{kind}/1\n{canonical(dict(facts)).decode()}\n", key)


def open_statement(note: str, key: VerifierKey) -> tuple[str, dict[str, Any]]:
    """Return the kind and the facts of a statement once its signature by this key is verified.

    Raises
    ------
    LedgerError
        If it is not signed by this key, or is no statement.

    Examples
    --------
    >>> key = SigningKey.from_seed("example.org/duties", bytes(32))
    >>> open_statement(sign_statement("snapshot", {"filing": "f1"}, key), key.verifier)
    ('snapshot', {'filing': 'f1'})
    """
    lines = open_note(note, key).split("\n")
    head = _HEAD.fullmatch(lines[0])
    try:
        facts = json.loads(lines[1]) if head and len(lines) == 3 else None
    except ValueError:
        facts = None
    if head is None or not isinstance(facts, dict):
        raise LedgerError("This signed note is no statement.", lines[0][:80], "Give the note of a statement.")
    return head[1], facts
