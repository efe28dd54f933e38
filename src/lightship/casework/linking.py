"""How much speaks for two people of different referrals being one, with each part in words, and what else explains it.

Whole stores are compared by Splink (:mod:`lightship.casework.resolving`), one more referral by :func:`weigh`; both read
the same model and profiles, and give the same weights.

References
----------
Fellegi, Sunter (1969): A theory for record linkage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lightship.casework.link_model import COMPARISONS, SHARED, Model
from lightship.casework.profiles import Pair, Profile

DB_A_BIT = 10 * math.log10(2)
_OWN_DEVICE = {"device", "again"}


@dataclass(frozen=True, slots=True)
class Part:
    """A step of the waterfall."""

    comparison: str
    level: str
    weight_db: float
    says: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """A pair's weight, its parts, and the rival explanation in words."""

    one: str
    other: str
    weight_db: float
    parts: tuple[Part, ...]
    rival: str

    @property
    def reasons(self) -> tuple[str, ...]:
        """The waterfall: ``field: +12.3 dB, in words``."""
        return tuple(f"{one.comparison}: {one.weight_db:+.1f} dB, {one.says}" for one in self.parts)

    @property
    def chance(self) -> float:
        """How probable it is that they are one, by the weight."""
        return 1 / (1 + 10 ** (-self.weight_db / 10))


def weigh(model: Model, pair: Pair, rarity: Mapping[str, float]) -> Weighed:
    """Return what speaks for two people being one.

    Parameters
    ----------
    rarity
        Share of people who bear a name, by name (:func:`rarity_of`).
    """
    one, other = pair.one, pair.other
    levels = {
        "email": _shared(one, other, "email"),
        "phone": _shared(one, other, "phone"),
        "handle": _shared(one, other, "handle"),
        "money": _shared(one, other, "money"),
        "place": _shared(one, other, "place"),
        "name": _names(one, other),
    }
    bits = {name: math.log2(each.one / each.other) for name, level in levels.items()
            if level and (each := model.levels[name][level])}  # fmt: skip
    if levels["name"] == "same":
        bits["name"] += math.log2(model.levels["name"]["same"].other / rarity[one.name])
    return weighed(
        model, one.person, other.person, {name: (levels[name], each) for name, each in bits.items()}
    )


def weighed(model: Model, one: str, other: str, seen: Mapping[str, tuple[str, float]]) -> Weighed:
    """Return a pair's weight with its waterfall, from the level and the bits of each comparison."""
    parts = [Part("start", "", model.start_db, "as often as pairs that share something are one person")]
    for name in COMPARISONS:
        if name in seen:
            level, bits = seen[name]
            weak = "; weaker than most that is shared" if bits < 0.0 and level in SHARED.get(name, ()) else ""
            parts.append(Part(name, level, bits * DB_A_BIT, model.levels[name][level].says + weak))
    total_db = sum(part.weight_db for part in parts)
    final_db = model.slope * total_db + model.offset_db
    parts.append(Part("together", "", final_db - total_db, "what is seen together is not counted twice"))
    first, second = (one, other) if one < other else (other, one)
    return Weighed(first, second, final_db, tuple(parts), _rival(model, parts, final_db))


def stands(model: Model, pair: Pair, found: Weighed) -> bool:
    """Return whether a link is proposed: it weighs enough, and by something that names a person.

    A line names none. Where a role was not told, one may be the child of the other's home, who uses its number and its
    devices, or a stranger who took a free handle: then it takes an address or account, or a handle that nobody else
    would take or that does not stand alone, with nothing that differs. Between a child and whose role was not told it
    takes two kinds, with nothing that differs.
    """
    if found.weight_db < model.propose_db:
        return False
    held = {one.comparison: one.level for one in found.parts if one.level not in {"", "differ"}}
    sides = {pair.one.side, pair.other.side}
    if "unknown" not in sides:
        return not {"email", "money", "handle", "phone"}.isdisjoint(held) or held.get("place") in _OWN_DEVICE
    differs = any(one.level in {"differ", "family"} for one in found.parts)
    if "child" in sides:
        return not {"email", "money", "handle"}.isdisjoint(held) and len(held) > 1 and not differs
    alone = held.get("handle") == "own" or ("handle" in held and len(held) > 1)
    return not {"email", "money"}.isdisjoint(held) or (alone and not differs)


def rarity_of(model: Model, count: int, total: int) -> float:
    """Return the share of people who bear a name that ``count`` of ``total`` bear, the world's names behind them."""
    return (count + 1) / (total + model.names)


def _shared(one: Profile, other: Profile, name: str) -> str:
    """Return the strongest level at which two share something, ``differ`` where both have and do not, else nothing."""
    for level in SHARED[name]:
        column = f"{name}_{level}"
        if not one.tokens[column].isdisjoint(other.tokens[column]):
            return level
    if name == "handle":
        return "differ" if not one.platforms.isdisjoint(other.platforms) else ""
    return "differ" if name in one.has and name in other.has else ""


def _names(one: Profile, other: Profile) -> str:
    if not (one.name and other.name):
        return ""
    if one.name == other.name:
        return "same"
    if near(one.family, other.family):
        return "alike" if near(one.given, other.given) or initial(one.given, other.given) else "family"
    return "differ"


def near(one: str, other: str) -> bool:
    """Return whether two words are the same but for one letter: left out, put in, or another one."""
    if one == other:
        return True
    if abs(len(one) - len(other)) > 1 or min(len(one), len(other)) < 3:
        return False
    if len(one) == len(other):
        return sum(a != b for a, b in zip(one, other, strict=True)) == 1
    short, long = sorted((one, other), key=len)
    at = next((place for place, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    return short[at:] == long[at + 1 :]


def initial(one: str, other: str) -> bool:
    """Return whether one of two words is the first letter of the other."""
    short, long = sorted((one, other), key=len)
    return len(short) == 1 and long.startswith(short)


def _rival(model: Model, parts: Sequence[Part], total_db: float) -> str:
    """Return what else would explain a link: the rival of what they share that weighs most, and what is left."""
    shared = [part for part in parts if part.level and model.levels[part.comparison][part.level].rival]
    if not shared:
        return ""
    by_it = [part for part in shared if part.level not in {"line", "busy"} and part.comparison != "name"]
    most = max(by_it or shared, key=lambda part: part.weight_db)
    rest_db = total_db - model.slope * most.weight_db
    rest = f"{rest_db:+.1f} dB are left" if len(shared) > 1 else "they share nothing"
    return f"{model.levels[most.comparison][most.level].rival} Without the {most.comparison}, {rest}."
