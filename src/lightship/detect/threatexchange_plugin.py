"""A plug-in for ``threatexchange``: PDQ with Lightship's index, for its command line and for HMA.

``tx config extensions add lightship.detect.threatexchange_plugin``, or the class in HMA's ``SIGNAL_TYPES``. Exact
within 31 bits as theirs is, quicker to build and to ask, and stored without pickle: what is read back cannot run code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.index import (
    IndexMatchUntyped,
    SignalSimilarityInfoWithIntDistance,
    SignalTypeIndex,
)
from threatexchange.signal_type.pdq.signal import PdqSignal

from lightship.core.errors import InputError
from lightship.core.known import PDQ_BYTES
from lightship.core.ports import HashIndex
from lightship.detect.index import build_index
from lightship.detect.pdq import MATCH_BITS
from lightship.exchange.hash_lists import hex_bytes

_MAGIC = b"lightship pdq index 1\n"
_REBUILD = 4_096


class LightshipPDQIndex(SignalTypeIndex[Any]):
    """Finds all entries within 31 bits.

    What is added later is kept in a small index of its own, until it is worth building the large one anew.

    Parameters
    ----------
    entries
        Hexadecimal hashes, each with what a match on it returns; JSON values, if the index is to be stored.
    """

    def __init__(self, entries: Iterable[tuple[str, Any]] = ()) -> None:
        self._hashes = np.empty((0, 4), dtype=np.uint64)
        self._entries: list[Any] = []
        self._parts: list[tuple[int, HashIndex]] = []
        self.add_all(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def query(self, query: str) -> Sequence[Any]:
        """Return the entries within 31 bits of a hash, nearest first.

        Raises
        ------
        ValueError
            If it is not 64 hexadecimal characters, as ``threatexchange`` expects.
        """
        row = _rows([query])
        found = [
            (distance, start + entry)
            for start, index in self._parts
            for _, entry, distance in index.pairs(row).tolist()
        ]
        return [
            IndexMatchUntyped(SignalSimilarityInfoWithIntDistance(distance), self._entries[entry])
            for distance, entry in sorted(found)
        ]

    def add(self, signal_str: str, entry: Any) -> None:
        """Add an entry; one that is there already stays."""
        self.add_all([(signal_str, entry)])

    def add_all(self, entries: Iterable[tuple[str, Any]]) -> None:
        """Add entries."""
        new = list(entries)
        if not new:
            return
        self._hashes = np.concatenate([self._hashes, _rows([text for text, _ in new])])
        self._entries += [entry for _, entry in new]
        start = self._parts[0][1].__len__() if self._parts else 0
        if not self._parts or len(self._hashes) - start > max(_REBUILD, start // 8):
            self._parts = [(0, build_index(self._hashes, MATCH_BITS))]
        else:
            self._parts = [self._parts[0], (start, build_index(self._hashes[start:], MATCH_BITS))]

    def serialize(self, fout: BinaryIO) -> None:
        """Write the index: a line that names the format, the entries as JSON, the hashes as a numpy array.

        Raises
        ------
        InputError
            If an entry is not a JSON value.
        """
        try:
            entries = json.dumps(self._entries, allow_nan=False, separators=(",", ":")).encode()
        except (TypeError, ValueError) as error:
            what = f"An entry of the index is not a JSON value: {error}."
            raise InputError(what, "index", "Use numbers, texts, lists and objects of them.") from error
        fout.write(_MAGIC + len(entries).to_bytes(8, "big") + entries)
        buffer = io.BytesIO()
        np.save(buffer, self._hashes, allow_pickle=False)
        fout.write(buffer.getvalue())

    @classmethod
    def deserialize(cls, fin: BinaryIO) -> LightshipPDQIndex:
        """Return the index that :meth:`serialize` wrote.

        Raises
        ------
        InputError
            If it is something else, or damaged; a pickle is not opened.
        """
        todo = "Build it anew from the lists."
        if fin.read(len(_MAGIC)) != _MAGIC:
            raise InputError("This is not a stored Lightship index.", "index", todo)
        try:
            entries = json.loads(fin.read(int.from_bytes(fin.read(8), "big")))
            hashes = np.load(io.BytesIO(fin.read()), allow_pickle=False)
            whole = isinstance(entries, list) and hashes.shape == (len(entries), 4)
            found = cls()
            if whole and len(entries):
                found._hashes, found._entries = hashes.astype(np.uint64, casting="equiv"), entries
                found._parts = [(0, build_index(found._hashes, MATCH_BITS))]
        except (ValueError, TypeError, EOFError, OverflowError, MemoryError) as error:
            raise InputError(f"The stored index is damaged: {error}.", "index", todo) from error
        if not whole:
            raise InputError("The stored index is damaged: its parts do not fit.", "index", todo)
        return found

    def dispose(self) -> None:
        """Let go of the memory."""
        self.__init__()  # type: ignore[misc]


class LightshipPdqSignal(PdqSignal):
    """PDQ as ``threatexchange`` has it, found by Lightship's index."""

    @classmethod
    def get_name(cls) -> str:
        """Return the signal's name; its own, as two signal types may not share one."""
        return "lightship_pdq"

    @classmethod
    def get_index_cls(cls) -> type[LightshipPDQIndex]:  # type: ignore[override]  # any index will do
        """Return the index."""
        return LightshipPDQIndex


def _rows(texts: Sequence[str]) -> NDArray[np.uint64]:
    data = b"".join(hex_bytes(text, PDQ_BYTES, "a PDQ hash") for text in texts)
    return np.frombuffer(data, dtype=">u8").astype(np.uint64).reshape(-1, 4)


TX_MANIFEST = ThreatExchangeExtensionManifest(signal_types=(LightshipPdqSignal,))
