"""One item: words first, then what may be seen of it, and the decision."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.pages_queue import decided_case, shown_to
from lightship.console.pages_reveal import case_of, last_judgement, reveal_purpose
from lightship.console.problems import Problem
from lightship.console.room import WatchRoom, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes, holds
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.duties import Hold
from lightship.core.ports import Work
from lightship.watch.controls import now_for
from lightship.watch.effects import HELD

_NEAR = 12
_PLACES = tuple(
    f"{row} {side}" for row in ("top", "middle", "bottom") for side in ("left", "centre", "right")
)


def _gathered(room: WatchRoom, work: Work, visit: Visit, case: Case) -> dict[str, Any]:
    """Return all that the page says of a case."""
    judgements = work.find(Judgement, {"case_id": case.id}, order=("-at",), limit=50)
    last = judgements[0] if judgements else None
    purpose = reveal_purpose(room, visit, case, last)
    exhibits = (
        work.find(Exhibit, {"case_id": case.id, "destroyed_at": None}, order=("from_s",), limit=50)
        if purpose
        else []
    )
    effects = work.find(Effect, {"case_id": case.id}, order=("ordered_at",), limit=50)
    root = case.near_of or case.id
    near = [one for one in work.find(Case, {"near_of": root}, limit=_NEAR) if one.id != case.id]
    if case.near_of and (first := work.get(Case, case.near_of)):
        near.insert(0, first)
    earlier = [(one, last_judgement(work, one.id)) for one in near]
    stand = work.find(Hold, {"case_id": case.id, "lifted_at": None}, order=("placed_at",), limit=50)
    waits = last is not None and not last.second_by and room.desk.needs_second(last)
    stream, rules = work.get(Stream, case.stream_id), room.settings.controls
    running = stream is not None and stream.ended_at is None
    return {
        "case": case,
        "stream": stream,
        "controls": now_for(work, stream, rules, visit.now) if stream and running and rules else None,
        "reports": work.find(Report, {"case_id": case.id}, order=("received_at",), limit=50),
        "judgements": judgements,
        "last": last,
        "effects": effects,
        "held_until": HELD,
        "stills": [one for one in exhibits if one.media.startswith("image/")],
        "films": [one for one in exhibits if one.media.startswith("video/")],
        "sounds": [one for one in exhibits if one.media.startswith(("video/", "audio/"))],
        "holds": tuple(dict.fromkeys(one.basis for one in stand)),
        "may_see_holds": bool(allowed_purposes(visit.account.role, "see-holds")),
        "parts_of_still": _PLACES,
        "near": earlier,
        "purpose": purpose,
        "mine": holds(visit.account.id, case, visit.now),
        "theirs": bool(
            case.claimed_by
            and case.claimed_by != visit.account.id
            and case.claimed_until
            and case.claimed_until > visit.now
        ),
        "may_claim": bool(visit.may("claim", purpose="review", case=case)),
        "may_take_over": bool(visit.may("take-over", purpose="review", case=case)),
        "may_second": bool(
            waits and visit.may("second", purpose="second-opinion", judgement=last, case=case)
        ),
        "waits": waits,
        "may_reverse": bool(last and visit.may("reverse", purpose="appeal", case=case, judgement=last)),
        "may_appeal": bool(visit.may("appeal", purpose="appeal", case=case)),
        "may_undo": bool(visit.may("undo", purpose="review", case=case))
        and room.desk.may_undo(case.id, visit.now),
    }


def routes(room: WatchRoom) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/items/{case_id}", include_in_schema=False)
    looking = room.visitor("see-item", "review", "audit")

    @router.get("")
    def item(request: Request, case_id: str, visit: Visit = looking) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            shift = room.current_shift(work, visit.account.id)
            allowed = shown_to(room, visit, shift)
            if not allowed:
                raise Problem(
                    "forbidden", f"{allowed.why} No item opens until then; your shift page says more."
                )
            found = _gathered(room, work, visit, case)
            room.looked(work, visit, f"case {case.id}", case=case, shift=shift)
        return room.page(
            request,
            "item.html",
            f"Item {case.id}",
            decided=decided_case(room, request),
            clauses=room.settings.clauses,
            reasons=room.settings.reasons,
            grant_s=room.settings.budget.grant_s,
            lease_s=room.desk.lease_s,
            **found,
        )

    @router.get("/machine")
    def machine(request: Request, case_id: str, visit: Visit = looking) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            stream = work.get(Stream, case.stream_id)
            judgements = work.find(Judgement, {"case_id": case.id}, order=("at",), limit=50)
            room.looked(work, visit, f"machine use of case {case.id}", case=case)
        return room.page(
            request, "machine.html", "Was a machine used?", case=case, stream=stream, judgements=judgements
        )

    _claims(router, room)
    return router


def _claims(router: APIRouter, room: WatchRoom) -> None:
    claiming = room.visitor("claim", "review")
    taking_over = room.visitor("take-over", "review")

    @router.post("/claim")
    def claim(case_id: str, visit: Visit = claiming) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            allowed = shown_to(room, visit, room.current_shift(work, visit.account.id))
        if not allowed:
            raise Problem("forbidden", allowed.why)
        visit.must("claim", case=case)
        room.desk.claim(case.id, visit.account.id, visit.now)
        return go(f"/items/{case.id}")

    @router.post("/take-over")
    def take_over(case_id: str, visit: Visit = taking_over) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
        room.desk.claim(case.id, visit.account.id, visit.now, take_over=True)
        return go(f"/items/{case.id}")

    @router.post("/beat")
    def beat(case_id: str, visit: Visit = claiming) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
        if not holds(visit.account.id, case, visit.now):
            raise Problem("conflict", "The case is not claimed by you any more.")
        room.desk.claim(case.id, visit.account.id, visit.now)
        return Response(status_code=204)

    @router.post("/release")
    def release(case_id: str, visit: Visit = claiming) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
        room.desk.release(case.id, visit.account.id, visit.now)
        return go("/queue")
