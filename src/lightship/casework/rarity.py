"""How rare each fact of urgency is among one's own referrals, and so how much it can weigh at most.

Almost no referral is of a child who is being abused now, so the share of all referrals that show a fact is the share of
ordinary ones that do; and a fact that a share ``q`` of ordinary referrals show is evidence of at most ``10·log10(1/q)``
decibans. To count it needs no knowledge of what became of any of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from lightship.casework.desk import log_use
from lightship.casework.urgency import Factor, Ladder, facts_of
from lightship.core.casework import Referral
from lightship.core.ports import Work

MOST_DB = 30.0
"""A thousand to one is as much as any fact weighs, however rare: the first rung needs no more."""


@dataclass(frozen=True, slots=True)
class Rarity:
    """A factor, among so many referrals.

    Parameters
    ----------
    shown
        How many show it.
    most_db
        What it can weigh at most; where none shows it, as if one did.
    """

    factor: Factor
    shown: int
    of: int
    most_db: float


def rarities(ladder: Ladder, referrals: Iterable[Iterable[str]]) -> tuple[Rarity, ...]:
    """Return how rare each factor is among referrals, given by their facts, in the ladder's order.

    Raises
    ------
    InputError
        For a fact that is not on the ladder's list.
    """
    said = [facts_of(ladder, facts) for facts in referrals]
    return tuple(
        Rarity(
            factor,
            shown := sum(not one.get(factor.fact, frozenset()).isdisjoint(factor.values) for one in said),
            len(said),
            min(MOST_DB, 10.0 * math.log10(max(1, len(said)) / max(1, shown))),
        )
        for factor in ladder.factors
    )


def counted(work: Work, ladder: Ladder, *, by: str, now: datetime) -> tuple[Rarity, ...]:
    """Return how rare each factor is among a store's referrals; logged as a consultation."""
    log_use(work, "consultation", "referrals", by, now)
    known = ladder.facts

    def facts() -> Iterator[list[str]]:
        for one in work.find(Referral):
            pairs = [(fact, fact.partition("=")) for fact in one.facts]
            yield [fact for fact, (name, _, value) in pairs if value in known.get(name, ())]

    return rarities(ladder, facts())
