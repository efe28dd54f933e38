"""What oversees: the wall of streams and the watch's health."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.promises import Promises
from lightship.console.room import Room
from lightship.console.visits import Visit
from lightship.core.cases import Case, Stream
from lightship.core.ports import Work

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


def unseen_share(work: Work) -> tuple[int, int]:
    """Return how many of the latest decided cases nobody opened the pictures of, and how many those are."""
    closed = ("decided", "appealed", "reversed", "closed")
    latest = work.find(Case, {"state": closed}, order=("-opened_at",), limit=_LATEST)
    return sum(not one.seen for one in latest), len(latest)


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    watching = room.visitor("see-wall", "review")
    promises = Promises(room.settings.ledger, room.settings.policies)
    caring = room.visitor("see-health", "review", "audit", "administration")

    @router.get("/wall")
    def wall(request: Request, visit: Visit = watching) -> Response:
        with room.store.begin() as work:
            streams = work.find(Stream, {"ended_at": None}, order=("-viewers",), limit=_TILES)
            ids = tuple(one.id for one in streams)
            # a stream has one open case, hardly ever more: the gravest come first in any event
            asked = {"state": "open", "stream_id": ids}
            gravest = ("-danger_now", "-weight_db")
            cases = work.find(Case, asked, order=gravest, limit=4 * _TILES) if ids else []
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
            unseen, closed = unseen_share(work)
            room.looked(work, visit, "health")
        budgets, uncounted = promises.now()
        return room.page(
            request,
            "health.html",
            "Health",
            health=room.settings.health(),
            unseen=unseen,
            closed=closed,
            budgets=budgets,
            uncounted=uncounted,
        )

    return router
