"""An exhibit's bytes on disk: AES-256-GCM in pieces, under a key of its own. Format: ``docs/reference/storage.md``.

Pieces are numbered and the last one says so, so that none can be changed, moved, left out or added. The file's
name, which is the SHA-256 of what is inside, is authenticated with each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.errors import VaultError

MAGIC = b"LSEXH\x00\x00\x01"
PIECE = 1 << 20
_TAG = 16
_LAST = 1 << 95  # the top bit of a piece's nonce


def seal(pieces: Iterable[bytes], file: BinaryIO, key: bytes, name: str) -> int:
    """Write encrypted pieces; returns how many bytes went in.

    Parameters
    ----------
    pieces
        Of any lengths, together the whole.
    key
        32 bytes that were never used before.
    name
        The SHA-256 of the whole, hexadecimal.

    Raises
    ------
    VaultError
        If ``name`` is not the SHA-256 of what came.
    OSError
        If it cannot be written.
    """
    box, seen, size, number = AESGCM(key), hashlib.sha256(), 0, 0
    file.write(MAGIC)
    held = bytearray()
    for piece in pieces:
        seen.update(piece)
        size += len(piece)
        held += piece
        while len(held) > PIECE:
            file.write(box.encrypt(_nonce(number, last=False), bytes(held[:PIECE]), _bound(name)))
            del held[:PIECE]
            number += 1
    file.write(box.encrypt(_nonce(number, last=True), bytes(held), _bound(name)))
    if seen.hexdigest() != name:
        raise VaultError(
            "An exhibit's id is not the SHA-256 of its bytes.", name, "Give the id of these bytes."
        )
    return size


def pieces(file: BinaryIO, key: bytes, name: str) -> Iterator[bytes]:
    """Yield what is inside, each piece once it was found to be as it was written.

    Raises
    ------
    VaultError
        If it is not; the pieces before were in order, but the whole is not.
    OSError
        If it cannot be read.
    """
    box, seen, number = AESGCM(key), hashlib.sha256(), 0
    if file.read(len(MAGIC)) != MAGIC:
        raise _damaged(name)
    piece = file.read(PIECE + _TAG)
    while True:
        following = file.read(PIECE + _TAG)
        try:
            plain = box.decrypt(_nonce(number, last=not following), piece, _bound(name))
        except (InvalidTag, ValueError) as error:
            raise _damaged(name) from error
        seen.update(plain)
        yield plain
        if not following:
            break
        piece, number = following, number + 1
    if seen.hexdigest() != name:
        raise _damaged(name)


def _nonce(number: int, *, last: bool) -> bytes:
    return (number | (_LAST if last else 0)).to_bytes(12, "big")


def _bound(name: str) -> bytes:
    return MAGIC + bytes.fromhex(name)


def _damaged(name: str) -> VaultError:
    return VaultError(
        "An exhibit is not as it was sealed.", name, "Keep the file as it is, and go back to a copy of it."
    )
