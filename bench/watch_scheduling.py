"""A simulated platform: when are planted streams found, by whichever order the budget is spent in."""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass, replace

from lightship.watch.scheduler import Budget, Interest, Turns, next_turn


@dataclass(frozen=True, slots=True)
class Case:
    """What is simulated.

    Parameters
    ----------
    share_with_signs
        Share of the planted streams that give a weak sign (odd camera, near match or a report) once they begin.
    streams, planted
        How many run, and in how many something begins.
    false_signs
        Share of the benign streams that give such a sign all the time.
    """

    name: str
    share_with_signs: float
    streams: int = 100
    planted: int = 40
    false_signs: float = 0.02
    seed: int = 11


SIGNS = ("camera evidence", "known media near", "report")


def found_s(case: Case, budget: Budget) -> float:
    """Return the median time from the moment at which something begins to the inference that sees it, seconds.

    Planted streams begin one after the other, so that they do not help each other.
    """
    rng = random.Random(case.seed)
    streams: dict[str, Interest] = {}
    for number in range(case.streams):
        id_, seen_s = f"{number:04d}", rng.random() * -budget.bound_s(case.streams)
        known = frozenset({"child host"} if rng.random() < 0.05 else ())
        false = rng.choice(SIGNS) if rng.random() < case.false_signs else ""
        streams[id_] = _with_sign(Interest(id_, seen_s, known=known), false)
    ids, turns, now_s, waits = sorted(streams), Turns(), 0.0, []
    for _ in range(case.planted):
        for _ in range(rng.randrange(case.streams)):
            turns, now_s = _turn(budget, turns, now_s, streams)
        target, began_s = rng.choice(ids), now_s
        before = streams[target]
        if rng.random() < case.share_with_signs:
            streams[target] = _with_sign(before, rng.choice(SIGNS))
        while streams[target].seen_s <= began_s:
            turns, now_s = _turn(budget, turns, now_s, streams)
        waits.append(streams[target].seen_s - began_s)
        streams[target] = replace(before, seen_s=now_s)
    return statistics.median(waits)


def _with_sign(stream: Interest, sign: str) -> Interest:
    if sign == "report":
        return replace(stream, reports=1)
    return replace(stream, known=stream.known | {sign}) if sign else stream


def _turn(budget: Budget, turns: Turns, now_s: float, streams: dict[str, Interest]) -> tuple[Turns, float]:
    now_s += 1.0 / budget.per_s
    turns, chosen = next_turn(budget, turns, streams.values(), now_s)
    if chosen is not None:
        streams[chosen.id] = replace(chosen, seen_s=now_s)
    return turns, now_s
