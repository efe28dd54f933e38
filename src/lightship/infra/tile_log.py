"""A transparency log in a folder: static files that any web server, disk or post can carry.

Entries and tiles are on disk before the checkpoint that covers them, so that a crash leaves the log as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lightship.core.errors import InputError, LedgerError, LogDamaged, SinkError
from lightship.core.ledger import VerifyReport, verify
from lightship.core.merkle import HASH_BYTES, Frontier, leaf_hash
from lightship.core.notes import Checkpoint, SigningKey, VerifierKey, open_checkpoint, sign_checkpoint
from lightship.core.tiles import PATH, WIDTH, Tiles, bundle, tile_path, tile_width
from lightship.infra.whole_file import alone, write_whole

CHECKPOINT = "checkpoint"
LONGEST_BYTES = WIDTH * (2 + 65535)
"""The longest file of a log: a full bundle of the longest entries."""


def reader(folder: Path) -> Callable[[str], bytes]:
    """Return how to read a log's files in a folder; a path that no log has is not followed."""

    def read(path: str) -> bytes:
        if not PATH.fullmatch(path):
            raise FileNotFoundError(2, "no file of a log", path)
        with (folder / path).open("rb") as file:
            data = file.read(LONGEST_BYTES + 1)
        if len(data) > LONGEST_BYTES:
            raise OSError(27, "longer than any file of a log", path)
        return data

    return read


def read_checkpoint(folder: Path) -> str:
    """Return a log's newest checkpoint, not verified.

    Raises
    ------
    LogDamaged
        If there is none, or it is no text.
    """
    try:
        return reader(folder)(CHECKPOINT).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise LogDamaged(
            f"The log's checkpoint cannot be read: {error}.", str(folder / CHECKPOINT), "Copy the log again."
        ) from error


def append(folder: Path, key: SigningKey, entries: Iterable[bytes]) -> list[int]:
    """Append entries, make the log first if there is none, and return where they are; one that is there is left.

    Raises
    ------
    LogDamaged
        If what is there does not match its checkpoint, or an entry is too long.
    LedgerError
        If the log is of another key.
    SinkError
        If it cannot be written.
    """
    try:
        with alone(folder):
            return _append(folder, key, list(entries))
    except OSError as error:
        raise SinkError(
            f"The log cannot be written: {error}.", str(folder), "Name another folder."
        ) from error


def _append(folder: Path, key: SigningKey, entries: list[bytes]) -> list[int]:
    old = Checkpoint(key.name, 0, Frontier().root())
    if (folder / CHECKPOINT).exists():
        old = open_checkpoint(read_checkpoint(folder), key.verifier)
    tiles = Tiles(reader(folder), old.size)
    before = tiles.frontier(0, old.size)
    if before.root() != old.root or old.origin != key.name:
        raise LogDamaged(
            f"The log does not match its checkpoint of {old.size} entries.",
            str(folder),
            "Restore it from a copy.",
        )
    places: list[int] = []
    fresh: list[bytes] = []
    for entry in entries:
        there = tiles.find(entry)
        place = old.size + (fresh.index(entry) if entry in fresh else len(fresh)) if there is None else there
        if place == old.size + len(fresh):
            fresh.append(entry)
        places.append(place)
    after = before.extended(map(leaf_hash, fresh))
    for path, data in _files(tiles, fresh):
        write_whole(folder / path, data)
    if fresh or not old.size:
        note = sign_checkpoint(Checkpoint(key.name, after.size, after.root()), key)
        write_whole(folder / CHECKPOINT, note.encode())
    return places


def _files(tiles: Tiles, fresh: Sequence[bytes]) -> Iterable[tuple[str, bytes]]:
    """Yield the tiles and bundles that a log gains with some entries, with their paths."""
    size = tiles.size + len(fresh)
    first = tiles.size // WIDTH
    kept = tiles.size % WIDTH
    entries = [*(_last_bundle(tiles) if kept else ()), *fresh]
    for place in range(0, len(entries), WIDTH):
        part = entries[place : place + WIDTH]
        yield tile_path("entries", first + place // WIDTH, len(part)), bundle(part)
    level, hashes = 0, [leaf_hash(entry) for entry in fresh]
    while hashes:
        old = tiles.size >> 8 * level
        number = old // WIDTH
        head = tiles.tile(level, number) if old % WIDTH else b""
        row = [*(head[at : at + HASH_BYTES] for at in range(0, len(head), HASH_BYTES)), *hashes]
        hashes = []
        for place in range(0, len(row), WIDTH):
            part = row[place : place + WIDTH]
            assert len(part) == tile_width(level, number + place // WIDTH, size)
            yield tile_path(level, number + place // WIDTH, len(part)), b"".join(part)
            if len(part) == WIDTH:
                hashes.append(Frontier().extended(part).root())
        level += 1


def _last_bundle(tiles: Tiles) -> list[bytes]:
    return tiles.bundle((tiles.size - 1) // WIDTH)


def verify_log(folder: Path, key: VerifierKey, seen: Iterable[str] = ()) -> VerifyReport:
    """Check every entry of a log against its checkpoint, and against checkpoints that others were shown.

    Parameters
    ----------
    seen
        Signed checkpoints: from a device, a witness, another copy. One that this log does not extend is reported.

    Returns
    -------
    VerifyReport
        Every fault is a problem of it.

    Raises
    ------
    LogDamaged
        If the checkpoint or a bundle is missing or cut short.
    InputError
        If the checkpoint is not signed with this key.
    """
    note = read_checkpoint(folder)
    try:
        newest = open_checkpoint(note, key)
    except LedgerError as error:
        raise InputError(error.what, str(folder), "Give the public key of this log.") from error
    tiles = Tiles(reader(folder), newest.size)
    report = verify(tiles.entries(), [note, *seen], key, origin=newest.origin)
    if report.ok and tiles.root() != newest.root:
        raise LogDamaged(
            "The entries are those signed, but the tiles are not theirs.", str(folder), "Copy it again."
        )
    return report
