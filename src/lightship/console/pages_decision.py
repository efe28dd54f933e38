"""Decisions on an item: the first person's, the second's, and what takes one back."""

from __future__ import annotations

from typing import cast, get_args

from fastapi import APIRouter
from starlette.responses import Response

from lightship.console.pages_queue import next_address, shown_to
from lightship.console.pages_reveal import case_of, last_judgement
from lightship.console.problems import Problem
from lightship.console.room import WatchRoom, go
from lightship.console.visits import Visit
from lightship.core.cases import Verdict


def routes(room: WatchRoom) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/items/{case_id}", include_in_schema=False)
    _decide(router, room)
    _take_back(router, room)
    return router


def _decide(router: APIRouter, room: WatchRoom) -> None:
    judging = room.visitor("judge", "review")
    seconding = room.visitor("second", "second-opinion")

    @router.post("/judge")
    def judge(case_id: str, visit: Visit = judging) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
        visit.must("judge", case=case)
        clause, reason = visit.choice("clause", dict(room.settings.clauses)), _reason(room, visit)
        reused = visit.field("reused_of", needed=False)
        room.desk.judge(
            case.id,
            visit.account.id,
            visit.now,
            verdict=cast(Verdict, visit.choice("verdict", get_args(Verdict))),
            clause=clause,
            reason=reason,
            reused_of=reused,
        )
        with room.store.begin() as work:
            shift = room.current_shift(work, visit.account.id)
            if shift is not None:
                unseen = shift.unseen + (not case.seen)
                work.change(type(shift), shift.id, {}, decided=shift.decided + 1, unseen=unseen)
        said = f"?decided={case.id}"
        if visit.field("then", needed=False) == "next" and shown_to(room, visit, shift):
            return go(next_address(room, visit, {"state": "open"}, said) or f"/queue{said}")
        return go(f"/queue{said}")

    @router.post("/second")
    def second(case_id: str, visit: Visit = seconding) -> Response:
        with room.store.begin() as work:
            judgement = last_judgement(work, case_of(work, case_id).id)
        visit.must("second", judgement=judgement)
        if judgement is None:
            raise Problem("not-found", "There is no decision yet.")
        agrees = visit.choice("agrees", ("yes", "no")) == "yes"
        room.desk.second(judgement.id, visit.account.id, visit.now, agrees=agrees)
        return go(f"/items/{case_id}")


def _take_back(router: APIRouter, room: WatchRoom) -> None:
    appealing = room.visitor("appeal", "appeal")
    reversing = room.visitor("reverse", "appeal")
    undoing = room.visitor("undo", "review")

    @router.post("/appeal")
    def appeal(case_id: str, visit: Visit = appealing) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
        room.desk.appeal(case.id, visit.account.id, visit.now, words=visit.field("words", longest=2000))
        return go(f"/items/{case.id}")

    @router.post("/reverse")
    def reverse(case_id: str, visit: Visit = reversing) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            judgement = last_judgement(work, case.id)
        visit.must("reverse", case=case, judgement=judgement)
        reason = _reason(room, visit)
        if visit.choice("outcome", ("reverse", "uphold")) == "reverse":
            room.desk.reverse(case.id, visit.account.id, visit.now, reason=reason)
        else:
            room.desk.uphold(case.id, visit.account.id, visit.now, reason=reason)
        return go(f"/items/{case.id}")

    @router.post("/undo")
    def undo(case_id: str, visit: Visit = undoing) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            judgement = last_judgement(work, case.id)
        if judgement is None or (visit.account.role != "lead" and judgement.by != visit.account.id):
            raise Problem("forbidden", "Only who decided, or a lead, may undo.")
        room.desk.undo(case.id, visit.account.id, visit.now)
        return go(f"/items/{case.id}")


def _reason(room: WatchRoom, visit: Visit) -> str:
    """Return the reason's code with what was written."""
    code = visit.choice("reason", dict(room.settings.reasons))
    words = visit.field("words", longest=2000, needed=False)
    return f"{code}: {words}" if words else code
