"""The investigating body whose console it is: whom it may send to, what its own people may see, and its own marking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lightship.casework.clearance import reader_of
from lightship.core.casework import Marking
from lightship.core.release import Partner


@dataclass(frozen=True, slots=True)
class Body:
    """What the pages of casework know of their house.

    Parameters
    ----------
    own
        The marking of its own words.
    partners
        Whom something may be sent to, by name.
    readers
        What its own people are cleared for, by account; who is not named may see what ``own`` allows.
    """

    own: Marking
    partners: Mapping[str, Partner]
    readers: Mapping[str, Partner]

    def reader(self, name: str) -> Partner:
        """Return one of its people as somebody who is released to."""
        return reader_of(self.readers, name, self.own)
