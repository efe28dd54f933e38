"""Why an inquiry stands where it stands: its reasons, what each is worth in places, and what to ask next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lightship.casework.urgency import Enquiry, Factor, Ladder, Urgency, enquiries, judge, rank, without

_ASKED = 3


@dataclass(frozen=True, slots=True)
class Without:
    """Where an inquiry would stand if one fact were not known.

    Parameters
    ----------
    rank
        Place in the queue, 1 first.
    """

    factor: Factor
    urgency: Urgency
    rank: int


@dataclass(frozen=True, slots=True)
class Why:
    """An inquiry's place, explained.

    Parameters
    ----------
    rank, of
        Place in the queue, and how many are in it.
    ask
        The questions that could raise it, the cheapest for what it may bring first.
    """

    urgency: Urgency
    rank: int
    of: int
    without: tuple[Without, ...]
    ask: tuple[Enquiry, ...]


def why(ladder: Ladder, facts: Iterable[str], others: Mapping[tuple[int, float], int]) -> Why:
    """Explain the place that facts give among others, of whom so many have each ``(level, weight_db)``.

    Raises
    ------
    InputError
        For a fact that is not on the list.

    Examples
    --------
    >>> from lightship.casework.urgency import shipped
    >>> found = why(shipped(), ["payments=repeated", "live=day"], {(2, 24.0): 1, (3, 18.0): 1, (4, 6.0): 1})
    >>> found.rank, [(one.factor.id, one.rank) for one in found.without]
    (1, [('live-recent', 2), ('payments-go-on', 1)])
    """
    given = tuple(facts)
    here = judge(ladder, given)
    gone = tuple(
        Without(one, without(ladder, given, one.fact), rank(ladder, _less(given, one.fact), others))
        for one in here.held
    )
    return Why(
        here, rank(ladder, given, others), sum(others.values()) + 1, gone, enquiries(ladder, given)[:_ASKED]
    )


def _less(facts: Sequence[str], name: str) -> list[str]:
    return [one for one in facts if one.partition("=")[0] != name]
