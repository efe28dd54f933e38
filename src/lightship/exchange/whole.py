"""Files and folders that appear whole or not at all: written beside, flushed to disk, renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from lightship.core.errors import InputError, SinkError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole: a reader sees the old one or the new one, also after a loss of power.

    Raises
    ------
    SinkError
        If it cannot be written; then nothing of it is left.
    """
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(part, data)
        part.replace(path)
        _flush(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise _unwritten(error, path) from error


def write_folder(folder: Path, files: Mapping[str, bytes], mark: str) -> None:
    """Write a folder of files whole; one that an earlier run wrote is put in its place.

    Parameters
    ----------
    files
        By path within the folder.
    mark
        The file by which a folder of an earlier run is known. Any other folder that is not empty is left alone.

    Raises
    ------
    InputError
        If something else lies there.
    SinkError
        If it cannot be written; then what lay there before is as it was.
    """
    if folder.exists() and (not folder.is_dir() or (any(folder.iterdir()) and not (folder / mark).is_file())):
        raise InputError(
            "Something else lies where the result is to be written.",
            str(folder),
            "Name a new folder with --out.",
        )
    token = secrets.token_hex(4)
    part, old = (folder.with_name(f".{folder.name}.{token}{suffix}") for suffix in ("", ".old"))
    try:
        for name, data in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)
        for place in {part, *(path for path in part.rglob("*") if path.is_dir())}:
            _flush(place)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        _flush(folder.parent)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise _unwritten(error, folder) from error
    finally:
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Flush a folder's names to disk."""
    place = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)


def _unwritten(error: OSError, path: Path) -> SinkError:
    return SinkError(
        f"The result cannot be written: {error.strerror or error}.",
        str(path),
        "Make room or name another place, and run it again: nothing half-written is left.",
    )
