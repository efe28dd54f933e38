"""Links between people of different referrals: those that wait, and one with its reasons, its rival and both people.

What says that two are one and what else would explain it stand side by side, alike. A person decides, for a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework import links
from lightship.casework.clearance import closed_to
from lightship.casework.link_queue import WINDOW, queue, review
from lightship.casework.normal import platform_name
from lightship.casework.sight import markings_of
from lightship.casework.urgency import shipped
from lightship.console.body import Body
from lightship.console.problems import Problem
from lightship.console.prose import label_of, told
from lightship.console.record import Sought
from lightship.console.room import Room, go
from lightship.console.ties import person_name
from lightship.console.visits import Visit
from lightship.console.waterfall import drawn, steps
from lightship.core.access import allowed_purposes
from lightship.core.casework import Identifier
from lightship.core.entry_time import at_of
from lightship.core.errors import InputError
from lightship.core.ports import Work

PAGE = 50
LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A line of two people's identifiers side by side; the same one of both stands in one line."""

    kind: str
    one: Identifier | None
    other: Identifier | None

    @property
    def same(self) -> bool:
        """Whether it is one identifier of both."""
        return self.one is not None and self.other is not None and _named(self.one) == _named(self.other)


def beside(one: Sequence[Identifier], other: Sequence[Identifier]) -> list[Pair]:
    """Return two people's identifiers side by side: what both have first, then the rest by kind."""
    left, right = ({_named(each): each for each in side} for side in (one, other))
    both = [Pair(left[name].kind, left[name], right[name]) for name in left if name in right]
    alone = [
        [each for name, each in side.items() if name not in rest]
        for side, rest in ((left, right), (right, left))
    ]
    kinds = dict.fromkeys(each.kind for side in alone for each in side)
    return both + [line for kind in kinds for line in _lines(kind, *alone)]


def routes(room: Room, house: Body) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/links", include_in_schema=False)
    seeing = room.visitor("see-cases", "casework", "audit")
    working = room.visitor("work-cases", "casework")

    def seen(work: Work, id_: str, visit: Visit) -> links.Review:
        reader = house.reader(visit.account.id)
        if len(id_) > 64 or not id_.isprintable():
            raise Problem("not-found", "There is no such link.")
        try:
            return review(work, id_, reader=reader, own=house.own, by=visit.account.id, now=visit.now)
        except InputError as error:
            raise Problem("not-found", error.what) from error

    @router.get("")
    def waiting(request: Request, visit: Visit = seeing, after: int = 0) -> Response:
        reader = house.reader(visit.account.id)
        with room.store.begin() as work:
            room.looked(work, visit, "links")
            found, more = queue(work, reader=reader, own=house.own, by=visit.account.id, now=visit.now)
        start = max(0, after)
        return room.page(
            request,
            "links.html",
            "Links",
            rows=found[start : start + PAGE],
            count=len(found),
            further=start + PAGE if len(found) > start + PAGE else 0,
            window=WINDOW if more else 0,
            rungs=len(shipped().rungs),
            person_name=person_name,
        )

    @router.get("/{link_id}")
    def one(request: Request, link_id: str, visit: Visit = seeing) -> Response:
        reader = house.reader(visit.account.id)
        with room.store.begin() as work:
            found = seen(work, link_id, visit)
            room.looked(work, visit, f"link {link_id}")
            may_decide = _cleared(work, found, visit, house)
            markings = markings_of(work, [found.one.inquiry.id, found.other.inquiry.id])
        cases = [
            closed_to(each.inquiry, markings.get(each.inquiry.id, ()), reader, house.own)
            for each in (found.one, found.other)
        ]
        record = room.record.find(Sought(about=link_id), most=PAGE)
        made = steps(found.link.reasons, found.link.weight_db)
        return room.page(
            request,
            "link.html",
            "One person, or two?",
            link=found.link,
            persons=(found.one, found.other),
            names=(person_name(found.link.one), person_name(found.link.other)),
            cases=cases,
            lines=beside(found.one.identifiers, found.other.identifiers),
            steps=made,
            against=[each for each in made if each.weight_db < 0.0],
            waterfall=drawn(made, found.link.weight_db),
            votes=found.votes,
            merged=found.merger is not None,
            proposed_by=[
                who
                for who, _, what in (each.rpartition(":") for each in found.link.votes)
                if what == "proposed"
            ],
            apart=links.apart(found.one.roles | found.other.roles),
            rungs=len(shipped().rungs),
            independent=links.INDEPENDENT,
            entries=[(at_of(each), label_of(each), told(each)) for _, each in record.entries],
            may_work=may_decide and bool(allowed_purposes(visit.account.role, "work-cases")),
        )

    @router.post("/{link_id}/vote")
    def vote(link_id: str, visit: Visit = working) -> Response:
        yes = visit.choice("said", ("yes", "no")) == "yes"
        why = visit.field("why", longest=LONGEST)
        with room.store.begin() as work:
            _decides(work, seen(work, link_id, visit), visit, house)
            links.vote(work, shipped(), link_id, yes=yes, by=visit.account.id, why=why, now=visit.now)
        return go(f"/links/{link_id}")

    @router.post("/{link_id}/undo")
    def undo(link_id: str, visit: Visit = working) -> Response:
        why = visit.field("why", longest=LONGEST)
        with room.store.begin() as work:
            _decides(work, seen(work, link_id, visit), visit, house)
            links.undo(work, shipped(), link_id, by=visit.account.id, why=why, now=visit.now)
        return go(f"/links/{link_id}")

    return router


def _cleared(work: Work, found: links.Review, visit: Visit, house: Body) -> bool:
    """Return whether somebody may read both inquiries, since nobody works what they may not."""
    return house.cleared(work, visit.account.id, found.one.inquiry.id, found.other.inquiry.id)


def _decides(work: Work, found: links.Review, visit: Visit, house: Body) -> None:
    if not _cleared(work, found, visit, house):
        raise Problem("forbidden", "One of the two cases is above your clearance: somebody else decides.")


def _named(one: Identifier) -> tuple[str, str, str]:
    return one.kind, one.value, platform_name(one.platform)


def _lines(kind: str, left: Sequence[Identifier], right: Sequence[Identifier]) -> Iterator[Pair]:
    mine, theirs = ([one for one in side if one.kind == kind] for side in (left, right))
    for number in range(max(len(mine), len(theirs))):
        yield Pair(
            kind,
            mine[number] if number < len(mine) else None,
            theirs[number] if number < len(theirs) else None,
        )
