"""Who watches what: streams are shared out evenly among those workers that are there, by what each says of itself."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

PRESENT = "worker/"
"""Begins the name of a lease by which workers know who is there."""

_STREAM = "stream/"


def lease(stream_id: str) -> str:
    """Return the name of a stream's lease."""
    return _STREAM + stream_id


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers that are there.

    Parameters
    ----------
    held
        How many streams each holds, by its name; one that holds none stands there with 0.
    most
        How many each takes at most, as far as it has said.
    """

    held: Mapping[str, int]
    most: Mapping[str, int]

    @classmethod
    def of(cls, leases: Mapping[str, str], most: Mapping[str, int], me: str) -> Crew:
        """Return who is there, as the leases tell it."""
        there = {name.removeprefix(PRESENT) for name in leases if name.startswith(PRESENT)} | {me}
        counts = Counter(who for name, who in leases.items() if name.startswith(_STREAM))
        return cls({name: counts[name] for name in there}, most)

    def share(self, streams: int) -> int:
        """Return how many streams are an even share, rounded up."""
        return math.ceil(streams / len(self.held))

    def surplus(self, me: str, own: int, streams: int, free: int) -> int:
        """Return how many of its own streams a worker should hand over: its part of what others lack of an even share.

        None to those that are full, or have not said yet how many they take: a stream is never let go of for nobody.
        None either for whom there are free ones: they take these first.

        Parameters
        ----------
        own, streams, free
            How many it watches, how many there are, and how many of them nobody watches.
        """
        least = streams // len(self.held)
        others = {name: count for name, count in self.held.items() if name != me}
        lacking = sum(max(0, min(self.most.get(name, 0), least) - count) for name, count in others.items())
        lacking = max(0, lacking - free)
        mine = max(0, own - least)
        beyond = mine + sum(max(0, count - least) for count in others.values())
        return min(mine, math.ceil(lacking * mine / beyond)) if mine else 0


def wanted(
    live: Sequence[str],
    own: Collection[str],
    taken: Collection[str],
    free_before: Collection[str],
    share: int,
    room: int,
) -> list[str]:
    """Return the free streams that a worker takes: up to its share, and beyond it what nobody took since the last look.

    Parameters
    ----------
    live
        All streams that may be watched, oldest first.
    own, taken
        Those it watches, and those that others do.
    free_before
        Those that were free when it last looked.
    room
        How many more it can begin with.
    """
    free = [id_ for id_ in live if id_ not in own and id_ not in taken]
    mine = max(0, share - len(own))
    return (free[:mine] + [id_ for id_ in free[mine:] if id_ in free_before])[: max(0, room)]
