"""An investigating body's cases: which child is first, one case whole, and what a partner would see of it.

Words alone: no picture is held here. What senders wrote stays closed until somebody asks for it, on a page of its own.
Each look is a consultation (Data Protection Act 2018 s.62), logged beside the act, and on the ledger like every look.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework import desk, disseminate
from lightship.casework.sight import screen, sight
from lightship.casework.urgency import shipped
from lightship.console.problems import Problem
from lightship.console.prose import label_of, told
from lightship.console.record import Sought
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.casework import Identifier, Inquiry, Marking, Referral, Task
from lightship.core.entry_time import at_of
from lightship.core.people import Account
from lightship.core.ports import Work
from lightship.core.release import Partner, Withheld

PAGE = 50
LONGEST = 2_000


def routes(room: Room, partners: Mapping[str, Partner], own: Marking) -> APIRouter:
    """Return the routes.

    Parameters
    ----------
    partners, own
        Whom something may be sent to, by name, and the house's marking of its own words.
    """
    router = APIRouter(prefix="/cases", include_in_schema=False)
    _looks(router, room, partners, own)
    _acts(router, room)
    return router


def _looks(router: APIRouter, room: Room, partners: Mapping[str, Partner], own: Marking) -> None:
    seeing = room.visitor("see-cases", "casework", "audit")
    working = room.visitor("work-cases", "casework")
    reading = room.visitor("read-narrative", "casework")

    def consulted(work: Work, visit: Visit, what: str, about: str) -> None:
        room.looked(work, visit, what)
        desk.log_use(work, "consultation", about, visit.account.id, visit.now)

    def may_work(visit: Visit) -> bool:
        return bool(allowed_purposes(visit.account.role, "work-cases"))

    @router.get("")
    def cases(request: Request, visit: Visit = seeing, mine: str = "", after: str = "") -> Response:
        owner = visit.account.id if mine else ""
        with room.store.begin() as work:
            room.looked(work, visit, "cases")
            known = len(after) <= 64 and after.isprintable() and work.get(Inquiry, after) is not None
            found = screen(
                work, owner, PAGE, after=after if known else "", by=visit.account.id, now=visit.now
            )
        return room.page(
            request,
            "cases.html",
            "Cases",
            rows=[
                (one, found.tasks.get(one.id), shipped().rungs[one.urgency - 1]) for one in found.inquiries
            ],
            children=found.children,
            rungs=len(shipped().rungs),
            count=found.count,
            mine=bool(mine),
            later=known,
            more=found.inquiries[-1].id if found.more else "",
            may_work=may_work(visit),
        )

    @router.get("/{inquiry_id}")
    def case(request: Request, inquiry_id: str, visit: Visit = seeing) -> Response:
        with room.store.begin() as work:
            found = sight(work, shipped(), _id(inquiry_id), by=visit.account.id, now=visit.now)
            room.looked(work, visit, f"inquiry {inquiry_id}")
            colleagues = work.find(Account, {"role": "analyst", "active": True}, order=("id",))
        record = room.record.find(Sought(about=inquiry_id), most=PAGE)
        return room.page(
            request,
            "case.html",
            found.inquiry.title or f"Case {inquiry_id[:8]}",
            **{name: getattr(found, name) for name in ("inquiry", "referrals", "named", "tasks", "why")},
            people=_people(found.named),
            completeness=_mean([one.completeness for one in found.referrals]),
            rungs=len(shipped().rungs),
            ladder=shipped(),
            entries=[(at_of(one), label_of(one), told(one)) for _, one in record.entries],
            more_entries=record.before > 0,
            colleagues=[one for one in colleagues if one.id != visit.account.id],
            is_open=found.inquiry.state in desk.LIVE,
            partners=partners.values(),
            may_work=may_work(visit),
            may_read=bool(allowed_purposes(visit.account.role, "read-narrative")),
        )

    @router.get("/{inquiry_id}/referrals/{referral_id}")
    def narrative(request: Request, inquiry_id: str, referral_id: str, visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            found = work.get(Referral, _id(referral_id))
            if found is None or found.inquiry_id != inquiry_id:
                raise Problem("not-found", "There is no such referral in this case.")
            consulted(work, visit, f"narrative of referral {referral_id}", referral_id)
        return room.page(request, "narrative.html", "What the sender wrote", referral=found)

    @router.get("/{inquiry_id}/preview")
    def preview(request: Request, inquiry_id: str, to: str = "", visit: Visit = working) -> Response:
        if to not in partners:
            raise Problem("not-found", "There is no such partner.")
        with room.store.begin() as work:
            released, withheld = disseminate.preview(work, _id(inquiry_id), partners[to], own)
            consulted(work, visit, f"preview of inquiry {inquiry_id} for {to}", inquiry_id)
        return room.page(
            request,
            "preview.html",
            f"What {partners[to].title} would see",
            inquiry_id=inquiry_id,
            partner=partners[to],
            partners=partners.values(),
            things=released.things,
            withheld=_by_reason(withheld),
            count=len(withheld),
        )


def _acts(router: APIRouter, room: Room) -> None:
    working = room.visitor("work-cases", "casework")

    @router.post("/{inquiry_id}/take")
    def take(inquiry_id: str, visit: Visit = working) -> Response:
        with room.store.begin() as work:
            desk.take(work, _id(inquiry_id), by=visit.account.id, now=visit.now)
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/hand")
    def hand(inquiry_id: str, visit: Visit = working) -> Response:
        to = visit.field("to", longest=64)
        with room.store.begin() as work:
            account = work.get(Account, to)
            if account is None or not account.active or account.role != "analyst":
                raise Problem("invalid", "A case is handed to an analyst who may sign in.")
            desk.hand(work, _id(inquiry_id), by=visit.account.id, to=to, now=visit.now)
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/acknowledge")
    def acknowledge(inquiry_id: str, visit: Visit = working) -> Response:
        with room.store.begin() as work:
            desk.acknowledge(work, _id(inquiry_id), by=visit.account.id, now=visit.now)
        return go(f"/cases/{inquiry_id}")

    @router.post("/{inquiry_id}/tasks/{task_id}/end")
    def end(inquiry_id: str, task_id: str, visit: Visit = working) -> Response:
        outcome = visit.field("outcome", longest=LONGEST)
        withdrawn = visit.choice("how", ("done", "withdrawn")) == "withdrawn"
        with room.store.begin() as work:
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
            desk.file_away(work, _id(inquiry_id), by=visit.account.id, why=why, now=visit.now)
        return go(f"/cases/{inquiry_id}")


def _id(given: str) -> str:
    if len(given) > 64 or not given.isprintable():
        raise Problem("not-found", "There is no such thing.")
    return given


def _people(named: Mapping[str, Sequence[Identifier]]) -> list[tuple[str, list[Identifier]]]:
    """Return identifiers by person, children first: what came together stays together."""
    found: dict[str, list[Identifier]] = {}
    for each in named.values():
        for one in each:
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
