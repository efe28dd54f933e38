"""Legal holds: what is kept beyond its day and why; leads place and lift them."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.pages_reveal import case_of
from lightship.console.problems import Problem
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core import holds
from lightship.core.access import allowed_purposes
from lightship.core.cases import Case, Exhibit
from lightship.core.duties import Hold
from lightship.core.errors import StoreError

_MOST = 200


def _together(found: Iterable[Hold]) -> list[tuple[Hold, int]]:
    """Return one hold of those that were placed, and perhaps lifted, together, with how many they are."""
    groups: dict[tuple[object, ...], list[Hold]] = {}
    for one in found:
        groups.setdefault((one.case_id, one.basis, one.placed_at, one.lifted_at), []).append(one)
    return [(several[0], len(several)) for several in groups.values()]


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/holds", include_in_schema=False)
    seeing = room.visitor("see-holds", "oversight", "audit")
    holding = room.visitor("hold", "oversight")

    @router.get("")
    def standing(request: Request, visit: Visit = seeing, case: str = "") -> Response:
        with room.store.begin() as work:
            found = work.get(Case, case[:64]) if case.isprintable() else None
            kept = work.find(Exhibit, {"case_id": found.id, "destroyed_at": None}) if found else []
            room.looked(work, visit, f"holds of case {found.id}" if found else "holds")
            own: dict[str, object] = {"case_id": found.id} if found else {}
            stand = work.find(Hold, {**own, "lifted_at": None}, order=("-placed_at",), limit=_MOST)
            ended = [
                one
                for one in work.find(Hold, own, order=("-lifted_at",), limit=_MOST)
                if one.lifted_at is not None
            ]
        return room.page(
            request,
            "holds.html",
            "Holds",
            case=found,
            kept=kept,
            asked=case,
            stand=_together(stand),
            ended=_together(ended),
            cut=len(stand) == _MOST,
            may_hold=bool(allowed_purposes(visit.account.role, "hold")),
        )

    @router.post("")
    def place(visit: Visit = holding) -> Response:
        basis, reason = visit.field("basis"), visit.field("reason", longest=2000)
        with room.store.begin() as work:
            case = case_of(work, visit.field("case", longest=64))
            try:
                holds.place_on_case(
                    work, case.id, basis=basis, reason=reason, by=visit.account.id, now=visit.now
                )
            except StoreError as error:
                raise Problem("conflict", error.what) from error
        return go(f"/holds?case={case.id}")

    @router.post("/lift")
    def lift(visit: Visit = holding) -> Response:
        basis, reason = visit.field("basis"), visit.field("reason", longest=2000)
        with room.store.begin() as work:
            case = case_of(work, visit.field("case", longest=64))
            try:
                holds.lift_on_case(
                    work, case.id, basis=basis, reason=reason, by=visit.account.id, now=visit.now
                )
            except StoreError as error:
                raise Problem("conflict", f"{error.what} {error.todo}") from error
        return go(f"/holds?case={case.id}")

    return router
