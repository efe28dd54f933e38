"""Lists on disk: a folder each, with numbered versions that never change and a pointer to the one in force.

A version is written whole under another name, synced, and then named; the pointer moves last. So a store that a crash
or a kill leaves behind at any moment opens, on the version that was in force.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from numpy.typing import NDArray

from lightship.core.errors import ListError
from lightship.infra import array_file
from lightship.infra.array_file import Stored
from lightship.infra.secret_file import secret_of
from lightship.infra.whole_file import PART, whole

KEEP = 3
"""Versions that are kept of a list, the one in force among them."""

_VERSION = re.compile(r"v(\d{6,9})\.list")


class ListStore:
    """The lists of one deployment.

    Parameters
    ----------
    folder
        Holds a folder a list; made when first needed.
    key_path
        The key that seals the files, 64 hexadecimal characters that the owner alone can read; made if there is none.

    Raises
    ------
    ListError
        If the key cannot be read, is damaged, or others can read it.
    """

    def __init__(self, folder: Path, key_path: Path | None = None) -> None:
        self.folder = folder
        self._key = secret_of(key_path or folder.with_name(f"{folder.name}.secret"), ListError)

    def names(self) -> tuple[str, ...]:
        """Return the names of all lists of which a version is in force, in order."""
        found = sorted(one.parent.name for one in self.folder.glob("*/current"))
        return tuple(found)

    def current(self, name: str) -> int:
        """Return the version in force, 0 if there is none.

        Raises
        ------
        ListError
            If the pointer cannot be read.
        """
        path = self.folder / name / "current"
        try:
            return int(path.read_text("ascii"))
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise ListError(
                f"The pointer to the version in force cannot be read: {error}.",
                str(path),
                "Write the number of the newest good version into it.",
            ) from error

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions that are kept, by rising number."""
        found = (_VERSION.fullmatch(one.name) for one in (self.folder / name).glob("v*.list"))
        return tuple(sorted(int(one.group(1)) for one in found if one))

    def write(
        self,
        name: str,
        version: int,
        arrays: Mapping[str, NDArray[Any]],
        facts: Mapping[str, Any],
        note: str,
        *,
        sealed: bool = True,
    ) -> str:
        """Write a version beside the one in force; returns the digest of its file's header.

        Parameters
        ----------
        note
            Its manifest.
        sealed
            Encrypt it.

        Raises
        ------
        ListError
            If it cannot be written.
        """
        key = self._key if sealed else None
        digest = ""

        def fill(file: BinaryIO) -> None:
            nonlocal digest
            digest = array_file.write(file, arrays, facts, key)

        self._put(self._path(name, version, "list"), fill)
        self.set_note(name, version, note)
        return digest

    def read(self, name: str, version: int, *, check: bool = True) -> Stored:
        """Return a version's arrays.

        Raises
        ------
        ListError
            If it cannot be read or is not as it was written.
        """
        return array_file.read(self._path(name, version, "list"), self._key, check=check)

    def note(self, name: str, version: int) -> str:
        """Return a version's manifest with its signatures.

        Raises
        ------
        ListError
            If it cannot be read.
        """
        path = self._path(name, version, "note")
        try:
            return path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ListError(
                f"A version's manifest cannot be read: {error}.", str(path), "Restore it from a copy."
            ) from error

    def set_note(self, name: str, version: int, note: str) -> None:
        """Write a version's manifest.

        Raises
        ------
        ListError
            If it cannot be written.
        """
        self._put(self._path(name, version, "note"), lambda file: _text(file, note))

    def publish(self, name: str, version: int) -> None:
        """Put a version in force, and drop those that are older than what is kept.

        Raises
        ------
        ListError
            If the pointer cannot be written.
        """
        self._put(self.folder / name / "current", lambda file: _text(file, f"{version}\n"))
        for old in [one for one in self.versions(name) if one <= version][:-KEEP]:
            self._path(name, old, "list").unlink(missing_ok=True)
            self._path(name, old, "note").unlink(missing_ok=True)

    def canary(self, name: str, number: int) -> bytes:
        """Return 32 bytes that nobody who lacks the key can tell from a hash, always the same."""
        return hmac.digest(self._key, f"lightship canary {name} {number}".encode(), "sha256")

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Keep other processes from changing the list meanwhile.

        Raises
        ------
        ListError
            If the list's folder cannot be made.
        """
        folder = self.folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            for left in folder.glob(f"{PART}*"):  # of a process that was killed
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(file)

    def _path(self, name: str, version: int, suffix: str) -> Path:
        return self.folder / name / f"v{version:06}.{suffix}"

    def _put(self, path: Path, fill: Callable[[BinaryIO], None]) -> None:
        """Write a file whole: no reader sees half of it, and what was there stays until then."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole(path, 0o600) as file:
                fill(file)
        except OSError as error:
            raise _unwritable(path, error) from error


def _text(file: BinaryIO, text: str) -> None:
    file.write(text.encode())


def _unwritable(path: Path, error: OSError) -> ListError:
    return ListError(
        f"The store of lists cannot be written to: {error.strerror}.",
        str(path),
        "Free some space, or check permissions; the version in force goes on serving.",
    )
