"""The investigating body whose console it is: whom it may send to, what its own people may see, and its own marking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lightship.casework.clearance import may_read, of_handling, reader_of
from lightship.casework.sight import markings_of
from lightship.console.prose import GROUPS
from lightship.console.room import Telling
from lightship.core.casework import Marking, Referral
from lightship.core.ports import Work
from lightship.core.release import Partner

_CASEWORK = GROUPS["Cases"].keys() | GROUPS["Sharing"].keys()


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

    def telling(self, work: Work, name: str) -> Telling:
        """Return which entries of the record one of its people may read.

        What entries of casework say beyond the handling is under no marking of its own: who is cleared for everything
        that came reads it, and nobody else.
        """
        cleared = may_read(
            (row[0] for row in work.tally(Referral, ("marking",))), self.reader(name), self.own
        )
        return lambda entry: cleared or entry.get("kind") not in _CASEWORK or of_handling(entry)

    def reader(self, name: str) -> Partner:
        """Return one of its people as somebody who is released to."""
        return reader_of(self.readers, name, self.own)

    def cleared(self, work: Work, name: str, *inquiry_ids: str) -> bool:
        """Return whether one of its people may read all of these inquiries."""
        markings, reader = markings_of(work, inquiry_ids), self.reader(name)
        return all(may_read(markings.get(id_, ()), reader, self.own) for id_ in inquiry_ids)
