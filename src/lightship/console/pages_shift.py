"""A person's own shift: what they were exposed to, breaks and the way out without a reason."""

from __future__ import annotations

from uuid import uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.access import begin_break, may_be_shown, next_shift
from lightship.core.people import Shift
from lightship.core.ports import Work


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    own = room.visitor("own-shift", "own-shift")

    @router.get("/shift")
    def shift(request: Request, visit: Visit = own) -> Response:
        budget = room.settings.budget
        with room.store.begin() as work:
            current = room.current_shift(work, visit.account.id)
            before = None if current else _last(work, visit.account.id)
            notes = [
                one
                for one in work.find(Shift, {}, order=("-began_at",), limit=20)
                if one.handover and one.ended_at
            ]
        resting = bool(current and current.break_until and current.break_until > visit.now)
        return room.page(
            request,
            "shift.html",
            "Your shift",
            shift=current,
            before=before,
            budget=budget,
            resting=resting,
            allowed=may_be_shown(current, budget, visit.now) if current else None,
            notes=notes[:5],
            pictures=visit.account.role in {"moderator", "lead"},
        )

    _acts(router, room)
    return router


def _acts(router: APIRouter, room: Room) -> None:
    own = room.visitor("own-shift", "own-shift")

    @router.post("/shift/begin")
    def begin(visit: Visit = own) -> Response:
        with room.store.begin() as work:
            if room.current_shift(work, visit.account.id) is None:
                work.save(next_shift(uuid4().hex, visit.account.id, _last(work, visit.account.id), visit.now))
                _record(work, visit, "shift-begun")
        return go("/shift")

    @router.post("/shift/break")
    def rest(visit: Visit = own) -> Response:
        with room.store.begin() as work:
            current = room.current_shift(work, visit.account.id)
            if current is not None:
                resting = begin_break(current, room.settings.budget, visit.now)
                work.change(Shift, current.id, {}, stretch_s=0.0, break_until=resting.break_until)
                _record(work, visit, "break")
        return go("/shift")

    @router.post("/shift/opt-out")
    def opt_out(visit: Visit = own) -> Response:
        with room.store.begin() as work:
            current = room.current_shift(work, visit.account.id)
            if current is not None:
                work.change(Shift, current.id, {}, opted_out=True)
                _record(work, visit, "opted-out")
        return go("/shift")

    @router.post("/shift/end")
    def end(visit: Visit = own) -> Response:
        note = visit.field("handover", longest=2000, needed=False)
        with room.store.begin() as work:
            current = room.current_shift(work, visit.account.id)
            if current is not None:
                work.change(Shift, current.id, {"ended_at": None}, ended_at=visit.now, handover=note)
                _record(work, visit, "shift-ended")
        return go("/shift")


def _last(work: Work, account: str) -> Shift | None:
    found = work.find(Shift, {"account": account}, order=("-began_at",), limit=1)
    return found[0] if found else None


def _record(work: Work, visit: Visit, what: str) -> None:
    person = visit.account
    work.record({"kind": what, "at": visit.now.isoformat(), "by": person.id, "role": person.role})
