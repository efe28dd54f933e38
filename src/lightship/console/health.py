"""How the platform's watch stands, as whoever wires the console tells it; cheap to ask, since every page asks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ListAge:
    """A hash list and how old it is.

    Parameters
    ----------
    stale
        Older than its terms allow.
    """

    name: str
    as_of: datetime
    stale: bool


@dataclass(frozen=True, slots=True)
class Health:
    """How the watch stands.

    Parameters
    ----------
    streams, covered
        Public streams that run, and those of them that were looked at within the bound.
    bound_s
        No stream goes unseen for longer than this.
    lag_s
        How far behind live the slowest stream is judged.
    dropped
        Messages that a full queue dropped.
    moderators
        Trained people on shift.
    """

    at: datetime
    streams: int = 0
    covered: int = 0
    bound_s: float = 0.0
    lag_s: float = 0.0
    dropped: int = 0
    moderators: int = 0
    lists: tuple[ListAge, ...] = ()
    troubles: tuple[str, ...] = ()

    def alarms(self) -> tuple[str, ...]:
        """Return what everybody must know on every page, in sentences."""
        stale = [
            f"The hash list {one.name} is stale: it is of {one.as_of:%-d %B %Y %H:%M} UTC."
            for one in self.lists
            if one.stale
        ]
        unseen = self.streams - self.covered
        if unseen > 0:
            stale.append(
                f"{unseen} of {self.streams} streams were not looked at in the last {self.bound_s:g} s."
            )
        return (*stale, *self.troubles)
