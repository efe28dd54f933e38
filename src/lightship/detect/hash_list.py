"""Lists of PDQ hashes as text: one hash a line, or ``hash,quality[,reference]``."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lightship.core.errors import InputError
from lightship.detect.pdq import QUALITY_FLOOR, from_hex

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class HashList:
    """A loaded list.

    Parameters
    ----------
    name
        The file's name without its suffix.
    hashes
        ``(N, 4) uint64``.
    references
        The owner's reference for each entry, or its line.
    as_of
        The day the list says it is from (``# as-of: YYYY-MM-DD``), else the file's own.
    skipped, quarantined, duplicates
        Lines that were not hashes, entries of too low a quality to match, and entries seen before.
    digest
        ``sha256:`` of the file.
    """

    name: str
    hashes: NDArray[np.uint64]
    references: tuple[str, ...]
    as_of: date
    skipped: int
    quarantined: int
    duplicates: int
    digest: str


def load_list(path: Path, *, skip_bad: bool = False) -> HashList:
    """Load a list, line by line.

    Parameters
    ----------
    skip_bad
        Leave out lines that are not hashes, and count them.

    Raises
    ------
    InputError
        If the file cannot be read, holds no hash, or a line is bad and ``skip_bad`` is not set: the first bad lines are
        named by number.
    """
    hashes: list[NDArray[np.uint64]] = []
    references: list[str] = []
    seen: set[bytes] = set()
    bad: list[tuple[int, str]] = []
    bad_count = quarantined = duplicates = 0
    sha = hashlib.sha256()
    try:
        as_of = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
        with path.open("rb") as file:
            for number, raw in enumerate(file, 1):
                sha.update(raw)
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8", errors="replace").strip()
                if line.startswith("#"):
                    as_of = _as_of(line) or as_of
                    continue
                if not line:
                    continue
                try:
                    hash_, quality, reference = _entry(line, number)
                except ValueError as error:
                    bad_count += 1
                    bad += [(number, str(error))] if len(bad) < _SHOWN else []
                    continue
                key = hash_.tobytes()
                if quality < QUALITY_FLOOR:
                    quarantined += 1
                elif key in seen:
                    duplicates += 1
                else:
                    seen.add(key)
                    hashes.append(hash_)
                    references.append(reference)
    except OSError as error:
        raise InputError(
            f"The list cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error
    if bad_count and not skip_bad:
        named = "; ".join(f"line {number}: {what}" for number, what in bad)
        more = f" and {bad_count - len(bad)} more" if bad_count > len(bad) else ""
        raise InputError(
            f"{bad_count} of the list's lines are bad: {named}{more}.",
            str(path),
            "Correct them, or pass --skip-bad.",
        )
    if not hashes:
        raise InputError(
            "The list holds no hash that can be matched.", str(path), "Check that it is a PDQ list."
        )
    return HashList(
        path.stem,
        np.stack(hashes),
        tuple(references),
        as_of,
        bad_count,
        quarantined,
        duplicates,
        "sha256:" + sha.hexdigest(),
    )


def _entry(line: str, number: int) -> tuple[NDArray[np.uint64], int, str]:
    fields = [field.strip() for field in line.split(",")]
    hash_ = from_hex(fields[0])
    quality = 100
    if len(fields) > 1 and fields[1]:
        try:
            quality = int(fields[1])
        except ValueError:
            raise ValueError(f"the quality {fields[1]!r} is not a number") from None
        if not 0 <= quality <= 100:
            raise ValueError(f"the quality {quality} is not 0 to 100")
    return hash_, quality, fields[2] if len(fields) > 2 and fields[2] else f"line {number}"


def _as_of(line: str) -> date | None:
    key, _, value = line.lstrip("# ").partition(":")
    if key.strip().lower() != "as-of":
        return None
    try:
        return date.fromisoformat(value.strip())
    except ValueError:
        return None
