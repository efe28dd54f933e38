"""Witnesses: others who saw a log's checkpoint, and that it only adds to what they had seen.

A device that asks for their cosignatures cannot be shown a log that others are not shown.

References
----------
c2sp.org/tlog-cosignature (Ed25519, ``cosignature/v1``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature

from lightship.core.errors import LedgerError
from lightship.core.notes import SigningKey, VerifierKey, parse_note, signature_line

_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class WitnessKey(VerifierKey):
    """The public key of a witness, with its name."""

    kind: ClassVar[bytes] = b"\x04"

    @classmethod
    def of(cls, key: SigningKey) -> Self:
        """Return the public half of a key that witnesses; it must sign nothing else."""
        return cls(key.name, key.private.public_key())


def _message(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def cosign(note: str, key: SigningKey, at_s: int) -> str:
    """Return a checkpoint with a witness's cosignature added; an earlier one of the same witness goes.

    Whoever calls has verified the log's own signature, and that the log extends what the witness saw before.

    Parameters
    ----------
    at_s
        When, in seconds since 1970.

    Raises
    ------
    LedgerError
        If it is no note.
    """
    text, lines = parse_note(note)
    witness = WitnessKey.of(key)
    signature = at_s.to_bytes(_TIME_BYTES, "big") + key.private.sign(_message(text, at_s))
    kept = "".join(
        line + "\n"
        for line, (name, key_id, _) in zip(note.rpartition("\n\n")[2].split("\n"), lines, strict=False)
        if (name, key_id) != (witness.name, witness.key_id)
    )
    return f"{text}\n{kept}{signature_line(witness, signature)}"


def cosigned(note: str, keys: Sequence[WitnessKey]) -> dict[str, int]:
    """Return which of some witnesses cosigned a checkpoint, and when, in seconds since 1970.

    A cosignature that does not fit counts as none.

    Raises
    ------
    LedgerError
        If it is no note.
    """
    text, lines = parse_note(note)
    found: dict[str, int] = {}
    for key in keys:
        for name, key_id, signature in lines:
            if (name, key_id) != (key.name, key.key_id):
                continue
            at_s = int.from_bytes(signature[:_TIME_BYTES], "big")
            try:
                key.public.verify(signature[_TIME_BYTES:], _message(text, at_s))
            except InvalidSignature:
                continue
            found[key.name] = at_s
    return found


def parse_witnesses(texts: Sequence[str]) -> tuple[WitnessKey, ...]:
    """Return the witnesses' keys, each once.

    Raises
    ------
    LedgerError
        If one is not the key of a witness.
    """
    keys = tuple(WitnessKey.parse(text) for text in dict.fromkeys(texts))
    if len({key.public.public_bytes_raw() for key in keys}) < len(keys):
        raise LedgerError("Two witnesses have one key.", "", "Each needs its own.")
    return keys
