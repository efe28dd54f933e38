"""Files that are there whole or not at all, and on disk when writing returns."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

PART = ".part-"
"""Begins the name of a file that is being written; one that lies about is of a process that was killed."""


@contextmanager
def whole(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write, which takes its place when the block ends well; its folder must be there.

    Whoever reads meanwhile, or after a crash, finds the old file or the new one.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    part = path.with_name(f"{PART}{path.name}-{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file as :func:`whole` does, and its folder where there is none.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as file:
        file.write(data)


def sync(folder: Path) -> None:
    """Flush a folder's names to disk.

    Raises
    ------
    OSError
        If it cannot be opened.
    """
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same folder waiting.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
