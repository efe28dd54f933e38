"""People as they are compared: what names somebody names them for a time, and what many have says little.

A number that stood still for long is another one from then on. Around each identifier it is counted how many different
people there are, by what tells people apart: addresses, numbers, accounts, names. Nobody is looked up by a line, nor by
what very many have. A child is never compared with an adult suspect: a :class:`Pair` of them cannot be made.

References
----------
Perito et al. (2011): How unique and traceable are usernames?
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lightship.casework.link_model import KINDS, TOKENS, Model
from lightship.casework.links import ADULT, apart
from lightship.casework.normal import platform_name
from lightship.core.casework import IdentifierKind, PersonRole
from lightship.core.errors import AccessDenied

Side = Literal["child", "adult", "unknown"]
_HAS: Mapping[str, str] = {
    "email": "email", "phone": "phone", "account": "money", "wallet": "money", "payment-token": "money",
    "device": "place",
}  # fmt: skip
"""By what two may differ who share nothing of it. A line changes by itself, and handles differ on one platform only."""

_CROWDED = "#"
"""Ends what so many have that nobody is looked up by it."""

_SOLO = {"email", "phone", "account"}


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
        What others are looked up by: no line and no handle without its platform, which name nobody, and nothing that
        many have.
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


def profiles(model: Model, held: Iterable[Held]) -> dict[str, Profile]:
    """Return people as they are compared, by their key.

    Parameters
    ----------
    held
        All that is known of whoever is compared, and of everybody who shares something with them, of every kind: what
        nobody is compared by says all the same on which side somebody stands.
    """
    roles: defaultdict[str, set[PersonRole]] = defaultdict(set)
    by_person: defaultdict[str, list[Held]] = defaultdict(list)
    by_key: defaultdict[str, list[Held]] = defaultdict(list)
    for one in held:
        roles[one.person].add(one.role)
        if one.kind not in KINDS:
            continue
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
        if (side := side_of(roles[person])) is not None:
            found[person] = _profile(model, person, side, those, islands)
    return found


def key_of(one: Held) -> str:
    """Return what two must have in common to have the same thing."""
    where = platform_name(one.platform) if one.kind in {"handle", "payment-token"} else ""
    return f"{one.kind}|{where}|{one.value}"


def bits_of(handle: str) -> float:
    """Return about how surprising a handle is: two bits a letter, as of words, and a digit's own (Perito 2011)."""
    digits = sum(char.isdigit() for char in handle)
    return 2.0 * sum(char.isalpha() for char in handle) + math.log2(10) * digits


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
            nobody = one.kind == "ip" or (one.kind == "handle" and not one.platform)
            if not nobody and not islands[key_of(one), person][0].endswith(_CROWDED):
                keys.add(key_of(one))
    keys |= tokens["handle_elsewhere"]
    name = max((one.value for one in held if one.kind == "name"), key=lambda one: (len(one), one), default="")
    given, family = _name_parts(name)
    return Profile(
        person,
        side,
        {column: frozenset(values) for column, values in tokens.items()},
        frozenset(_HAS[one.kind] for one in held if one.kind in _HAS),
        frozenset(platform_name(one.platform) for one in held if one.kind == "handle" and one.platform),
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
        if one.platform:
            yield "handle_reused", key
            yield ("handle_own", key) if rare else ("handle_tenure", island)
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
