"""How urgent an inquiry is: a ladder of live and ongoing abuse that needs no criminal record and no complete file.

Facts are ``name=value`` of the closed list in ``packs/casework/urgency.toml``. Each factor that holds gives its weight
in decibans, the largest of its family once. Weights are positive, so more facts never make an inquiry less urgent, and
what is missing lowers nothing. A suspect's risk is another field, recorded and never computed (``Inquiry.risk``).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lightship import packs
from lightship.core.canonical import digest
from lightship.core.errors import InputError, PolicyError


@dataclass(frozen=True, slots=True)
class Rung:
    """A rung of the ladder.

    Parameters
    ----------
    from_db
        Evidence from which it is reached.
    act_within_hours
        By when something must have been done.
    first
        What that is.
    """

    id: str
    says: str
    from_db: float
    act_within_hours: float
    first: str


@dataclass(frozen=True, slots=True)
class Factor:
    """Something that makes an inquiry more urgent.

    Parameters
    ----------
    family
        Factors that say the same thing: the largest counts, once.
    fact, values
        Holds where the fact has one of these values.
    ask, ask_minutes
        The enquiry that would tell where the fact is not known, and what it costs in staff time.
    chance
        How often such an enquiry finds it, for the order of enquiries only.
    """

    id: str
    family: str
    fact: str
    values: tuple[str, ...]
    says: str
    weight_db: float
    ask: str
    ask_minutes: float
    chance: float
    grade: str
    source: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs, most urgent first, and the factors."""

    name: str
    title: str
    version: str
    source: str
    rungs: tuple[Rung, ...]
    factors: tuple[Factor, ...]
    digest: str

    @property
    def facts(self) -> Mapping[str, frozenset[str]]:
        """The closed list: every fact's name, with the values that something is made of."""
        found: dict[str, frozenset[str]] = {}
        for factor in self.factors:
            found[factor.fact] = found.get(factor.fact, frozenset()) | frozenset(factor.values)
        return found


@dataclass(frozen=True, slots=True)
class Urgency:
    """A place on the ladder, and why.

    Parameters
    ----------
    held
        The factors that count, the heaviest first.
    """

    rung: Rung
    level: int
    weight_db: float
    held: tuple[Factor, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The parts in words."""
        return tuple(f"+{one.weight_db:.0f} dB: {one.says}" for one in self.held)


@dataclass(frozen=True, slots=True)
class Enquiry:
    """A question that could raise an inquiry, and by how much for what it costs.

    Parameters
    ----------
    gain_db
        What it would add if the fact were so.
    to_level
        The rung that it would then stand on.
    """

    factor: Factor
    gain_db: float
    to_level: int


def parse(text: str, where: str) -> Ladder:
    """Read a ladder; what is unknown or would lower an inquiry is refused.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    try:
        table = tomllib.loads(text)
        rungs = tuple(Rung(**one) for one in table.pop("rungs"))
        factors = tuple(_factor(one, where) for one in table.pop("factors"))
        ladder = Ladder(rungs=rungs, factors=factors, digest=digest(text), **table)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(
            f"The ladder of urgency is not TOML: {error}.", where, "Correct the line."
        ) from error
    except (KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"A key is missing or unknown: {error}.", where, "Correct it.") from error
    steps = [one.from_db for one in rungs]
    if not rungs or steps != sorted(set(steps), reverse=True) or steps[-1] != 0.0:
        raise PolicyError("The rungs must fall to one at 0 dB.", where, "Write the most urgent first.")
    if len({one.id for one in factors}) != len(factors):
        raise PolicyError("Two factors have one id.", where, "Name each its own way.")
    return ladder


@cache
def shipped() -> Ladder:
    """Return the ladder that ships.

    Raises
    ------
    PolicyError
        If it cannot be read or is refused.
    """
    path, text = packs.read("casework", "urgency", ".toml", "ladder of urgency")
    return parse(text, str(path))


def _factor(table: Mapping[str, Any], where: str) -> Factor:
    factor = Factor(**{**table, "values": tuple(table["values"])})
    if not 0.0 < factor.weight_db < math.inf or factor.ask_minutes <= 0.0 or not 0.0 < factor.chance < 1.0:
        raise PolicyError(
            f"The factor {factor.id!r} is refused: its weight, minutes and chance must be above 0, its chance under 1.",
            where,
            "Nothing may lower an inquiry's urgency.",
        )
    return factor


def facts_of(ladder: Ladder, facts: Iterable[str], where: str = "") -> dict[str, frozenset[str]]:
    """Return facts by name; a fact may be said with several values by several sources.

    Raises
    ------
    InputError
        For a fact or value that is not on the closed list.
    """
    known = ladder.facts
    found: dict[str, frozenset[str]] = {}
    for one in facts:
        name, equals, value = one.partition("=")
        if not equals or value not in known.get(name, ()):
            listed = ", ".join(f"{each} ({'/'.join(sorted(known[each]))})" for each in sorted(known))
            raise InputError(f"The fact {one!r} is not on the ladder's list.", where, f"Facts: {listed}.")
        found[name] = found.get(name, frozenset()) | {value}
    return found


def judge(ladder: Ladder, facts: Iterable[str]) -> Urgency:
    """Return the place on the ladder that facts give.

    Raises
    ------
    InputError
        For a fact that is not on the list.
    """
    said = facts_of(ladder, facts)
    best: dict[str, Factor] = {}
    for factor in ladder.factors:
        if said.get(factor.fact, frozenset()).intersection(factor.values):
            rival = best.get(factor.family)
            if rival is None or factor.weight_db > rival.weight_db:
                best[factor.family] = factor
    held = tuple(sorted(best.values(), key=lambda one: (-one.weight_db, one.id)))
    total_db = sum(one.weight_db for one in held)
    level = next(number for number, rung in enumerate(ladder.rungs, 1) if total_db >= rung.from_db)
    return Urgency(ladder.rungs[level - 1], level, total_db, held)


def without(ladder: Ladder, facts: Iterable[str], name: str) -> Urgency:
    """Return where an inquiry would stand if nothing were known of one fact: the counterfactual."""
    return judge(ladder, [one for one in facts if one.partition("=")[0] != name])


def enquiries(ladder: Ladder, facts: Iterable[str]) -> tuple[Enquiry, ...]:
    """Return the questions that could still raise an inquiry, the cheapest for what it may bring first.

    Worth is ``chance · gain / minutes``: what staff can expect for a minute of their time.
    """
    given = tuple(facts)
    here = judge(ladder, given)
    found = []
    for factor in ladder.factors:
        would = judge(ladder, (*given, f"{factor.fact}={factor.values[0]}"))
        if (gain_db := would.weight_db - here.weight_db) > 0.0:
            found.append(Enquiry(factor, gain_db, would.level))
    return tuple(
        sorted(
            found, key=lambda one: (-one.factor.chance * one.gain_db / one.factor.ask_minutes, one.factor.id)
        )
    )


def rank(ladder: Ladder, facts: Iterable[str], others: Mapping[tuple[int, float], int]) -> int:
    """Return the place in a queue, 1 first; equals stand before it.

    Parameters
    ----------
    others
        How many others have each ``(level, weight_db)``.
    """
    mine = judge(ladder, facts)
    return 1 + sum(
        many
        for (level, weight_db), many in others.items()
        if (level, -weight_db) <= (mine.level, -mine.weight_db)
    )
