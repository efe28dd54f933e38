"""How much speaks for two people of different referrals being one, with each part in words, and what else explains it.

What names somebody names them for a time: a number or handle that stood still for long is another one from then on, and
an address that many use says little. A model (``packs/casework/linking.toml``) has for each comparison its levels with
the chances of each among pairs that are one person and among pairs that only share something. Whole stores are compared
by Splink (:mod:`lightship.casework.resolving`), one more referral by :func:`weigh`; both read the same profiles and
give the same weights. A child is never compared with an adult suspect: a :class:`Pair` of them cannot be made.

References
----------
Fellegi, Sunter (1969): A theory for record linkage. Perito et al. (2011): How unique and traceable are usernames?
"""

from __future__ import annotations

import math
import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any, Literal

from lightship import packs
from lightship.casework.bundling import Shared
from lightship.casework.links import ADULT, apart
from lightship.casework.normal import platform_name
from lightship.core.casework import IdentifierKind, PersonRole
from lightship.core.errors import AccessDenied, PolicyError

Side = Literal["child", "adult", "unknown"]
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

_TOKEN: Mapping[str, tuple[str, ...]] = {
    "email": ("few", "many"),
    "phone": ("tenure", "recycled"),
    "handle": ("own", "tenure", "reused", "elsewhere"),
    "money": ("few", "many"),
    "place": ("device", "household", "again", "line", "busy"),
}
TOKENS = tuple(f"{name}_{level}" for name, levels in _TOKEN.items() for level in levels)
"""The columns of a profile by which two may share something."""

_HAS: Mapping[str, str] = {
    "email": "email", "phone": "phone", "account": "money", "wallet": "money", "payment-token": "money",
    "device": "place",
}  # fmt: skip
"""By what two may differ who share nothing of it. A line changes by itself, and handles differ on one platform only."""

_CROWDED = "#"
"""Ends what so many have that nobody is looked up by it."""

_SOLO = {"email", "phone", "account"}
_DB_A_BIT = 10 * math.log10(2)
_DAY_S = 86_400.0


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
    gap: Mapping[str, timedelta | None]
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


@dataclass(frozen=True, slots=True)
class Held:
    """An identifier of a person, with the time for which it is known to be theirs, seconds since 1970."""

    person: str
    role: PersonRole
    kind: IdentifierKind
    value: str
    platform: str
    first_s: float
    last_s: float


