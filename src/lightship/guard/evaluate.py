"""Watching recorded streams, benign and marked ones, through a policy.

Streams are watched by the same loop and at the same cadence as in :mod:`lightship.guard.watcher`; nothing is
imitated.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lightship.core.ladder import COVERING
from lightship.core.ports import Picture
from lightship.core.values import Rung
from lightship.detect.loop import Loop, Sensors
from lightship.guard.evaluation_card import EvaluationCard, Marked, StreamResult, new_card
from lightship.media.sampler import Cadence


def evaluate(
    sensors: Sensors,
    streams: Iterable[tuple[Iterable[Picture], Marked]],
    progress: Callable[[EvaluationCard], None] = lambda _card: None,
) -> EvaluationCard:
    """Run streams through a policy and return the card.

    Parameters
    ----------
    streams
        Pictures in order, and what is known of them. Streams without a span are benign.
    progress
        Told the card so far after each stream.
    """
    card = new_card(sensors)
    for pictures, marked in streams:
        card.add(watch(sensors, pictures, marked))
        progress(card)
    return card


def watch(sensors: Sensors, pictures: Iterable[Picture], marked: Marked) -> StreamResult:
    """Run one stream through a policy, at the policy's own cadence, and return what happened.

    On benign footage a stream that was ended starts anew at once, as a person would call again, so that every benign
    hour is an hour in which something may go wrong.
    """
    policy = sensors.bound.policy
    loop, cadence = Loop(sensors), Cadence(policy.slow_fps, policy.fast_fps)
    changes: list[tuple[float, Rung | None]] = []
    first_s: float | None = None
    last_s, spent_s, looks = 0.0, 0.0, 0
    for picture in pictures:
        first_s, last_s = picture.at_s if first_s is None else first_s, picture.at_s
        if not cadence.due(picture.at_s):
            continue
        picture.rgb()  # conversion belongs to the medium, not to the look
        began_s = time.process_time()
        decision = loop.look(picture)
        spent_s += time.process_time() - began_s
        looks += 1
        cadence.hasten(loop.odd_camera or loop.standing.rising(picture.at_s))
        if decision is not None:
            changes.append((decision.at_s, decision.rung))
        if loop.standing.rung == "end" and not marked.spans_s:
            loop = Loop(sensors)
    entered: Counter[str] = Counter(rung for _, rung in changes if rung is not None)
    names = [judged.rule.rung for judged in sensors.bound.rungs]
    sensitive_s = math.fsum(to_s - from_s for from_s, to_s in marked.spans_s)
    return StreamResult(
        marked,
        last_s - (first_s or 0.0),
        dict(entered),
        {name: _delays(changes, names[index:], marked) for index, name in enumerate(names)},
        sensitive_s,
        max(0.0, sensitive_s - _hidden_s(changes, policy.hold_back_s, marked)),
        looks,
        spent_s,
    )


def _delays(
    changes: Sequence[tuple[float, Rung | None]], rungs: Sequence[Rung], marked: Marked
) -> tuple[float, ...]:
    """Return, for each onset, the seconds until one of the rungs was in force: 0 where one was already."""
    return tuple(_delay_s(changes, rungs, *span) for span in marked.spans_s)


def _delay_s(
    changes: Sequence[tuple[float, Rung | None]], rungs: Sequence[Rung], from_s: float, to_s: float
) -> float:
    before = [rung for at_s, rung in changes if at_s < from_s - 1e-6]
    if before and before[-1] in rungs:
        return 0.0
    return min(
        (max(0.0, at_s - from_s) for at_s, rung in changes if rung in rungs and from_s - 1e-6 <= at_s < to_s),
        default=math.inf,
    )


def _hidden_s(changes: Sequence[tuple[float, Rung | None]], hold_back_s: float, marked: Marked) -> float:
    """Return the sensitive seconds that were covered; a cover reaches back over what was held."""
    covers: list[list[float]] = []
    for at_s, rung in changes:
        covered = bool(covers) and math.isinf(covers[-1][1])
        if rung in COVERING and not covered:
            reached_s = covers[-1][1] if covers else -math.inf
            covers.append([max(at_s - hold_back_s, reached_s), math.inf])
        elif rung is None and covered:
            covers[-1][1] = at_s
    return math.fsum(
        max(0.0, min(to_s, end_s) - max(from_s, start_s))
        for from_s, to_s in marked.spans_s
        for start_s, end_s in covers
    )
