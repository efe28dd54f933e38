"""Lists of PDQ hashes as text: one hash a line, or ``hash,quality[,reference]``.

::

    # as-of: 2026-10-01            comments; this one dates the list
    hash,quality,reference         a header, if the list has one
    f8f8f0cee0f4a84f06370a...,97,case-7
    d8f8f0cce0f4a84f0637022...     quality 100, reference "line 4"

Letters of either case, blank lines and a byte order mark are accepted. The file is read line by line, and a line has a
bound, so that no file can take more memory than the entries that are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.detect.pdq import QUALITY_FLOOR, hex_bytes

_SHOWN = 5
_LINE_BYTES = 4096
_REFERENCE_CHARACTERS = 120


@dataclass(frozen=True, slots=True)
class HashList:
    """A loaded list.

    Parameters
    ----------
    name
        The file's name without its suffix.
    hashes
        ``(N, 4) uint64``, each once.
    references
        The owner's reference for each entry, or its line.
    as_of
        The day the list says it is from (``# as-of: YYYY-MM-DD``), else the file's own.
    skipped, quarantined, duplicates
        Lines that were not entries, entries of too low a quality to match, and entries seen before.
    digest
        ``sha256:`` of the file.
    loaded_from
        The file.
    """

    name: str
    hashes: NDArray[np.uint64]
    references: tuple[str, ...]
    as_of: date
    skipped: int
    quarantined: int
    duplicates: int
    digest: str
    loaded_from: Path


def load_list(path: Path, *, skip_bad: bool = False) -> HashList:
    """Load a list, line by line.

    Parameters
    ----------
    skip_bad
        Leave out lines that are not entries, and count them.

    Raises
    ------
    InputError
        If the file cannot be read, holds no hash, or a line is bad and ``skip_bad`` is not set: the first bad lines
        are named by number.
    """
    packed = bytearray()
    references: list[str] = []
    bad: list[str] = []
    bad_count = quarantined = 0
    sha = hashlib.sha256()
    try:
        with path.open("rb") as file:
            as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
            for number, line in _lines(file, sha):
                try:
                    if line.startswith("#"):
                        as_of = _as_of(line) or as_of
                    elif line and not (number == 1 and line.lower().startswith("hash,")):
                        hash_, quality, reference = _entry(line, number)
                        if quality < QUALITY_FLOOR:
                            quarantined += 1
                        else:
                            packed += hash_
                            references.append(reference)
                except ValueError as error:
                    bad_count += 1
                    if len(bad) < _SHOWN:
                        bad.append(f"line {number}: {error}")
    except OSError as error:
        raise InputError(
            f"The list cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error
    if bad_count and not skip_bad:
        more = f" and {bad_count - len(bad)} more" if bad_count > len(bad) else ""
        raise InputError(
            f"{bad_count} of the list's lines are bad: {'; '.join(bad)}{more}.",
            str(path),
            "Correct them, or pass --skip-bad.",
        )
    if not packed:
        raise InputError(
            "The list holds no hash that can be matched.", str(path), "Check that it is a PDQ list."
        )
    _, first = np.unique(np.frombuffer(packed, dtype="V32"), return_index=True)
    kept = np.sort(first)
    words = np.frombuffer(packed, dtype=">u8").reshape(-1, 4)
    return HashList(
        name=path.stem,
        hashes=words[kept].astype(np.uint64),
        references=tuple(references[i] for i in kept),
        as_of=as_of,
        skipped=bad_count,
        quarantined=quarantined,
        duplicates=len(references) - len(kept),
        digest=f"sha256:{sha.hexdigest()}",
        loaded_from=path,
    )


def _lines(file: BinaryIO, sha: hashlib._Hash) -> Iterator[tuple[int, str]]:
    """Yield each line with its number; of a line that is too long only what shows that it is."""
    number = 0
    while raw := file.readline(_LINE_BYTES):
        number += 1
        sha.update(raw)
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip()
        while len(raw) == _LINE_BYTES and not raw.endswith(b"\n"):
            text = "x" * _LINE_BYTES
            raw = file.readline(_LINE_BYTES)
            sha.update(raw)
        yield number, text


def _entry(line: str, number: int) -> tuple[bytes, int, str]:
    """Return an entry's 32 bytes, quality and reference.

    Raises
    ------
    ValueError
        Saying what is wrong with the line, never repeating a hash.
    """
    hash_, _, rest = line.partition(",")
    quality, _, reference = (field.strip() for field in rest.partition(","))
    data = hex_bytes(hash_.strip())
    if quality and not (quality.isdecimal() and len(quality) <= 3 and int(quality) <= 100):
        raise ValueError(f"the quality {quality[:20]!r} is not 0 to 100")
    words = "".join(one if one.isprintable() else "?" for one in reference.strip('"'))
    return data, int(quality or 100), words[:_REFERENCE_CHARACTERS] or f"line {number}"


def _as_of(line: str) -> date | None:
    """Return the day that a comment dates the list to, if it does.

    Raises
    ------
    ValueError
        If it means to and the day is none.
    """
    key, _, value = line.lstrip("# \t").partition(":")
    if key.strip().lower() != "as-of":
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        raise ValueError(f"the date {value.strip()[:20]!r} is not YYYY-MM-DD") from None
