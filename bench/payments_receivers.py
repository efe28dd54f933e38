"""Who is found among the receivers, by how many customers of this bank pay them, and who is taken for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightship.app_backtest import Outcomes
from lightship.app_payments import typology
from lightship.payments.backtest import standing
from lightship.payments.score import History, fit, measure

PACK = "livestream-receiver"
PAYERS = ((1, 1), (2, 2), (3, 4), (5, 10**9))
"""Receivers are told apart by how many customers pay them: nothing tells one with a single payer from a friend."""


@dataclass(frozen=True)
class Receivers:
    """One history's figures about receivers.

    Parameters
    ----------
    right
        How many of the first 50 and 200 are known; the second number counts at most 200.
    known
        All that are known.
    found
        For each of :data:`PAYERS`: known among the first 200, and known at all.
    false
        Of the first 50, who are paid by whom instead.
    """

    right: tuple[int, int]
    known: int
    found: tuple[tuple[int, int], ...]
    false: Counter[str]


def receivers(history: History, facts: Outcomes) -> Receivers:
    """Return a history's figures."""
    known = facts.known[PACK]
    found = measure(history, typology(PACK))
    ranked = standing(found, fit(found)).subjects
    paid = found.rows.group_by("subject").aggregate(payers=found.rows.other.nunique())
    payers = dict(zip(*(one.to_pylist() for one in history.engine.arrow(paid).columns), strict=True))
    first = set(ranked[:200]) & known
    wrong = [facts.groups.get(who, "others") for who in ranked[:50] if who not in known]
    return Receivers(
        (len(known & set(ranked[:50])), len(first)),
        len(known),
        tuple(
            (
                sum(low <= payers.get(who, 0) <= high for who in first),
                sum(low <= payers.get(who, 0) <= high for who in known),
            )
            for low, high in PAYERS
        ),
        Counter(group.removeprefix("receiver of ") for group in wrong),
    )


def rows_of_receivers(results: Sequence[Receivers], name: str) -> list[dict[str, str]]:
    """Return the rows of the figures table of one kind of population."""
    precision = [one.right[0] / 50 for one in results]
    recall = [float(np.mean([one.right[which] / one.known for one in results])) for which in (0, 1)]
    false: Counter[str] = sum((one.false for one in results), Counter())
    parts = [tuple(sum(one.found[place][which] for one in results) for which in (0, 1)) for place in range(4)]
    words = ("one payer", "two", "3 or 4", "5 or more")
    by_payers = ", ".join(f"{word} {part[0]} of {part[1]}" for word, part in zip(words, parts, strict=True))
    return [
        {
            "what": f"{name}: receivers' precision@50, recall@50 and @200",
            "ours": f"{np.mean(precision):.2f} ({min(precision):.2f}-{max(precision):.2f}), "
            f"{recall[0]:.2f} and {recall[1]:.2f}",
        },
        {"what": f"{name}: receivers in the first 200, by their payers at this bank", "ours": by_payers},
        {
            "what": f"{name}: who is taken for a receiver in the first 50, by who pays them",
            "ours": ", ".join(f"{group} {count}" for group, count in false.most_common()) or "nobody",
        },
    ]
