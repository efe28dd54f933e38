"""A transparency log as static files: where its tiles are, and proofs computed from them.

Pure functions; whoever calls brings ``read(path) -> bytes``. The tree is :mod:`lightship.core.merkle`'s, the
checkpoint :mod:`lightship.core.notes`'s. What tiles say is believed only as far as a proof from them fits a signed
checkpoint.

References
----------
c2sp.org/tlog-tiles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from lightship.core.errors import LogDamaged, LogForked, PackRolledBack
from lightship.core.merkle import (
    HASH_BYTES,
    Frontier,
    Span,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    perfect,
    verify_consistency,
    verify_inclusion,
)
from lightship.core.notes import Checkpoint

WIDTH = 256
"""Hashes in a full tile."""

_HEIGHT = 8
ENTRY_MOST = 65535
"""The longest entry that a bundle can hold, bytes."""

Read = Callable[[str], bytes]
"""Returns a file of the log by its path; raises OSError if there is none."""

PATH = re.compile(r"checkpoint|tile/(entries|[0-9]|[1-5][0-9]|6[0-3])(/x[0-9]{3})*/[0-9]{3}(\.p/[0-9]{1,3})?")
"""What paths of a log look like."""


def tile_path(level: int | str, number: int, width: int) -> str:
    """Return where a tile lies, or, with ``"entries"`` for its level, a bundle of entries.

    Examples
    --------
    >>> tile_path(0, 1234067, 256), tile_path("entries", 0, 3)
    ('tile/0/x001/x234/067', 'tile/entries/000.p/3')
    """
    digits = f"{number:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    name = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{name}" + ("" if width == WIDTH else f".p/{width}")


def tile_width(level: int, number: int, size: int) -> int:
    """Return how many hashes a tile has in a tree of this size: at most 256, 0 if there is no such tile."""
    return max(0, min(WIDTH, (size >> _HEIGHT * level) - number * WIDTH))


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return entries as one file.

    Raises
    ------
    LogDamaged
        If one is too long.
    """
    if any(len(entry) > ENTRY_MOST for entry in entries):
        raise LogDamaged(f"An entry is longer than {ENTRY_MOST} bytes.", "log", "Log its digest instead.")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def unbundle(data: bytes, count: int, where: str) -> list[bytes]:
    """Return the first entries of a file; a full bundle may stand in for a partial one.

    Raises
    ------
    LogDamaged
        If there are not so many, or the last one is cut short.
    """
    entries: list[bytes] = []
    at = 0
    while at < len(data) and len(entries) < count:
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        entries.append(data[at + 2 : end])
        at = end
    if len(entries) < count or at > len(data):
        raise LogDamaged(f"A bundle of the log does not hold {count} whole entries.", where, "Copy it again.")
    return entries


