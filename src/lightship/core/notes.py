"""Keys, signed notes and checkpoints.

References
----------
c2sp.org/signed-note (keys, signatures); c2sp.org/tlog-checkpoint (checkpoints); c2sp.org/tlog-cosignature (type 4:
witnesses, see :mod:`lightship.core.witnesses`); RFC 8032 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lightship.core.errors import LedgerError
from lightship.core.merkle import HASH_BYTES

_ED25519 = b"\x01"  # signature type, c2sp.org/signed-note
_DASH = "— "
_MAX_SIGNATURES = 100  # as Go's sumdb/note; the specification asks for at least 16
_NO_LIMIT = 1 << 63  # beyond any row number of SQLite


def _unbase64(text: str) -> bytes | None:
    """Decode standard base64, refusing every spelling but the one that encoding would give."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    return data if base64.b64encode(data).decode() == text else None


def _check_name(name: str) -> None:
    if not name or "+" in name or any(c.isspace() or c < " " for c in name):
        raise LedgerError(
            "A key name must not be empty and must not contain spaces or '+'.",
            repr(name),
            "Use something like example.org/guard.",
        )


def _key_id(name: str, kind: bytes, public: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + kind + public).digest()[:4]


def _parse_key(
    text: str, prefix: str, kind: str, todo: str, signs: bytes = _ED25519
) -> tuple[str, bytes, bytes]:
    """Return name, key ID and the 32 bytes of ``prefix name+id+base64(signs || key)``."""
    text = text.strip()
    name, _, rest = text.removeprefix(prefix).partition("+")
    key_id, _, data = rest.partition("+")
    raw = _unbase64(data)
    if not text.startswith(prefix) or not re.fullmatch("[0-9a-f]{8}", key_id) or raw is None:
        raise LedgerError(f"This is not a {kind}: it should read {prefix}NAME+HASH+BASE64.", "", todo)
    if raw[:1] != signs or len(raw) != 1 + HASH_BYTES:
        raise LedgerError(f"This {kind} is not an Ed25519 key of type {signs[0]}.", name, todo)
    _check_name(name)
    return name, bytes.fromhex(key_id), raw[1:]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name: all that is needed, beside the file, to verify a ledger."""

    name: str
    public: Ed25519PublicKey

    kind: ClassVar[bytes] = _ED25519
    """The type of its signatures."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as ``name+hash+base64(kind || key)`` (c2sp.org/signed-note).

        Raises
        ------
        LedgerError
            If the text is not such a key, or its hash does not fit.
        """
        todo = "Give the one line of the ledger's .pub file, unchanged."
        name, key_id, raw = _parse_key(text, "", "public key", todo, cls.kind)
        if _key_id(name, cls.kind, raw) != key_id:
            raise LedgerError("This public key does not match its own hash.", name, todo)
        return cls(name, Ed25519PublicKey.from_public_bytes(raw))

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of ``SHA-256(name || 0x0A || kind || key)``."""
        return _key_id(self.name, self.kind, self.public.public_bytes_raw())

    def __str__(self) -> str:
        material = base64.b64encode(self.kind + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with its name. Make or load one with :mod:`lightship.infra.keys`."""

    name: str
    private: Ed25519PrivateKey

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> Self:
        """Return the key of 32 secret bytes (RFC 8032).

        Raises
        ------
        LedgerError
            If the name or the number of bytes is wrong.
        """
        _check_name(name)
        if len(seed) != HASH_BYTES:
            raise LedgerError("An Ed25519 key is 32 bytes.", name, "Make a new key.")
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the key written as ``PRIVATE+KEY+name+hash+base64(0x01 || seed)`` (Go's sumdb/note).

        Raises
        ------
        LedgerError
            If the text is not such a key, or its hash does not fit.
        """
        todo = "Restore the key file from a copy, or start a new ledger with a new key."
        name, key_id, seed = _parse_key(text, "PRIVATE+KEY+", "private key", todo)
        key = cls.from_seed(name, seed)
        if key.verifier.key_id != key_id:
            raise LedgerError("This private key does not match its own hash.", name, todo)
        return key

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key())

    def secret_text(self) -> str:
        """Return the key as :meth:`parse` reads it. Whoever reads it can sign in this name."""
        material = base64.b64encode(_ED25519 + self.private.private_bytes_raw()).decode()
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{material}"


