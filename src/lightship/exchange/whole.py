"""Files and folders that appear whole or not at all: written beside, flushed to disk, renamed."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lightship.core.errors import InputError, SinkError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole: a reader sees the old one or the new one, also after a loss of power.

    Raises
    ------
    SinkError
        If it cannot be written; then nothing of it is left.
    """
    write_each(path.parent, {path.name: data})


def write_each(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, by path within a folder, each of them whole; none takes its place before all are on disk.

    Raises
    ------
    SinkError
        If one cannot be written; then nothing of any is left, and what lay there before is as it was.
    """
    parts: dict[Path, Path] = {}
    path = folder
    try:
        for path, data in ((folder / name, data) for name, data in files.items()):
            path.parent.mkdir(parents=True, exist_ok=True)
            parts[path] = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            _write(parts[path], data)
            _flush(parts[path])
        for path, part in parts.items():
            part.replace(path)
        for parent in {path.parent for path in parts}:
            _flush(parent)
    except OSError as error:
        for part in parts.values():
            with suppress(OSError):
                part.unlink(missing_ok=True)
        raise unwritten(str(error.strerror or error), path) from error


@contextmanager
def appearing(folder: Path, mark: str) -> Iterator[Path]:
    """Give a folder beside to write into, which takes the place of `folder` whole when the block ends well.

    Parameters
    ----------
    mark
        The file by which an earlier run's folder is known, which may be replaced; any other that is not empty is not.

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
        part.mkdir(parents=True)
        yield part
        for path in (*part.rglob("*"), part):
            _flush(path)
        if folder.exists():
            folder.rename(old)
        part.rename(folder)
        _flush(folder.parent)
    except OSError as error:
        if old.exists() and not folder.exists():
            old.rename(folder)
        raise unwritten(str(error.strerror or error), folder) from error
    finally:
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def write_folder(folder: Path, files: Mapping[str, bytes], mark: str) -> None:
    """Write files, by path within a folder, as a folder that appears whole; see :func:`appearing`.

    Raises
    ------
    InputError
        If something else lies there.
    SinkError
        If it cannot be written; then what lay there before is as it was.
    """
    with appearing(folder, mark) as part:
        for name, data in files.items():
            path = part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, data)


def unwritten(why: str, path: Path) -> SinkError:
    """Return the error of a result that cannot be written."""
    return SinkError(
        f"The result cannot be written: {why}.",
        str(path),
        "Make room or name another place, and run it again: nothing half-written is left.",
    )


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)


def _flush(path: Path) -> None:
    """Flush a file, or a folder's names, to disk."""
    place = os.open(path, os.O_RDONLY)
    try:
        os.fsync(place)
    finally:
        os.close(place)
