"""A bank as named arrays, and back: what a store keeps of a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightship.core.entries import VALUE_BYTES, Entries, Table, Texts
from lightship.core.errors import ListError
from lightship.core.ports import HashIndex
from lightship.detect.bank import Bank
from lightship.detect.index import build_index, order_of

_ORDER = "index/"


def to_arrays(bank: Bank) -> dict[str, NDArray[Any]]:
    """Return the arrays of a bank as it was built."""
    arrays: dict[str, NDArray[Any]] = {}
    for part in bank.parts[:1]:
        arrays |= {f"pdq/{name}": column for name, column in part.table.columns().items()}
        arrays |= {f"{_ORDER}{name}": array for name, array in order_of(part.index).items()}
    for kind, exact in bank.exact.items():
        arrays |= {f"{kind}/{name}": column for name, column in exact.table.columns().items()}
    return arrays


def to_entries(arrays: Mapping[str, NDArray[Any]], where: str) -> Entries:
    """Return the entries among stored arrays.

    Raises
    ------
    ListError
        If columns are missing or do not fit each other.
    """
    return {
        kind: _table({name: arrays.get(f"{kind}/{name}") for name in _COLUMNS}, size, where)
        for kind, size in VALUE_BYTES.items()
        if f"{kind}/values" in arrays
    }


_COLUMNS = ("values", "quality", "reference_ends", "references", "video_ends", "videos", "at_s")


def _table(columns: Mapping[str, NDArray[Any] | None], size: int, where: str) -> Table:
    found = {name: column for name, column in columns.items() if column is not None}
    if len(found) < len(columns) or found["values"].ndim != 2 or found["values"].shape[1] != size:
        raise ListError("The list's file lacks a column.", where, "Import the list again.")
    number = len(found["values"])
    fits = all(len(found[name]) == number for name in ("quality", "reference_ends", "video_ends", "at_s"))
    for block, ends in (("references", "reference_ends"), ("videos", "video_ends")):
        last = int(found[ends][-1]) if number else 0
        fits = fits and last == len(found[block]) and bool(np.all(np.diff(found[ends], prepend=0) >= 0))
    if not fits:
        raise ListError("The columns of the list's file do not fit.", where, "Import the list again.")
    return Table(
        found["values"],
        found["quality"],
        Texts(found["references"], found["reference_ends"]),
        Texts(found["videos"], found["video_ends"]),
        found["at_s"],
    )


def to_index(
    arrays: Mapping[str, NDArray[Any]], hashes: NDArray[np.uint64], radius: int, scan_up_to: int
) -> HashIndex:
    """Return what finds the entries, from the order that was stored with them if there is one."""
    order = {name.removeprefix(_ORDER): array for name, array in arrays.items() if name.startswith(_ORDER)}
    return build_index(hashes, radius, scan_up_to=scan_up_to, order=order)
