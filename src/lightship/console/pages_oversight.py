"""What oversees: the wall of streams and the watch's health."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.promises import kept_of
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.cases import Case, Stream, Surge
from lightship.watch.priority import ORDER
from lightship.watch.staffing import begin_surge, end_surge, lately

_TILES = 120
_LATEST = 1000
State = Literal["danger", "waiting", "held", "calm"]


@dataclass(frozen=True, slots=True)
class Tile:
    """A stream on the wall: state in a word, a shape and a colour, and two bars from 0 to 100."""

    stream: Stream
    state: State
    words: str
    weight: int
    reach: int
    case_id: str


def tile(stream: Stream, case: Case | None) -> Tile:
    """Return a stream's tile."""
    reach = min(100, round(20 * log10(1 + max(0, stream.viewers))))
    if case is None:
        return Tile(stream, "calm", "Nothing found", 0, reach, "")
    weight = min(100, max(0, round(case.weight_db)))
    if case.danger_now:
        return Tile(stream, "danger", "Child in danger now", weight, reach, case.id)
    if case.claimed_by:
        return Tile(stream, "held", "A person has it", weight, reach, case.id)
    return Tile(stream, "waiting", "Waits for a person", weight, reach, case.id)


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    watching = room.visitor("see-wall", "review")
    surging = room.visitor("surge", "oversight")
    caring = room.visitor("see-health", "review", "audit", "administration")

    @router.get("/wall")
    def wall(request: Request, visit: Visit = watching) -> Response:
        with room.store.begin() as work:
            streams = work.find(Stream, {"ended_at": None}, order=("-viewers",), limit=_TILES)
            # by the queue's own index: a running stream has one open case, hardly ever more
            cases = work.find(Case, {"state": "open", "live": True}, order=ORDER, limit=_LATEST)
            room.looked(work, visit, "wall")
        worst = {one.stream_id: one for one in sorted(cases, key=lambda one: (one.danger_now, one.weight_db))}
        tiles = sorted(
            (tile(one, worst.get(one.id)) for one in streams),
            key=lambda one: ("danger", "waiting", "held", "calm").index(one.state),
        )
        return room.page(request, "wall.html", "Wall", tiles=tiles, most=_TILES)

    @router.get("/health")
    def health(request: Request, visit: Visit = caring) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "health")
            stretches = lately(work, visit.now)
            surges = work.find(Surge, {}, order=("-began_at",), limit=5)
        with room.record.still() as uncounted:
            budgets = [one for policy in room.settings.policies for one in kept_of(room.tally, policy)]
            looked = tuple(room.tally.looked)
        return room.page(
            request,
            "health.html",
            "Health",
            health=room.settings.health(),
            unseen=looked.count(False),
            closed=len(looked),
            budgets=budgets,
            uncounted=uncounted,
            stretches=stretches[::-1],
            surges=surges,
            may_surge=bool(allowed_purposes(visit.account.role, "surge")),
        )

    @router.post("/surge")
    def surge(visit: Visit = surging) -> Response:
        act = begin_surge if visit.choice("on", ("yes", "no")) == "yes" else end_surge
        with room.store.begin() as work:
            act(work, by=visit.account.id, reason=visit.field("reason", longest=500), now=visit.now)
        return go("/health")

    return router
