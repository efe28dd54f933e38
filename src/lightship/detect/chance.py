"""What a match weighs: how seldom a benign picture is as near to a list by chance, measured.

``packs/calibrations/pdq-chance.json`` (made by ``bench/chance.py``) counts, for benign scenes by their quality, how
many come within so many bits of a list of other benign pictures, and of how many of its entries. Of F scenes, k do: a
new one does with probability at most (k+1)/(F+1) (the conformal bound, for exchangeable scenes); for a longer list in
proportion, by the union bound over parts of that length. For a shorter list the pairs of scene and entry are taken in
proportion instead: one scene may be near many entries at once, and k alone would make short lists look too good.
The nearest of several distances is picked after the fact, so ``1/p`` of it would have a mean above 1. So the bet is
divided beforehand among the distances, and a match wins what was bet on each distance that it is within,
``10·log10 Σ share/p`` (docs/adr/0005, 0012). Whatever the shares, that has a mean of at most 1.

Three caps stand above it, for what no count of chance covers. A picture of low quality says little, so it weighs at
most :data:`LOW_QUALITY_DB` whatever its distance: no rung of a shipped policy acts on that alone. An entry may be on a
list by error, so one list gives at most :data:`ONE_LIST_DB`, and two that agree at most :data:`TWO_LISTS_DB`.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lightship import packs
from lightship.core.entries import QUALITY_FLOOR
from lightship.core.errors import PolicyError

LOW_QUALITY = 70
NEAR_BITS, NEAR_SHARE = 6, 0.6
LOW_QUALITY_DB, ONE_LIST_DB, TWO_LISTS_DB = 20.0, 80.0, 90.0


@dataclass(frozen=True, slots=True)
class ChanceTable:
    """The measured chance of a benign scene to match.

    Parameters
    ----------
    entries
        Length of the benign list that was compared with.
    bits
        Distances that were counted, rising.
    qualities
        Lower ends of the quality classes, rising.
    scenes
        Scenes of each class.
    matched, pairs
        For each class, how many of them came within each of the distances of an entry, and of how many entries in all.
    """

    entries: int
    bits: tuple[int, ...]
    qualities: tuple[int, ...]
    scenes: tuple[int, ...]
    matched: tuple[tuple[int, ...], ...]
    pairs: tuple[tuple[int, ...], ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str) -> ChanceTable:
        """Read the file's object.

        Raises
        ------
        PolicyError
            If it is not such a table.
        """
        try:
            table = cls(
                int(value["entries"]),
                tuple(int(one) for one in value["bits"]),
                tuple(int(one) for one in value["qualities"]),
                tuple(int(one) for one in value["scenes"]),
                tuple(tuple(int(count) for count in row) for row in value["matched"]),
                tuple(tuple(int(count) for count in row) for row in value["pairs"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            todo = "Make it again with `python -m bench.chance`."
            raise PolicyError(f"This is no table of chance matches: {error}.", where, todo) from error
        shape = [len(table.bits)] * len(table.qualities)
        if (
            [len(row) for row in table.matched] != shape
            or [len(row) for row in table.pairs] != shape
            or len(table.scenes) != len(shape)
            or table.entries < 1
        ):
            raise PolicyError("The table's rows do not fit together.", where, "Make it again.")
        return table

    def probability(self, distance: int, quality: int, entries: int) -> float:
        """Return the bound on a benign scene's chance to match a list of so many entries; 1 if nothing is known."""
        level = bisect_left(self.bits, distance)
        kind = bisect_right(self.qualities, quality) - 1
        if level == len(self.bits) or kind < 0:
            return 1.0
        share = max(1, entries) / self.entries
        bound = (self.matched[kind][level] + 1) / (self.scenes[kind] + 1)
        if share >= 1.0:
            return min(1.0, bound * share)
        return min(bound, (self.pairs[kind][level] + 1) / (self.scenes[kind] + 1) * share)

    def weight_db(self, distance: int, quality: int, entries: int, lists: int = 1) -> float:
        """Return the weight of a match.

        Parameters
        ----------
        distance
            Bits.
        quality
            Of the picture that was seen and of the entry, the lower one.
        entries
            Entries of all lists that were searched.
        lists
            Lists that hold a match.
        """
        if quality < QUALITY_FLOOR:
            return 0.0
        cap_db = ONE_LIST_DB if lists < 2 else TWO_LISTS_DB
        if quality < LOW_QUALITY:
            cap_db = LOW_QUALITY_DB
        bounds = [self.probability(bits, quality, entries) for bits in self.bits]
        reached = [
            share / bound
            for bits, share, bound in zip(self.bits, self.shares(), bounds, strict=True)
            if distance <= bits and bound < 1.0
        ]
        return max(0.0, min(cap_db, 10.0 * math.log10(math.fsum(reached)))) if reached else 0.0

    def shares(self) -> list[float]:
        """Return the share of the bet that is on a match within each of the distances; they sum to one.

        The bet is divided as streamed copies are: of pictures after H.264 of CRF 18 to 28 some six in ten lie within
        six bits of their entry (docs/robustness.md), where one bet is enough. The rest is divided evenly.
        """
        nearest = max(0, bisect_right(self.bits, NEAR_BITS) - 1)
        wider = len(self.bits) - 1 - nearest
        if not wider:
            return [0.0] * nearest + [1.0]
        return [0.0] * nearest + [NEAR_SHARE] + [(1.0 - NEAR_SHARE) / wider] * wider


@cache
def measured() -> ChanceTable:
    """Return the shipped table.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    path = packs.root() / "calibrations" / "pdq-chance.json"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PolicyError(f"The table of chance matches cannot be read: {error}.", str(path), "") from error
    return ChanceTable.from_json(value, str(path))
