"""What the ledger of the lists says of each list: its terms, what is in force, what is off, and what people decided.

The ledger is the only record: state is what its entries add up to, so that whoever verifies the ledger has verified all
of it. Entries name lists, versions, references and people, never a hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lightship.core.known import Terms
from lightship.core.terms import Source, from_table


@dataclass(frozen=True, slots=True)
class Act:
    """Something that a person, or the matcher, did about an entry.

    Parameters
    ----------
    reference
        The entry.
    what
        Such as ``confirmed`` or ``disabled``.
    reason, by
        Why, and who.
    at
        When.
    """

    reference: str
    what: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A match that was drawn for a person to review.

    Parameters
    ----------
    item
        Names it.
    source, at_s
        The file or stream, and the second in it.
    reference, distance, weight_db
        What it matched, how far off, and with what weight.
    """

    item: str
    source: str
    at_s: float
    reference: str
    distance: int
    weight_db: float


@dataclass
class Listed:
    """The state of one list.

    Parameters
    ----------
    terms, source
        In force.
    terms_at
        Since when.
    began_at
        When the list was added.
    version, digest, published_at
        The last version published, the digest of its entries, and when.
    off, aside
        Disabled entries, and those that the flood brake set aside.
    feedback
        What people said of entries.
    distances
        The distances that were in force, with the day each began.
    matches, seed
        Matches, one a source and entry, among which the last sample was drawn, and by which seed.
    sample, verdicts
        The last sample, and what people said of its items.
    tuned
        When the settings were last decided on, and how.
    stale_told
        The version of which it was last said that it is stale.
    refused
        Why the last version offered was refused; empty once one is published.
    """

    terms: Terms
    source: Source
    terms_at: datetime
    began_at: datetime
    version: int = 0
    digest: str = ""
    published_at: datetime | None = None
    off: dict[str, Act] = field(default_factory=dict)
    aside: dict[str, Act] = field(default_factory=dict)
    feedback: list[Act] = field(default_factory=list)
    distances: list[tuple[datetime, int]] = field(default_factory=list)
    matches: int = 0
    seed: int = 0
    sample: dict[str, Item] = field(default_factory=dict)
    verdicts: dict[str, Act] = field(default_factory=dict)
    tuned: Act | None = None
    stale_told: int = 0
    refused: str = ""


class Book:
    """The state of all lists, taken from the ledger entry by entry."""

    def __init__(self) -> None:
        self.lists: dict[str, Listed] = {}
        self.size = 0

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in the next entry; one of another kind changes nothing.

        Raises
        ------
        InputError
            If it states terms that are none.
        """
        self.size += 1
        name, at = str(entry.get("list", "")), datetime.fromisoformat(entry["at"])
        if entry.get("kind") == "list terms":
            self._terms(name, entry, at)
        elif name in self.lists:
            _take(self.lists[name], entry, at)

    def _terms(self, name: str, entry: Mapping[str, Any], at: datetime) -> None:
        terms, source = from_table(entry["terms"], f"ledger of the lists, entry {self.size - 1}")
        listed = self.lists.get(name)
        if listed is None:
            listed = self.lists[name] = Listed(terms, source, at, at)
        listed.terms, listed.source, listed.terms_at = terms, source, at
        if not listed.distances or listed.distances[-1][1] != terms.distance:
            listed.distances.append((at, terms.distance))


def _take(listed: Listed, entry: Mapping[str, Any], at: datetime) -> None:
    reference, what, reason, by = (str(entry.get(key, "")) for key in ("reference", "what", "reason", "by"))
    act = Act(reference, what, reason, by, at)
    match entry.get("kind"):
        case "entry disabled":
            listed.off[reference] = act
        case "entry enabled":
            listed.off.pop(reference, None)
        case "entry set aside":
            listed.aside[reference] = act
        case "entry released":
            listed.aside.pop(reference, None)
        case "entry feedback":
            listed.feedback.append(act)
        case "match reviewed":
            listed.verdicts[str(entry["item"])] = act
        case "settings decided":
            listed.tuned = act
        case _:
            _take_version(listed, entry, at)


def _take_version(listed: Listed, entry: Mapping[str, Any], at: datetime) -> None:
    match entry.get("kind"):
        case "list published":
            listed.version, listed.digest, listed.published_at = (
                int(entry["version"]),
                str(entry["digest"]),
                at,
            )
            listed.refused = ""
        case "list refused":
            listed.refused = str(entry["why"])
        case "list stale":
            listed.stale_told = int(entry["version"])
        case "sample drawn":
            listed.matches, listed.seed, listed.verdicts = int(entry["matches"]), int(entry["seed"]), {}
            listed.sample = {one["item"]: Item(**one) for one in entry["items"]}
