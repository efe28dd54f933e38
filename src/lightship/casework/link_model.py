"""What people are linked by: comparisons, their levels, and how often each is seen, as dated data.

A model (``packs/casework/linking.toml``) has for each comparison its levels with the chances of each among pairs that
are one person and among pairs that only share something.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from lightship import packs
from lightship.casework.bundling import Shared
from lightship.core.casework import IdentifierKind
from lightship.core.errors import PolicyError

KINDS: tuple[IdentifierKind, ...] = (
    "email", "phone", "handle", "account", "wallet", "payment-token", "device", "ip", "name",
)  # fmt: skip
"""What people are compared by."""

COMPARISONS: Mapping[str, tuple[str, ...]] = {
    "email": ("few", "many", "differ"),
    "phone": ("tenure", "recycled", "differ"),
    "handle": ("own", "tenure", "reused", "elsewhere", "differ"),
    "money": ("few", "many", "differ"),
    "place": ("device", "household", "again", "line", "busy", "differ"),
    "name": ("same", "alike", "family", "differ"),
}
"""What is compared, and its levels from the strongest; the last is for what both have and do not share."""

SHARED: Mapping[str, tuple[str, ...]] = {
    "email": ("few", "many"),
    "phone": ("tenure", "recycled"),
    "handle": ("own", "tenure", "reused", "elsewhere"),
    "money": ("few", "many"),
    "place": ("device", "household", "again", "line", "busy"),
}
TOKENS = tuple(f"{name}_{level}" for name, levels in SHARED.items() for level in levels)
"""The columns of a profile by which two may share something."""


@dataclass(frozen=True, slots=True)
class Level:
    """What may be seen when two are compared.

    Parameters
    ----------
    one, other
        How often it is seen of pairs that are one person, and of pairs that share something and are two.
    says
        In words.
    rival
        What else explains it; empty for what speaks against.
    """

    id: str
    one: float
    other: float
    says: str
    rival: str

    @property
    def weight_db(self) -> float:
        """What it adds, decibans."""
        return 10 * math.log10(self.one / self.other)


@dataclass(frozen=True, slots=True)
class Model:
    """What people are linked by.

    Parameters
    ----------
    start
        Share of one person among pairs that share something.
    slope, offset_db
        What the sum is scaled and shifted by, for what is seen together is not seen twice.
    propose_db, weak_db
        From which weight a link is proposed, and from which it is shown where it is asked for.
    most
        Who is named by something that more than these have is not looked up by it.
    gap
        How long something may stand still and still name the same person; None for ever.
    few, some
        Different people around an identifier up to which it counts as one person's, and as a home's.
    names
        Names of the world that stand behind those of the store, so that few names do not look common.
    handle_bits
        From which surprise on a handle on two platforms is more than a word that many take.
    """

    name: str
    version: str
    start: float
    slope: float
    offset_db: float
    propose_db: float
    weak_db: float
    most: int
    gap: Mapping[IdentifierKind, timedelta | None]
    few: int
    some: int
    names: int
    handle_bits: float
    levels: Mapping[str, Mapping[str, Level]]
    bundles: tuple[Shared, ...]

    @property
    def start_db(self) -> float:
        """What pairs that share something begin with, decibans."""
        return 10 * math.log10(self.start / (1 - self.start))


def parse_model(text: str, where: str) -> Model:
    """Read a model.

    Raises
    ------
    PolicyError
        If it cannot be read, a chance is not between 0 and 1, or a number has no grade.
    """
    try:
        table = tomllib.loads(text)
        for part in ("model", "gap_days", "bundles", *(f"chances of {one}" for one in COMPARISONS)):
            block: Any = table["chances"][part[11:]] if part.startswith("chances") else table[part]
            graded = block if isinstance(block, list) else [block]
            if not all(one["grade"] and one["source"] for one in graded):
                raise PolicyError(f"{part} has no grade or source.", where, "Say where it is from.")
        levels = {
            name: {level: Level(level, **table["chances"][name][level]) for level in wanted}
            for name, wanted in COMPARISONS.items()
        }
        for name, each in levels.items():
            if not all(0.0 < one.one < 1.0 and 0.0 < one.other < 1.0 for one in each.values()):
                raise PolicyError(f"A chance of {name} is not between 0 and 1.", where, "Correct it.")
        gap = {
            kind: timedelta(days=days) if (days := table["gap_days"].get(kind, 0)) else None for kind in KINDS
        }
        bundles = tuple(
            Shared(one["kind"], timedelta(hours=one["within_hours"]), one["says"]) for one in table["bundles"]
        )
        own = {name: value for name, value in table["model"].items() if name not in {"grade", "source"}}
        return Model(table["name"], table["version"], gap=gap, levels=levels, bundles=bundles, **own)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise PolicyError(
            f"The model of linking cannot be read: {error}.", where, "Correct the file."
        ) from error


@cache
def shipped() -> Model:
    """Return the model that ships.

    Raises
    ------
    PolicyError
        If it cannot be read.
    """
    path, text = packs.read("casework", "linking", ".toml", "model of linking")
    return parse_model(text, str(path))
