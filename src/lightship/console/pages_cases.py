"""An investigating body's cases: which child is first, one case whole, and what a partner would see of it.

Words alone: no picture is held here. What senders wrote stays closed until somebody asks for it, on a page of its own.
Each look is a consultation (Data Protection Act 2018 s.62), logged beside the act, and on the ledger like every look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework import desk, disseminate
from lightship.casework.clearance import may_open, may_read, readable, seen, seen_queue
from lightship.casework.release import release
from lightship.casework.search import search
from lightship.casework.sight import screen, sight
from lightship.casework.urgency import shipped
from lightship.console.body import Body
from lightship.console.case_marks import horizon, marks_of
from lightship.console.problems import Problem
from lightship.console.prose import label_of, told
from lightship.console.record import Sought
from lightship.console.room import Room, go
from lightship.console.ties import SHOWN, key_of, person_name, ties_of
from lightship.console.ties import drawn as drawn_ties
from lightship.console.timeline import CASE_LANES, drawn
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.casework import Identifier, Inquiry, Referral, Task
from lightship.core.entry_time import at_of
from lightship.core.people import Account
from lightship.core.ports import Work
from lightship.core.release import Withheld

PAGE = 50
LINE = 300
"""Newest entries of the record that a timeline is drawn from."""
LONGEST = 2_000


def routes(room: Room, house: Body) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/cases", include_in_schema=False)
    _queue(router, room, house)
    _case(router, room, house)
    _opened(router, room, house)
    _acts(router, room, house)
    return router


def _queue(router: APIRouter, room: Room, house: Body) -> None:
    seeing = room.visitor("see-cases", "casework", "audit")

    @router.get("")
    def cases(request: Request, visit: Visit = seeing, mine: str = "", after: str = "") -> Response:
        owner = visit.account.id if mine else ""
        with room.store.begin() as work:
            room.looked(work, visit, "cases")
            known = len(after) <= 64 and after.isprintable() and work.get(Inquiry, after) is not None
            found = screen(
                work, owner, PAGE, after=after if known else "", by=visit.account.id, now=visit.now
            )
        found, closed = seen_queue(found, house.reader(visit.account.id), house.own)
        return room.page(
            request,
            "cases.html",
            "Cases",
            rows=[
                (one, found.tasks.get(one.id), shipped().rungs[one.urgency - 1], one.id in closed)
                for one in found.inquiries
            ],
            children=found.children,
            rungs=len(shipped().rungs),
            count=found.count,
            mine=bool(mine),
            later=known,
            more=found.inquiries[-1].id if found.more else "",
            may_work=_may_work(visit),
        )

    @router.post("/search")
    def find(request: Request, visit: Visit = seeing) -> Response:
        words = visit.field("words", longest=512)
        reader = house.reader(visit.account.id)
        with room.store.begin() as work:
            room.looked(work, visit, "search of cases")
            hits, more = search(work, words, reader=reader, own=house.own, by=visit.account.id, now=visit.now)
        return room.page(
            request, "found.html", "Search", words=words, hits=hits, more=more, rungs=len(shipped().rungs)
        )


def _case(router: APIRouter, room: Room, house: Body) -> None:
    seeing = room.visitor("see-cases", "casework", "audit")

    @router.get("/{inquiry_id}")
    def case(request: Request, inquiry_id: str, visit: Visit = seeing) -> Response:
        with room.store.begin() as work:
            there = work.get(Inquiry, _id(inquiry_id))
            if there is not None and there.merged_into:
                if not house.cleared(work, visit.account.id, inquiry_id):
                    raise Problem("forbidden", "This case became part of one that is above your clearance.")
                room.looked(work, visit, f"inquiry {inquiry_id}")
                desk.log_use(work, "consultation", inquiry_id, visit.account.id, visit.now)
                return go(f"/cases/{desk.whole_of(work, inquiry_id)}")
            whole = sight(work, shipped(), inquiry_id, by=visit.account.id, now=visit.now)
            room.looked(work, visit, f"inquiry {inquiry_id}")
            colleagues = work.find(Account, {"role": "analyst", "active": True}, order=("id",))
        found = seen(whole, house.reader(visit.account.id), house.own)
        also = (*found.parts, *(one.id for one in found.referrals), *(one.id for one in found.links))
        sought = Sought(about=inquiry_id, also=also)
        record = room.record.find(sought, most=LINE)
        entries = [one for _, one in record.entries if found.tells(one)]
        marks = marks_of(found, entries)
        named = [one for each in found.named.values() for one in each]
        markings = [one.marking for one in whole.referrals]
        return room.page(
            request,
            "case.html",
            found.inquiry.title or f"Case {inquiry_id[:8]}",
            **{
                name: getattr(found, name)
                for name in ("inquiry", "referrals", "tasks", "links", "why", "whole", "sent")
            },
            rung=shipped().rungs[found.inquiry.urgency - 1],
            people=_people(named),
            ties=drawn_ties(named, ties_of(found.links)),
            key_of=key_of,
            named_by=Counter(words for words, _ in {(key_of(one), one.person) for one in named}),
            drawn_most=SHOWN,
            person_name=person_name,
            marks=marks,
            timeline=drawn(marks, visit.now, CASE_LANES, horizon(marks, visit.now)),
            cites={one.rule: desk.cited(one.rule, shipped()) for one in found.tasks},
            completeness=_mean([one.completeness for one in found.referrals]),
            rungs=len(shipped().rungs),
            ladder=shipped(),
            entries=[(at_of(one), label_of(one), told(one)) for one in entries[:PAGE]],
            more_entries=record.before > 0 or len(entries) > PAGE,
            colleagues=[
                one
                for one in colleagues
                if one.id != visit.account.id and may_read(markings, house.reader(one.id), house.own)
            ],
            is_open=found.inquiry.state in desk.LIVE,
            partners=house.partners.values(),
            may_work=_may_work(visit) and found.why is not None,
            may_read=bool(allowed_purposes(visit.account.role, "read-narrative")),
        )


def _opened(router: APIRouter, room: Room, house: Body) -> None:
    working = room.visitor("work-cases", "casework")
    reading = room.visitor("read-narrative", "casework")

    def consulted(work: Work, visit: Visit, what: str, about: str) -> None:
        room.looked(work, visit, what)
        desk.log_use(work, "consultation", about, visit.account.id, visit.now)

    @router.get("/{inquiry_id}/referrals/{referral_id}")
    def narrative(request: Request, inquiry_id: str, referral_id: str, visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            found = work.get(Referral, _id(referral_id))
            reader = house.reader(visit.account.id)
            if found is None or found.inquiry_id != inquiry_id or not may_open(found, reader, house.own):
                raise Problem("not-found", "There is no such referral in this case.")
            consulted(work, visit, f"narrative of referral {referral_id}", referral_id)
        return room.page(request, "narrative.html", "What the sender wrote", referral=found)

    @router.get("/{inquiry_id}/preview")
    def preview(request: Request, inquiry_id: str, to: str = "", visit: Visit = working) -> Response:
        if to not in house.partners:
            raise Problem("not-found", "There is no such partner.")
        partner = house.partners[to]
        with room.store.begin() as work:
            fields = disseminate.gather(work, _id(inquiry_id), house.own)
            consulted(work, visit, f"preview of inquiry {inquiry_id} for {to}", inquiry_id)
        mine = readable(fields, house.reader(visit.account.id), house.own)
        released, withheld = release(mine, partner)
        return room.page(
            request,
            "preview.html",
            f"What {partner.title} would see",
            inquiry_id=inquiry_id,
            partner=partner,
            partners=house.partners.values(),
            things=released.things,
            withheld=_by_reason(withheld),
            count=len(withheld),
            whole=len(mine) == len(fields),
        )


def _acts(router: APIRouter, room: Room, house: Body) -> None:
    working = room.visitor("work-cases", "casework")

    def cleared(work: Work, inquiry_id: str, name: str) -> str:
        """Return the id of an inquiry that somebody may read, since nobody works what they may not."""
        if not house.cleared(work, name, _id(inquiry_id)):
            raise Problem("forbidden", f"This case is above {name}’s clearance.")
        return inquiry_id

    @router.post("/{inquiry_id}/take")
    def take(inquiry_id: str, visit: Visit = working) -> Response:
        with room.store.begin() as work:
            desk.take(work, cleared(work, inquiry_id, visit.account.id), by=visit.account.id, now=visit.now)
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/hand")
    def hand(inquiry_id: str, visit: Visit = working) -> Response:
        to = visit.field("to", longest=64)
        with room.store.begin() as work:
            account = work.get(Account, to)
            if account is None or not account.active or account.role != "analyst":
                raise Problem("invalid", "A case is handed to an analyst who may sign in.")
            cleared(work, inquiry_id, to)
            desk.hand(
                work, cleared(work, inquiry_id, visit.account.id), by=visit.account.id, to=to, now=visit.now
            )
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/acknowledge")
    def acknowledge(inquiry_id: str, visit: Visit = working) -> Response:
        with room.store.begin() as work:
            desk.acknowledge(
                work, cleared(work, inquiry_id, visit.account.id), by=visit.account.id, now=visit.now
            )
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/tasks/{task_id}/end")
    def end(inquiry_id: str, task_id: str, visit: Visit = working) -> Response:
        outcome = visit.field("outcome", longest=LONGEST)
        withdrawn = visit.choice("how", ("done", "withdrawn")) == "withdrawn"
        with room.store.begin() as work:
            cleared(work, inquiry_id, visit.account.id)
            task = work.get(Task, _id(task_id))
            if task is None or task.inquiry_id != inquiry_id:
                raise Problem("not-found", "There is no such task in this case.")
            desk.finish(
                work, task_id, by=visit.account.id, outcome=outcome, now=visit.now, withdrawn=withdrawn
            )
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/file-away")
    def file_away(inquiry_id: str, visit: Visit = working) -> Response:
        why = visit.field("why", longest=LONGEST)
        with room.store.begin() as work:
            desk.file_away(
                work, cleared(work, inquiry_id, visit.account.id), by=visit.account.id, why=why, now=visit.now
            )
        return go(f"/cases/{inquiry_id}")


def _may_work(visit: Visit) -> bool:
    return bool(allowed_purposes(visit.account.role, "work-cases"))


def _id(given: str) -> str:
    if len(given) > 64 or not given.isprintable():
        raise Problem("not-found", "There is no such thing.")
    return given


def _people(named: Sequence[Identifier]) -> list[tuple[str, list[Identifier]]]:
    """Return identifiers by person, children first: what came together stays together."""
    found: dict[str, list[Identifier]] = {}
    for one in named:
        found.setdefault(one.person, []).append(one)
    return sorted(found.items(), key=lambda one: (one[1][0].role != "child", one[0]))


def _by_reason(withheld: Sequence[Withheld]) -> dict[tuple[str, str], list[str]]:
    """Return the names of fields that stay, by their thing and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in withheld:
        found.setdefault((one.thing, one.why), []).append(one.name)
    return found


def _mean(shares: list[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.0
