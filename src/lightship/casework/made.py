"""Made-up weeks of referrals with the truth beside them: floods of empty ones, viral bundles, few live cases.

Nobody in them exists. This shares no code with what ranks them (:mod:`lightship.casework.urgency`): what is drawn, and
how often, is the data of ``packs/casework/simulation.toml``.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from lightship.core.errors import PolicyError

WEEK_H = 168.0


@dataclass(frozen=True, slots=True)
class Shown:
    """How often a referral shows a fact: of a live case, and of any other."""

    fact: str
    value: str
    live: float
    other: float


@dataclass(frozen=True, slots=True)
class Priors:
    """What weeks are drawn from; ``week`` by the names of the file."""

    name: str
    version: str
    week: Mapping[str, float]
    shows: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up referral.

    Parameters
    ----------
    arrived_h
        Hours from the beginning; below 0 for what waited already.
    live
        The truth: whether a child is being abused now.
    record
        Whether the person referred has a criminal record; no order but record-first looks at it.
    bundle
        Number of the flood or viral incident that it belongs to, 0 for none.
    minutes
        What a first look at it takes.
    """

    arrived_h: float
    live: bool
    empty: bool
    located: bool
    record: bool
    bundle: int
    minutes: float
    facts: tuple[str, ...]


def parse_priors(text: str, where: str) -> Priors:
    """Read what weeks are drawn from.

    Raises
    ------
    PolicyError
        If it cannot be read, or a number comes without its grade and source.
    """
    try:
        table = tomllib.loads(text)
        for name, one in table["week"].items():
            if not one["grade"] or not one["source"]:
                raise PolicyError(f"{name!r} has no grade or source.", where, "Say where it is from.")
        week = {name: float(one["value"]) for name, one in table["week"].items()}
        shows = tuple(Shown(**one) for one in table["shows"])
        return Priors(table["name"], table["version"], week, shows)
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicyError(f"The priors cannot be read: {error}.", where, "Correct the file.") from error


def weeks_of(priors: Priors, weeks: int, seed: int) -> list[Made]:
    """Return weeks of referrals in the order in which they arrive, after a backlog that waits already."""
    rng, week = random.Random(seed), priors.week  # noqa: S311 - made-up weeks, no secret
    found = [_one(priors, rng, -rng.random() * WEEK_H / 2) for _ in range(int(week["backlog"]))]
    bundle = 0
    for number in range(weeks):
        left = int(week["referrals"])
        for share, size, empty in (
            (week["empty"], week["flood"], True),
            (week["viral"], week["bundle"], False),
        ):
            due = int(week["referrals"] * share)
            while due > 0:
                many = min(due, 1 + int(rng.expovariate(1 / size)))
                due, left, bundle = due - many, left - many, bundle + 1
                found += _bundle(priors, rng, (number + rng.random()) * WEEK_H, many, bundle, empty=empty)
        found += [_one(priors, rng, (number + rng.random()) * WEEK_H) for _ in range(left)]
    return sorted(found, key=lambda one: one.arrived_h)


def _bundle(
    priors: Priors, rng: random.Random, at_h: float, many: int, bundle: int, *, empty: bool
) -> list[Made]:
    """Return reports of one incident within hours: of the same known material, or alike in saying nothing."""
    alike = () if empty else ("material=known",)
    return [
        Made(
            at_h + rng.expovariate(1 / 3.0),
            live=False,
            empty=empty,
            located=rng.random() >= priors.week["unlocatable"],
            record=rng.random() < priors.week["record_other"],
            bundle=bundle,
            minutes=_minutes(priors, rng),
            facts=alike,
        )
        for _ in range(many)
    ]


def _one(priors: Priors, rng: random.Random, at_h: float) -> Made:
    week = priors.week
    # Bundles hold no live case, so those that stand alone hold them all.
    live = rng.random() < week["live"] / (1.0 - week["empty"] - week["viral"])
    located = rng.random() >= week["unlocatable"]
    return Made(
        at_h,
        live,
        empty=False,
        located=located,
        record=rng.random() < week["record_live" if live else "record_other"],
        bundle=0,
        minutes=_minutes(priors, rng),
        facts=_facts(priors, rng, live=live, located=located),
    )


def _minutes(priors: Priors, rng: random.Random) -> float:
    return rng.expovariate(1 / priors.week["minutes"])


def _facts(priors: Priors, rng: random.Random, *, live: bool, located: bool) -> tuple[str, ...]:
    """Return what a referral shows; who cannot be located is not known to live with a child."""
    draws = {one.fact: rng.random() for one in priors.shows}
    found: dict[str, str] = {}
    for one in priors.shows:
        share = one.live if live else one.other
        if one.fact not in found and 0.0 <= draws[one.fact] < share:
            found[one.fact] = one.value
        draws[one.fact] -= share
    return tuple(
        f"{fact}={value}"
        for fact, value in found.items()
        if rng.random() >= priors.week["hidden"] and (located or fact != "access")
    )
