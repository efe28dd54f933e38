"""Named arrays in one file: checked, mapped into memory, and sealed with AES-256-GCM unless one asks otherwise.

The format is described in ``docs/reference/lists.md``. Nothing is unpickled, and a sealed file is opened into memory of
its own, never onto a disk.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import secrets
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from lightship.core.errors import ListError

KEY_BYTES = 32
_PLAIN, _SEALED = b"LSLIST\x00\x01", b"LSSEAL\x00\x01"
_HEAD = struct.Struct("<8sQ32s")  # magic, bytes of the header, its SHA-256
_SEAL = struct.Struct("<8sQI32s")  # magic, bytes inside, bytes a chunk, salt of this file's own key
_CHUNK = 1 << 20
_TAG = 16
_ALIGN = 64
_HEADER_BYTES = 16 << 20
_RESTORE = "Keep it for whoever looks into it; the version before goes on serving."


@dataclass(frozen=True)
class Stored:
    """What a file holds.

    Parameters
    ----------
    arrays
        By name; they cannot be written to.
    facts
        What was said of them.
    digest
        ``sha256:`` of the header, which names the digest of every array.
    sealed
        Whether the file is encrypted.
    """

    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]
    digest: str
    sealed: bool


def write(
    file: BinaryIO, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], key: bytes | None
) -> str:
    """Write arrays to an open file, sealed if there is a key; returns the header's digest.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    described, place = [], 0
    for name, array in arrays.items():
        flat = _bytes(array)
        described.append(
            {
                "name": name,
                "dtype": array.dtype.str,
                "shape": list(array.shape),
                "offset": place,
                "sha256": hashlib.sha256(flat).hexdigest(),
            }
        )
        place += -(-len(flat) // _ALIGN) * _ALIGN
    header = json.dumps({"arrays": described, "facts": dict(facts)}, separators=(",", ":")).encode()
    header += b" " * (-(_HEAD.size + len(header)) % _ALIGN)
    digest = hashlib.sha256(header)
    length = _HEAD.size + len(header) + place
    put, end = (file.write, lambda: None) if key is None else _sealer(file, length, key)
    put(_HEAD.pack(_PLAIN, len(header), digest.digest()) + header)
    for array in arrays.values():
        flat = _bytes(array)
        put(flat)
        put(bytes(-len(flat) % _ALIGN))
    end()
    return f"sha256:{digest.hexdigest()}"


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def _sealer(
    file: BinaryIO, length: int, key: bytes
) -> tuple[Callable[[bytes | memoryview], object], Callable[[], None]]:
    """Return how to write bytes in sealed chunks, and how to write the last of them."""
    head = _SEAL.pack(_SEALED, length, _CHUNK, secrets.token_bytes(32))
    file.write(head)
    box, held, number = _box(key, head), bytearray(), 0

    def put(data: bytes | memoryview) -> None:
        nonlocal number
        for start in range(0, len(data), _CHUNK):
            held.extend(data[start : start + _CHUNK])
            while len(held) >= _CHUNK:
                file.write(box.encrypt(_nonce(number), bytes(held[:_CHUNK]), head))
                del held[:_CHUNK]
                number += 1

    def end() -> None:
        if held:
            file.write(box.encrypt(_nonce(number), bytes(held), head))

    return put, end


def _box(key: bytes, head: bytes) -> AESGCM:
    """Return the cipher of one file. Its key is its own, so that counting from 0 never uses a nonce twice."""
    salt = _SEAL.unpack(head)[3]
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, b"lightship list file").derive(key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")


def read(path: Path, key: bytes, *, check: bool = True) -> Stored:
    """Read a file's arrays; the plain form is mapped, the sealed one opened into memory.

    Parameters
    ----------
    check
        Compare each array with its digest as well; the header always is compared with its own.

    Raises
    ------
    ListError
        If it cannot be read, is of another key, or is not as it was written.
    """
    try:
        with path.open("rb") as file:
            sealed = file.read(len(_SEALED)) == _SEALED
            file.seek(0)
            memory = _opened(file, key, path) if sealed else _mapped(file)
    except OSError as error:
        raise ListError(f"The list's file cannot be read: {error.strerror}.", str(path), _RESTORE) from error
    try:
        return _parsed(memory, sealed, check)
    except (ValueError, TypeError, KeyError, struct.error) as error:
        raise ListError(f"The list's file is damaged: {error}.", str(path), _RESTORE) from error


def _mapped(file: BinaryIO) -> mmap.mmap | bytes:
    if not os.fstat(file.fileno()).st_size:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _opened(file: BinaryIO, key: bytes, path: Path) -> mmap.mmap | bytes:
    """Return what a sealed file holds, in anonymous memory that no core dump takes along."""
    head = file.read(_SEAL.size)
    length = _SEAL.unpack(head)[1] if len(head) == _SEAL.size else 0
    chunks = -(-length // _CHUNK)
    expected = _SEAL.size + length + chunks * _TAG
    if not length or os.fstat(file.fileno()).st_size != expected:
        raise ListError("The list's file is damaged: it is not as long as it says.", str(path), _RESTORE)
    memory = mmap.mmap(-1, length)
    if hasattr(mmap, "MADV_DONTDUMP"):
        memory.madvise(mmap.MADV_DONTDUMP)
    box = _box(key, head)
    try:
        for number in range(chunks):
            memory.write(box.decrypt(_nonce(number), file.read(_CHUNK + _TAG), head))
    except (InvalidTag, ValueError) as error:
        raise ListError(
            "The list's file cannot be opened: it was sealed with another key, or was changed.",
            str(path),
            f"Restore the store's key. {_RESTORE}",
        ) from error
    return memory


def _parsed(memory: mmap.mmap | bytes, sealed: bool, check: bool) -> Stored:
    magic, size, expected = _HEAD.unpack(memory[: _HEAD.size])
    if magic != _PLAIN:
        raise ValueError("it is no file of a list, or of a newer version")
    if size > _HEADER_BYTES or _HEAD.size + size > len(memory):
        raise ValueError("its header is not as long as it says")
    header = memory[_HEAD.size : _HEAD.size + size]
    digest = hashlib.sha256(header)
    if digest.digest() != expected:
        raise ValueError("its header does not match its digest")
    value = json.loads(header)
    start = _HEAD.size + size
    arrays = {str(one["name"]): _array(memory, start, one, check) for one in value["arrays"]}
    return Stored(arrays, value["facts"], f"sha256:{digest.hexdigest()}", sealed)


def _array(memory: mmap.mmap | bytes, start: int, one: Mapping[str, Any], check: bool) -> NDArray[Any]:
    kind = np.dtype(one["dtype"])
    if kind.kind not in "uif":
        raise ValueError(f"the array {one['name']} is not of numbers")
    shape = tuple(int(side) for side in one["shape"])
    count, place = math.prod(shape), start + int(one["offset"])
    if min(shape, default=0) < 0 or place < start or place + count * kind.itemsize > len(memory):
        raise ValueError(f"the array {one['name']} lies outside the file")
    array = np.frombuffer(memory, dtype=kind, count=count, offset=place).reshape(shape)
    if check and hashlib.sha256(_bytes(array)).hexdigest() != one["sha256"]:
        raise ValueError(f"the array {one['name']} does not match its digest")
    array.flags.writeable = False
    return array
