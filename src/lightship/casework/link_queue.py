"""Links that wait for reviewers, in the order of what hangs on them, as one reader may see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lightship.casework import links
from lightship.casework.clearance import closed_to, may_link
from lightship.casework.links import Review, Votes, votes_of
from lightship.casework.sight import markings_of, markings_of_persons
from lightship.core.casework import Inquiry, Link, Marking, Referral, referral_of
from lightship.core.errors import InputError
from lightship.core.ports import Work
from lightship.core.release import Partner

WINDOW = 500
"""Links that are put in order: the contested and the heaviest of those that wait."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A link with the two inquiries that it would make one; they are the same where they are one already."""

    link: Link
    one: Inquiry
    other: Inquiry
    votes: Votes

    @property
    def urgency(self) -> int:
        """The rung of the more urgent of both, 1 most urgent."""
        return min(self.one.urgency, self.other.urgency)


def queue(work: Work, *, reader: Partner, own: Marking, by: str, now: datetime) -> tuple[list[Waiting], bool]:
    """Return links that wait, and whether there are more than are put in order; logged as a consultation.

    The one whose inquiry is the most urgent comes first; then what is contested, and then the heaviest.
    """
    found = links.waiting(work, by=by, now=now, limit=WINDOW + 1)
    persons = markings_of_persons(work, found)
    shown = [one for one in found[:WINDOW] if may_link(one, persons, reader, own)]
    names = tuple({referral_of(person) for one in shown for person in (one.one, one.other)})
    place = {one.id: one.inquiry_id for one in work.find(Referral, {"id": names})}
    there = {one.id: one for one in work.find(Inquiry, {"id": tuple(set(place.values()))})}
    markings = markings_of(work, list(there))
    seen = {id_: closed_to(one, markings.get(id_, ()), reader, own) for id_, one in there.items()}

    def inquiry(person: str) -> Inquiry:
        return seen[place[referral_of(person)]]

    waiting = [Waiting(one, inquiry(one.one), inquiry(one.other), votes_of(one)) for one in shown]
    waiting.sort(
        key=lambda one: (one.urgency, one.link.state != "contested", -one.link.weight_db, one.link.id)
    )
    return waiting, len(found) > WINDOW


def review(work: Work, id_: str, *, reader: Partner, own: Marking, by: str, now: datetime) -> Review:
    """Return a link with all that its reviewer needs; logged as a consultation.

    Raises
    ------
    InputError
        If it is not there, or above the reader's clearance.
    """
    link = work.get(Link, id_)
    if link is None or not may_link(link, markings_of_persons(work, [link]), reader, own):
        raise InputError("There is no such link.", f"link {id_}", "See those that wait for review.")
    return links.look(work, id_, by=by, now=now)