class Tiles:
    """A log of a certain size, read from its tiles.

    Parameters
    ----------
    read
        Returns a file of the log.
    size
        Entries, as a checkpoint says.
    """

    def __init__(self, read: Read, size: int) -> None:
        self._read = read
        self.size = size
        self._kept: dict[tuple[int, int], bytes] = {}

    def _file(self, level: int | str, number: int, width: int) -> bytes:
        path = tile_path(level, number, width)
        try:
            return self._read(path)
        except OSError as error:
            try:
                if width < WIDTH:  # logs may drop a partial tile once the full one is there
                    return self._read(tile_path(level, number, WIDTH))
            except OSError:
                pass
            raise LogDamaged(
                f"A file of the log is missing: {error.strerror}.", path, "Copy it again."
            ) from error

    def tile(self, level: int, number: int) -> bytes:
        """Return a tile's hashes, one after the other.

        Raises
        ------
        LogDamaged
            If it is missing or cut short.
        """
        found = self._kept.get((level, number))
        if found is None:
            width = tile_width(level, number, self.size)
            found = self._file(level, number, width)[: width * HASH_BYTES]
            if len(found) != width * HASH_BYTES:
                raise LogDamaged(
                    "A tile of the log is cut short.", tile_path(level, number, width), "Copy it again."
                )
            self._kept[level, number] = found
        return found

    def entries(self) -> Iterator[bytes]:
        """Yield all entries.

        Raises
        ------
        LogDamaged
            If a bundle is missing or cut short.
        """
        for number in range(-(-self.size // WIDTH)):
            yield from self.bundle(number)

    def bundle(self, number: int) -> list[bytes]:
        """Return one bundle's entries.

        Raises
        ------
        LogDamaged
            If it is missing or cut short.
        """
        width = tile_width(0, number, self.size)
        data = self._file("entries", number, width)
        return unbundle(data, width, tile_path("entries", number, width))

    def _perfect(self, first: int, end: int) -> bytes:
        """Return the root of a perfect subtree from the highest tile that spans it."""
        height = (end - first).bit_length() - 1
        level, inside = divmod(height, _HEIGHT)
        at = first >> _HEIGHT * level
        number, offset = divmod(at, WIDTH)
        tile = self.tile(level, number)
        hashes = [
            tile[place * HASH_BYTES : (place + 1) * HASH_BYTES]
            for place in range(offset, offset + (1 << inside))
        ]
        return Frontier().extended(hashes).root()

    def frontier(self, first: int, end: int) -> Frontier:
        """Return the perfect subtrees of a span that starts where a subtree of its size may."""
        return Frontier(end - first, tuple(self._perfect(*span) for span in perfect((first, end))))

    def _roots(self, spans: Sequence[Span]) -> tuple[bytes, ...]:
        return tuple(self.frontier(*span).root() for span in spans)

    def root(self) -> bytes:
        """Return the root that the tiles give."""
        return self.frontier(0, self.size).root()

    def find(self, entry: bytes) -> int | None:
        """Return the index of an entry, the newest of its kind, or None; looks at leaf tiles from the end."""
        leaf = leaf_hash(entry)
        for number in reversed(range(-(-self.size // WIDTH))):
            tile = self.tile(0, number)
            for place in reversed(range(len(tile) // HASH_BYTES)):
                if tile[place * HASH_BYTES : (place + 1) * HASH_BYTES] == leaf:
                    return number * WIDTH + place
        return None

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of one entry."""
        return self._roots(inclusion_spans(index, self.size))

    def consistency_proof(self, old_size: int) -> tuple[bytes, ...]:
        """Return the proof that the log extends its first ``old_size`` entries."""
        return self._roots(consistency_spans(old_size, self.size))


def included(entry: bytes, checkpoint: Checkpoint, tiles: Tiles) -> int | None:
    """Return where an entry is in the log of a checkpoint, with its proof checked; None if it is not there.

    Raises
    ------
    LogDamaged
        If tiles are missing, or a proof from them does not fit the checkpoint.
    """
    index = tiles.find(entry)
    if index is None:
        if tiles.size == checkpoint.size and tiles.root() != checkpoint.root:
            raise _damaged(checkpoint)
        return None
    proof = tiles.inclusion_proof(index)
    if not verify_inclusion(leaf_hash(entry), index, checkpoint.size, proof, checkpoint.root):
        raise _damaged(checkpoint)
    return index


def check_extends(old: Checkpoint, new: Checkpoint, tiles: Tiles) -> None:
    """Refuse a checkpoint that does not extend the one before.

    Raises
    ------
    LogForked
        If the two contradict each other.
    PackRolledBack
        If it is older.
    LogDamaged
        If the tiles do not give what the checkpoint signed, so that nothing can be proven.
    """
    if new.origin != old.origin:
        raise LogForked(f"The log {new.origin} was shown in place of {old.origin}.", new.origin, _TELL)
    if new.size == old.size and new.root != old.root:
        raise LogForked(f"Two logs of {new.size} entries contradict each other.", new.origin, _TELL)
    if new.size < old.size:
        raise PackRolledBack(
            f"The log has {new.size} entries, and this device has seen {old.size}.",
            new.origin,
            "Copy it again from a place that is up to date.",
        )
    proof = tiles.consistency_proof(old.size)
    if verify_consistency(old.size, old.root, new.size, new.root, proof):
        return
    if tiles.root() != new.root:
        raise _damaged(new)
    raise LogForked(
        f"The log of {new.size} entries does not extend the one of {old.size} that was seen before.",
        new.origin,
        _TELL,
    )


_TELL = "Keep both checkpoints, use nothing of it, and tell the signers and the witnesses."


def _damaged(checkpoint: Checkpoint) -> LogDamaged:
    return LogDamaged(
        f"The tiles do not give the root that the checkpoint of {checkpoint.size} entries signed.",
        checkpoint.origin,
        "Copy the log again.",
    )