def sign_note(text: str, key: SigningKey) -> str:
    r"""Return a text with a signature line under it (c2sp.org/signed-note).

    Parameters
    ----------
    text
        Ends with a newline, has no control characters, and is what the signature covers.

    Raises
    ------
    LedgerError
        If the text cannot be a note.
    """
    if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
        raise LedgerError("A note ends with a newline and has no control characters.", "", "Change the text.")
    return f"{text}\n{signature_line(key.verifier, key.private.sign(text.encode()))}"


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """Return the line of a note that carries a signature."""
    return f"{_DASH}{key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


def parse_note(note: str) -> tuple[str, tuple[tuple[str, bytes, bytes], ...]]:
    """Return a note's text, and the name, key ID and signature of each of its lines; nothing is verified.

    Raises
    ------
    LedgerError
        If the note is malformed.
    """
    where = note.partition("\n")[0]
    text, separator, tail = note.rpartition("\n\n")
    lines = tail.split("\n")
    if not separator or lines.pop() or not lines or any(c < " " and c != "\n" for c in note):
        raise LedgerError("This is not a signed note.", where, "Restore it from a copy.")
    if len(lines) > _MAX_SIGNATURES:
        raise LedgerError("A note with this many signatures is refused.", where, "Remove some.")
    found = []
    for line in lines:
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        signature = _unbase64(encoded)
        if not line.startswith(_DASH) or not name or not space or signature is None or len(signature) <= 4:
            raise LedgerError("A signature line of this note is malformed.", where, "Restore it from a copy.")
        found.append((name, signature[:4], signature[4:]))
    return text + "\n", tuple(found)


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text of a note once its signature by this key is verified (c2sp.org/signed-note).

    Signatures by other keys (a witness, an earlier key) are ignored.

    Raises
    ------
    LedgerError
        If the note is malformed, was not signed by this key, or the signature does not fit the text.
    """
    text, lines = parse_note(note)
    where = note.partition("\n")[0]
    mine = [signature for name, key_id, signature in lines if (name, key_id) == (key.name, key.key_id)]
    for signature in mine:
        try:
            key.public.verify(signature, text.encode())
        except (InvalidSignature, UnicodeEncodeError):
            raise LedgerError(
                "The signature does not fit the text: one of the two was changed.",
                where,
                "Restore both from a copy.",
            ) from None
    if not mine:
        raise LedgerError(
            f"This note is not signed by {key.name}+{key.key_id.hex()}.",
            where,
            "Give the key that signed it.",
        )
    return text


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a signature covers: the log's name, how many entries, and the root of their tree."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the body of the note (c2sp.org/tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """Return a checkpoint as a signed note.

    Raises
    ------
    LedgerError
        If the origin is empty or has a newline or control characters.
    """
    if not checkpoint.origin or any(c < " " for c in checkpoint.origin):
        raise LedgerError(
            "A ledger's origin is one line of text.",
            repr(checkpoint.origin),
            "Use something like example.org/guard.",
        )
    return sign_note(checkpoint.text(), key)


def open_checkpoint(note: str, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint in a signed note once its signature by this key is verified.

    Raises
    ------
    LedgerError
        If the note is malformed, is not a checkpoint, or is not signed by this key.
    """
    origin, *rest = open_note(note, key).split("\n")
    size, root = (rest[0], _unbase64(rest[1])) if len(rest) >= 3 else ("", None)
    if not origin or not re.fullmatch("0|[1-9][0-9]{0,18}", size) or root is None or len(root) != HASH_BYTES:
        raise LedgerError(
            "This signed note is not a checkpoint.", origin, "Give a checkpoint of this ledger."
        )
    return Checkpoint(origin, int(size), root)
