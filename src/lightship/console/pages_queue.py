"""The queue: the next item is given, with the reason of its place; filters are part of the address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.room import WatchRoom, go
from lightship.console.visits import Visit
from lightship.core.access import Permission, may_be_shown
from lightship.core.cases import Case
from lightship.core.people import Shift

PAGE = 20
_SAID = {"yes": True, "no": False}
FILTERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "state": ("State", {"open": "open", "appealed": "appealed", "decided": "decided"}),
    "live": ("Live now", _SAID),
    "danger": ("Child in danger now", _SAID),
    "opener": ("Opened by", {"machine": "machine", "report": "report"}),
}
_FIELD = {"state": "state", "live": "live", "danger": "danger_now", "opener": "opened_by"}


def chosen(query: Mapping[str, str]) -> dict[str, str]:
    """Return the filters of an address; what is no filter is left out."""
    return {name: query[name] for name, (_, known) in FILTERS.items() if query.get(name, "") in known}


def where(filters: Mapping[str, str]) -> dict[str, object]:
    """Return filters as fields of a case; open cases unless told otherwise."""
    fields = {_FIELD[name]: FILTERS[name][1][value] for name, value in filters.items()}
    return {"state": "open", **fields}


def shown_to(room: WatchRoom, visit: Visit, shift: Shift | None) -> Permission:
    """Return whether any item may be opened to this person now."""
    if visit.account.role not in {"moderator", "lead"}:
        return Permission(True, ("No pictures are shown to this role.",))
    if shift is None:
        return Permission(False, ("Begin your shift first.",))
    return may_be_shown(shift, room.settings.budget, visit.now)


def routes(room: WatchRoom) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    queueing = room.visitor("see-queue", "review")
    claiming = room.visitor("claim", "review")

    @router.get("/queue")
    def queue(request: Request, visit: Visit = queueing, after: str = "") -> Response:
        filters = chosen(request.query_params)
        with room.store.begin() as work:
            known = after.isprintable() and work.get(Case, after[:64]) is not None
            shift = room.current_shift(work, visit.account.id)
            room.looked(work, visit, "queue")
        cases = list(room.desk.queue(where(filters), limit=PAGE + 1, after=after if known else ""))
        more = cases[PAGE - 1].id if len(cases) > PAGE else ""
        return room.page(
            request,
            "queue.html",
            "Queue",
            cases=cases[:PAGE],
            filters=filters,
            known=FILTERS,
            query=urlencode(filters),
            more=urlencode({**filters, "after": more}) if more else "",
            may_open=shown_to(room, visit, shift),
            decided=decided_case(room, request),
        )

    @router.post("/queue/next")
    def give(visit: Visit = claiming) -> Response:
        filters = chosen(visit.form)
        with room.store.begin() as work:
            shift = room.current_shift(work, visit.account.id)
        if not shown_to(room, visit, shift):
            return go("/shift")
        return go(next_address(room, visit, where(filters)) or f"/queue?{urlencode(filters)}")

    return router


def next_address(room: WatchRoom, visit: Visit, fields: Mapping[str, object], query: str = "") -> str:
    """Claim the next case and return its address; an empty string if there is none."""
    case = room.desk.open_next(visit.account.id, visit.now, fields)
    return f"/items/{case.id}{query}" if case else ""


def decided_case(room: WatchRoom, request: Request) -> tuple[Case, bool] | None:
    """Return the case that was decided just before, and whether that can still be undone."""
    name = request.query_params.get("decided", "")[:64]
    if not name.isprintable() or not name:
        return None
    with room.store.begin() as work:
        case = work.get(Case, name)
    return (case, room.desk.may_undo(case.id, room.settings.clock())) if case is not None else None