@dataclass(frozen=True, slots=True)
class Profile:
    """A person as they are compared.

    Parameters
    ----------
    tokens
        By column of :data:`TOKENS`: what it takes to share something at that level.
    has
        Comparisons for which they have anything.
    platforms
        Where they have handles.
    keys
        What others are looked up by: no lines, which name nobody, and nothing that many have.
    """

    person: str
    side: Side
    tokens: Mapping[str, frozenset[str]]
    has: frozenset[str]
    platforms: frozenset[str]
    keys: frozenset[str]
    name: str
    given: str
    family: str

    @property
    def referral(self) -> str:
        """The referral that names them."""
        return self.person.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons who may be compared: of two referrals, and never a child and an adult.

    Raises
    ------
    AccessDenied
        If they may not be.
    """

    one: Profile
    other: Profile

    def __post_init__(self) -> None:
        """Refuse what may never be one person."""
        if not comparable(self.one, self.other):
            raise AccessDenied(
                "These two are never one person.", f"{self.one.person}, {self.other.person}", ""
            )


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


def side_of(roles: Collection[PersonRole]) -> Side | None:
    """Return on which side somebody stands; None for whom a referral calls both, who is compared with nobody."""
    if apart(roles):
        return None
    return "child" if "child" in roles else "adult" if not ADULT.isdisjoint(roles) else "unknown"


def comparable(one: Profile, other: Profile) -> bool:
    """Return whether two may be one person at all: one referral names two people, a child is no adult."""
    return one.referral != other.referral and {one.side, other.side} != {"child", "adult"}


def together(one: Profile, other: Profile) -> Profile:
    """Return what is known of two who are one: on the side that either is told to be on, by the fuller name."""
    named = max(one, other, key=lambda each: (len(each.name), each.name))
    return Profile(
        one.person,
        one.side if one.side != "unknown" else other.side,
        {column: one.tokens[column] | other.tokens[column] for column in TOKENS},
        one.has | other.has,
        one.platforms | other.platforms,
        one.keys | other.keys,
        named.name,
        named.given,
        named.family,
    )


def profiles(
    model: Model, held: Iterable[Held], *, known: Collection[str] | None = None
) -> dict[str, Profile]:
    """Return people as they are compared, by their key.

    Parameters
    ----------
    held
        All that is known of whoever is compared, and of everybody who shares something with them.
    known
        Those to return; None for all.
    """
    by_person: defaultdict[str, list[Held]] = defaultdict(list)
    by_key: defaultdict[str, list[Held]] = defaultdict(list)
    for one in held:
        by_person[one.person].append(one)
        if one.kind != "name":
            by_key[key_of(one)].append(one)
            if one.kind == "handle":
                by_key[_word(one)].append(one)
    solo = {person: _solo(those) for person, those in by_person.items()}
    found: dict[str, Profile] = {}
    islands: dict[tuple[str, str], tuple[str, int]] = {}
    for key, those in by_key.items():
        if len(those) == 1:
            islands[key, those[0].person] = (f"{key}#0", 1)
        else:
            islands |= _islands(model, key, those, solo)
    for person, those in by_person.items():
        if (known is None or person in known) and (side := side_of({one.role for one in those})) is not None:
            found[person] = _profile(model, person, side, those, islands)
    return found


def key_of(one: Held) -> str:
    """Return what two must have in common to have the same thing."""
    where = platform_name(one.platform) if one.kind in {"handle", "payment-token"} else ""
    return f"{one.kind}|{where}|{one.value}"


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
        bits["name"] += math.log2(
            model.levels["name"]["same"].other / max(rarity[one.name], rarity[other.name])
        )
    return weighed(
        model, one.person, other.person, {name: (levels[name], each) for name, each in bits.items()}
    )


def weighed(model: Model, one: str, other: str, seen: Mapping[str, tuple[str, float]]) -> Weighed:
    """Return a pair's weight with its waterfall, from the level and the bits of each comparison."""
    parts = [Part("start", "", model.start_db, "as often as pairs that share something are one person")]
    for name in COMPARISONS:
        if name in seen:
            level, bits = seen[name]
            weak = "; weaker than most that is shared" if bits < 0.0 and level in _TOKEN.get(name, ()) else ""
            parts.append(Part(name, level, bits * _DB_A_BIT, model.levels[name][level].says + weak))
    total_db = sum(part.weight_db for part in parts)
    final_db = model.slope * total_db + model.offset_db
    parts.append(Part("together", "", final_db - total_db, "what is seen together is not counted twice"))
    first, second = (one, other) if one < other else (other, one)
    return Weighed(first, second, final_db, tuple(parts), _rival(model, parts, final_db))


def stands(model: Model, pair: Pair, found: Weighed) -> bool:
    """Return whether a link is proposed: it weighs enough, and by something that names a person.

    A line names none. Where a role was not told, one may be the child of the other's home, who uses its number and its
    devices, or a stranger who took a free handle: then it takes an address or account, or a handle that nobody else
    would take or that does not stand alone, with nothing that differs.
    """
    if found.weight_db < model.propose_db:
        return False
    held = {one.comparison: one.level for one in found.parts if one.level not in {"", "differ"}}
    if not {"email", "money"}.isdisjoint(held):
        return True
    if pair.one.side == pair.other.side != "unknown":
        return not {"handle", "phone"}.isdisjoint(held) or held.get("place") in {"device", "again"}
    differs = any(one.level in {"differ", "family"} for one in found.parts)
    return "handle" in held and not differs and (held["handle"] == "own" or len(held) > 1)


def rarity_of(model: Model, count: int, total: int) -> float:
    """Return the share of people who bear a name that ``count`` of ``total`` bear, the world's names behind them."""
    return (count + 1) / (total + model.names)


def _shared(one: Profile, other: Profile, name: str) -> str:
    """Return the strongest level at which two share something, ``differ`` where both have and do not, else nothing."""
    for level in _TOKEN[name]:
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


def bits_of(handle: str) -> float:
    """Return about how surprising a handle is: two bits a letter, as of words, and a digit's own (Perito 2011)."""
    digits = sum(char.isdigit() for char in handle)
    return 2.0 * sum(char.isalpha() for char in handle) + math.log2(10) * digits


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


