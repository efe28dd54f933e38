"""Which stream the next inference goes to, when there is one budget for all of them.

A stream's **expected gain** is the chance that something began in it since it was last seen, as far as what is known
of it tells: its hazard (relative to that of a stream of which nothing is known) times the time unseen. The odds that
multiply a hazard are judgements, printed in :data:`ODDS`; the weight of evidence is what it says, ``10^(dB/10)``.

**Signs are used up.** What is known of a host holds for as long as it streams (:data:`LASTING`). Everything else is a
sign that something has just begun: it counts as if the stream had been unseen for :data:`SIGN_S`, and each look that
then finds nothing halves it, until a sign comes anew. A report that is wrong costs a few looks, not a share of the
budget for ever. A picture that models have seen already (``same picture``) is hardly worth another look.

**Floor.** Whatever the gains, every :attr:`Budget.floor_every`-th turn goes to the stream that has waited longest.
Of ``n`` streams the one that waits longest is seen by the next such turn, so each is seen within ``floor_every · n``
turns: at ``per_s`` inferences a second, :meth:`Budget.bound_s`. No evidence can starve a stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lightship.core.errors import PolicyError

ODDS = {
    "new host": 2.0,
    "child host": 3.0,
    "same picture": 0.1,
    "camera evidence": 8.0,
    "known media near": 20.0,
    "report": 50.0,
}
"""How many times likelier than an unknown stream, by what is known."""

LASTING = frozenset({"new host", "child host", "same picture"})
"""What no look uses up."""

SIGN_S = 10.0

MOST_DB = 20.0
"""Weight of evidence counts up to here: a hundred times."""

_LEAST_UNSEEN_S = 0.05


@dataclass(frozen=True, slots=True)
class Interest:
    """What is known of a stream before its next inference.

    Parameters
    ----------
    seen_s
        When it last had one, or when it came, on the scheduler's clock.
    weight_db
        The level of its lightest rung.
    known
        Which of :data:`ODDS` hold.
    reports
        Open reports of viewers.
    spent
        Looks that found nothing since the last sign.
    """

    id: str
    seen_s: float
    weight_db: float = 0.0
    known: frozenset[str] = frozenset()
    reports: int = 0
    spent: int = 0

    @property
    def sign(self) -> float:
        """How many times likelier signs make it that something has begun; 1 once they are used up."""
        odds = math.prod(ODDS[one] for one in sorted(self.known - LASTING))
        weight_db = min(max(self.weight_db, 0.0), MOST_DB)  # a level of minus infinity says nothing
        said = 1.0 + (ODDS["report"] - 1.0) * min(self.reports, 3)
        return float(max(1.0, odds * said * 10.0 ** (weight_db / 10.0) * 0.5 ** min(self.spent, 100)))

    @property
    def hazard(self) -> float:
        """How many times likelier than a stream of which nothing is known."""
        return self.sign * self._lasting

    def gain(self, now_s: float) -> float:
        """Return the expected gain of an inference now, in unknown streams' seconds."""
        sign = self.sign
        least_s = SIGN_S if sign > 1.0 else _LEAST_UNSEEN_S
        return sign * self._lasting * max(now_s - self.seen_s, least_s)

    @property
    def _lasting(self) -> float:
        return float(math.prod(ODDS[one] for one in sorted(self.known & LASTING)))

    @property
    def why(self) -> str:
        """What raises it, in words."""
        said = sorted(self.known)
        said += [f"{self.reports} report{'s' if self.reports > 1 else ''}"] if self.reports else []
        said += [f"weight {self.weight_db:.0f} dB"] if self.weight_db > 0.0 else []
        return ", ".join(said) or "time unseen"


@dataclass(frozen=True, slots=True)
class Budget:
    """The compute that there is for all streams.

    Parameters
    ----------
    per_s
        Inferences a second.
    floor_every
        Each so-many-th turn goes to whoever has waited longest; 1 is round-robin.

    Raises
    ------
    PolicyError
        If either makes no sense.
    """

    per_s: float
    floor_every: int = 3

    def __post_init__(self) -> None:
        if not 0.0 < self.per_s < math.inf or self.floor_every < 1:
            raise PolicyError(
                f"A budget of {self.per_s:g} inferences a second with a floor each {self.floor_every} turns "
                "is not possible.",
                todo="Give numbers above 0.",
            )

    def bound_s(self, streams: int) -> float:
        """Return within how long each of so many streams is seen, seconds, while the budget is there."""
        return self.floor_every * streams / self.per_s


@dataclass(frozen=True, slots=True)
class Turns:
    """Where the scheduler stands.

    Parameters
    ----------
    taken
        Turns so far.
    ready_s
        Not before this is there compute for another.
    """

    taken: int = 0
    ready_s: float = -math.inf


def next_turn(
    budget: Budget, turns: Turns, streams: Iterable[Interest], now_s: float
) -> tuple[Turns, Interest | None]:
    """Return whose turn it is, or None where there is no stream or the budget is spent for now.

    Turns that nobody took are not saved up beyond one.
    """
    waiting = list(streams)
    if not waiting or now_s < turns.ready_s - 1e-9:
        return turns, None
    if turns.taken % budget.floor_every == budget.floor_every - 1:
        chosen = min(waiting, key=lambda one: (one.seen_s, one.id))
    else:
        chosen = max(waiting, key=lambda one: (one.gain(now_s), one.id))
    step_s = 1.0 / budget.per_s
    ready_s = max(turns.ready_s, now_s - step_s) + step_s
    return replace(turns, taken=turns.taken + 1, ready_s=ready_s), chosen


def coverage(streams: Iterable[Interest], now_s: float, within_s: float) -> float:
    """Return the share of streams seen within so many seconds; 1 where there are none."""
    waits = [now_s - one.seen_s for one in streams]
    return sum(wait <= within_s for wait in waits) / len(waits) if waits else 1.0
