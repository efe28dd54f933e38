"""Frame counters of a key that outlives the process: a number that was reserved once is never given again."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from lightship.core.errors import FrameError

RESERVED = 4096
"""Numbers taken from the file at a time: a restart leaves out at most so many."""


def reserved(path: Path) -> Iterator[int]:
    """Yield rising numbers that no process has been given before for the key whose file this is.

    Each run of numbers is on disk as taken before the first of them is used.

    Parameters
    ----------
    path
        One file a key, made with the key. Lost, the key must not be used again.

    Raises
    ------
    FrameError
        If the file cannot be read or written.
    """
    while True:
        yield from _take(path)


def _take(path: Path) -> range:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Sixteen hexadecimal digits written in place: within one sector, so whole or not at all.
            text = os.read(descriptor, 17)
            if text and len(text) != 16:
                raise ValueError(f"{len(text)} bytes instead of 16")
            first = int(text or b"0", 16)
            os.pwrite(descriptor, b"%016x" % (first + RESERVED), 0)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise FrameError(
            f"The key's counters cannot be kept: {error}.", str(path), "Make a new key, with a new file."
        ) from error
    return range(first, first + RESERVED)