def _solo(held: Iterable[Held]) -> frozenset[str]:
    """Return what tells people apart: addresses, numbers, accounts, and names by initial and family name."""
    found = set()
    for one in held:
        if one.kind in _SOLO:
            found.add(f"{one.kind}|{one.value}")
        elif one.kind == "name":
            given, family = _name_parts(one.value)
            found.add(f"name|{given[:1]} {family}")
    return frozenset(found)


def _islands(
    model: Model, key: str, those: list[Held], solo: Mapping[str, frozenset[str]]
) -> dict[tuple[str, str], tuple[str, int]]:
    """Return for each holder of a key in whose hands it was then, and how many different people are around it."""
    persons = {one.person for one in those}
    if len(persons) > model.most:
        return {(key, person): (f"{key}{_CROWDED}", model.most) for person in persons}
    gap = model.gap[those[0].kind]
    gap_s = math.inf if gap is None else gap.total_seconds()
    found: dict[tuple[str, str], tuple[str, int]] = {}
    groups: list[set[str]] = []
    last_s = -math.inf
    for one in sorted(those, key=lambda each: (each.first_s, each.person)):
        if not groups or one.first_s - last_s > gap_s:
            groups.append(set())
        last_s = max(last_s, one.last_s) if groups[-1] else one.last_s
        groups[-1].add(one.person)
    for number, group in enumerate(groups):
        crowd = _crowd(group, solo)
        for person in group:
            found[key, person] = (f"{key}#{number}", crowd)
    return found


def _crowd(group: Iterable[str], solo: Mapping[str, frozenset[str]]) -> int:
    """Return the most different values of one kind that tell people apart among holders, one at least."""
    kinds: defaultdict[str, int] = defaultdict(int)
    for value in frozenset().union(*(solo[person] for person in group)):
        kinds[value.partition("|")[0]] += 1
    return max(1, *kinds.values()) if kinds else 1


_Islands = Mapping[tuple[str, str], tuple[str, int]]
"""In whose hands a key was for each of its holders, and how many different people were around it."""


def _profile(model: Model, person: str, side: Side, held: Sequence[Held], islands: _Islands) -> Profile:
    tokens: dict[str, set[str]] = {column: set() for column in TOKENS}
    keys = set[str]()
    for one in held:
        if one.kind != "name":
            for column, token in _tokens(model, one, islands):
                tokens[column].add(token)
            if one.kind != "ip" and not islands[key_of(one), person][0].endswith(_CROWDED):
                keys.add(key_of(one))
    keys |= tokens["handle_elsewhere"]
    name = max((one.value for one in held if one.kind == "name"), key=lambda one: (len(one), one), default="")
    given, family = _name_parts(name)
    return Profile(
        person,
        side,
        {column: frozenset(values) for column, values in tokens.items()},
        frozenset(_HAS[one.kind] for one in held if one.kind in _HAS),
        frozenset(platform_name(one.platform) for one in held if one.kind == "handle"),
        frozenset(keys),
        name,
        given,
        family,
    )


def _tokens(model: Model, one: Held, islands: _Islands) -> Iterator[tuple[str, str]]:
    """Yield by what somebody shares an identifier with others, each with the column of its level."""
    key = key_of(one)
    island, crowd = islands[key, one.person]
    few = "few" if crowd <= model.few else "many"
    if one.kind == "phone":
        yield from (("phone_tenure", island), ("phone_recycled", key))
    elif one.kind == "handle":
        word, rare = _word(one), bits_of(one.value) >= model.handle_bits
        yield from (
            ("handle_own" if rare else "handle_tenure", key if rare else island),
            ("handle_reused", key),
        )
        if rare and islands[word, one.person][1] <= model.few:
            yield "handle_elsewhere", word
    elif one.kind in {"device", "ip"}:
        names = ("device", "household") if one.kind == "device" else ("line", "busy")
        if crowd <= model.some:
            yield f"place_{names[crowd > model.few]}", island
            if one.kind == "device":
                yield "place_again", key
    else:
        yield f"{_HAS[one.kind]}_{few}", island


def _word(one: Held) -> str:
    return f"word||{one.value}"


def _name_parts(name: str) -> tuple[str, str]:
    words = name.split()
    return (words[0], words[-1]) if len(words) > 1 else ("", name)
