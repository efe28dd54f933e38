"""What somebody of the house may see: the release gate stands before its own readers as before a partner. Pure.

What came without a marking is read under the house's own. What the house made of several referrals together (a title,
the reasons for an urgency, what a task says) is under the markings of all of them. That there is an inquiry, how urgent
it is, whose, and by when something must happen is the house's own handling record: whoever works cases sees that, so
that none waits unseen because of what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from lightship.casework.release import release
from lightship.casework.sight import Screen, Sight
from lightship.casework.why import Why
from lightship.core.casework import Dissemination, Identifier, Inquiry, Link, Marking, Referral, Task
from lightship.core.markings import marking_json
from lightship.core.release import Field, Partner

_HANDLING = frozenset(
    {"kind", "at", "by", "journal", "inquiry", "owner", "urgency", "due_at", "task", "state", "to", "way"}
    | {"digest", "withheld", "lost"}
)
"""What an entry of the record may hold and be of the handling alone."""


@dataclass(frozen=True, slots=True)
class Seen:
    """An inquiry as one reader may see it.

    Parameters
    ----------
    why
        None where what the house made of it is above their clearance; its words are then gone from the rest too.
    whole
        Whether nothing was held back.
    """

    inquiry: Inquiry
    referrals: Sequence[Referral]
    named: Mapping[str, Sequence[Identifier]]
    tasks: Sequence[Task]
    parts: Sequence[str]
    sent: Sequence[Dissemination]
    links: Sequence[Link]
    why: Why | None
    whole: bool

    def tells(self, entry: Mapping[str, object]) -> bool:
        """Return whether they may read an entry of the record about it."""
        for name, known in (("referral", self.referrals), ("link", self.links)):
            if name in entry and entry[name] not in {one.id for one in known}:
                return False
        return "referral" in entry or self.why is not None or of_handling(entry)


def of_handling(entry: Mapping[str, object]) -> bool:
    """Return whether an entry of the record says whose something is, and by when, and nothing of what it says."""
    return _HANDLING.issuperset(entry)


def reader_of(readers: Mapping[str, Partner], name: str, own: Marking) -> Partner:
    """Return somebody of the house as one who is released to; who is not named may see what ``own`` allows."""
    return readers.get(name) or Partner(name, name, own, tuple(filter(None, [own.conditions])))


def under(markings: Iterable[str], own: Marking) -> tuple[str, ...]:
    """Return the markings of what the house made of things that came under these."""
    house = marking_json(own)
    return tuple(dict.fromkeys((house, *(one or house for one in markings))))


def may_read(markings: Iterable[str], reader: Partner, own: Marking) -> bool:
    """Return whether a reader may see what the house made of things that came under these markings."""
    made = Field("made", "inquiry", "words", "", under(markings, own), needed=True)
    return bool(release([made], reader)[0].things)


def may_open(referral: Referral, reader: Partner, own: Marking) -> bool:
    """Return whether a reader may see a referral, the words of its sender included."""
    field = Field(referral.id, "referral", "all", "", (referral.marking or marking_json(own),))
    return bool(release([field], reader)[0].things)


def may_link(link: Link, persons: Mapping[str, Iterable[str]], reader: Partner, own: Marking) -> bool:
    """Return whether a reader may see a link: where they may see all that names both its people.

    Parameters
    ----------
    persons
        How that is marked, by person; a link of somebody who is not among them stays.
    """
    return bool(release([_link(link, persons, own)], reader)[0].things)


def readable(fields: Sequence[Field], reader: Partner, own: Marking) -> tuple[Field, ...]:
    """Return the fields that a reader may see of what somebody else is to be sent."""
    house = marking_json(own)
    each = [
        Field(str(number), one.kind, "value", "", one.markings or (house,))
        for number, one in enumerate(fields)
    ]
    seen = {thing.id for thing in release(each, reader)[0].things}
    return tuple(one for number, one in enumerate(fields) if str(number) in seen)


def seen(found: Sight, reader: Partner, own: Marking) -> Seen:
    """Return an inquiry as a reader may see it."""
    house = marking_json(own)
    came = {one.id: one.marking for one in found.referrals}
    named = [one for each in found.named.values() for one in each]
    fields = [Field(found.inquiry.id, "inquiry", "words", "", under(came.values(), own))]
    fields += [Field(one.id, "referral", "all", "", (one.marking or house,)) for one in found.referrals]
    fields += [Field(one.id, "identifier", "all", "", _markings(one, came, house)) for one in named]
    released, withheld = release([*fields, *(_link(one, found.persons, own) for one in found.links)], reader)
    there = {thing.id for thing in released.things}
    words = found.inquiry.id in there
    return Seen(
        found.inquiry if words else _closed(found.inquiry),
        [one for one in found.referrals if one.id in there],
        {
            id_: kept
            for id_, each in found.named.items()
            if (kept := [one for one in each if one.id in there])
        },
        found.tasks if words else [_wordless(one) for one in found.tasks],
        found.parts,
        found.sent,
        [one for one in found.links if one.id in there],
        found.why if words else None,
        {one.thing for one in withheld} <= {one.id for one in found.links},
    )


def seen_queue(found: Screen, reader: Partner, own: Marking) -> tuple[Screen, frozenset[str]]:
    """Return a page of the queue as a reader may see it, and the ids of those whose words are above their clearance."""
    closed = frozenset(
        one.id for one in found.inquiries if not may_read(found.markings.get(one.id, ()), reader, own)
    )
    house = marking_json(own)
    names = {
        one.id: Field(one.id, "identifier", "all", "", _markings(one, found.came, house))
        for one in found.children
    }
    there = {thing.id for thing in release(names.values(), reader)[0].things}
    return (
        replace(
            found,
            inquiries=[_closed(one) if one.id in closed else one for one in found.inquiries],
            tasks={id_: _wordless(one) if id_ in closed else one for id_, one in found.tasks.items()},
            children=[one for one in found.children if one.id in there],
        ),
        closed,
    )


def found_by(
    referrals: Mapping[str, Referral],
    told: Mapping[str, str],
    named: Sequence[Identifier],
    reader: Partner,
    own: Marking,
) -> Iterator[tuple[Referral, str]]:
    """Yield each referral that a reader may know was found, and by what, in words.

    Parameters
    ----------
    referrals
        By id, those of ``named`` included.
    told
        What those were found by that were found themselves, by id.
    """
    house = marking_json(own)
    came = {one.id: one.marking for one in referrals.values()}
    fields = [Field(id_, "referral", "by", words, (came[id_] or house,)) for id_, words in told.items()]
    fields += [
        Field(one.id, "identifier", "by", f"{one.kind} {one.value}", _markings(one, came, house))
        for one in named
    ]
    of = {one.id: one.referral_id for one in named}
    for thing in release(fields, reader)[0].things:
        yield referrals[of.get(thing.id, thing.id)], thing.values["by"]


def closed_to(inquiry: Inquiry, markings: Iterable[str], reader: Partner, own: Marking) -> Inquiry:
    """Return an inquiry as a reader may see it whose referrals are marked so: without its words, where they may not."""
    return inquiry if may_read(markings, reader, own) else _closed(inquiry)


def _link(link: Link, persons: Mapping[str, Iterable[str]], own: Marking) -> Field:
    """Return a link as a field under the markings of both its people; without one of them it has none, and stays."""
    both = [persons.get(one) for one in (link.one, link.other)]
    known = None not in both
    return Field(
        link.id, "link", "all", "", under((one for each in both for one in each or ()), own) if known else ()
    )


def _markings(one: Identifier, came: Mapping[str, str], house: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.marking, came.get(one.referral_id, "")))) or (house,)


def _closed(inquiry: Inquiry) -> Inquiry:
    return replace(
        inquiry, title="", urgency_db=0.0, reasons=(), child_first="", risk="", closed_why="", merged_into=""
    )


def _wordless(task: Task) -> Task:
    return replace(task, words="", outcome="")
