"""What oversees: the wall of streams, the timeline of a subject, the watch's health, and the record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from lightship.console.problems import Problem
from lightship.console.prose import told
from lightship.console.room import Room, when
from lightship.console.settings import Mark
from lightship.console.timeline import drawn
from lightship.console.visits import Visit
from lightship.core.cases import Case, Effect, Judgement, Report, Stream
from lightship.core.ports import ReadableLedger, Work

_TILES = 120
_STREAMS = 20
_LATEST = 1000
_PAGE = 50
_EXPORT = 100_000
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


def marks_of(room: Room, work: Work, stream: Stream) -> list[Mark]:
    """Return all that is known of a stream, on one axis."""
    marks = [Mark(stream.began_at, "stream", f"stream {stream.id}", stream.ended_at or room.settings.clock())]
    marks += room.settings.trace(stream.id)
    for case in work.find(Case, {"stream_id": stream.id}, order=("opened_at",), limit=50):
        marks.append(Mark(case.opened_at, "signal", f"case {case.id} opened: {case.words}"))
        marks += [
            Mark(one.at, "decision", f"{one.verdict} on {one.clause}, by {one.by}")
            for one in work.find(Judgement, {"case_id": case.id}, limit=50)
        ]
    marks += [
        Mark(one.received_at, "report", one.kind.replace("-", " "))
        for one in work.find(Report, {"stream_id": stream.id}, limit=100)
    ]
    marks += [
        Mark(one.done_at or one.due_at, "effect", f"{one.kind}: {one.state}")
        for one in work.find(Effect, {"stream_id": stream.id}, limit=100)
    ]
    return sorted(marks, key=lambda one: one.at)


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    watching = room.visitor("see-wall", "review")
    following = room.visitor("see-subject", "review", "audit")
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

    @router.get("/subjects/{host}")
    def subject(request: Request, host: str, visit: Visit = following) -> Response:
        with room.store.begin() as work:
            streams = work.find(Stream, {"host": host[:128]}, order=("-began_at",), limit=_STREAMS)
            if not streams:
                raise Problem("not-found", "There is no such subject.")
            room.looked(work, visit, f"subject {streams[0].host}")
            lines = [(one, marks_of(room, work, one)) for one in streams]
        told_of = [(stream, marks, drawn(marks, visit.now)) for stream, marks in lines]
        return room.page(
            request, "subject.html", f"Subject {streams[0].host}", subject=streams[0].host, lines=told_of
        )

    @router.get("/health")
    def health(request: Request, visit: Visit = caring) -> Response:
        with room.store.begin() as work:
            unseen, closed = unseen_share(work)
            room.looked(work, visit, "health")
        return room.page(
            request, "health.html", "Health", health=room.settings.health(), unseen=unseen, closed=closed
        )

    _audit(router, room)
    return router


def _audit(router: APIRouter, room: Room) -> None:
    copying = room.visitor("export-audit", "audit")
    ledger = room.settings.ledger
    reading = room.visitor("see-audit", "audit", "oversight")

    def page(request: Request, before: int, report: str = "", *, holds: bool = True) -> Response:
        size = ledger.size
        stop = min(size, before) if before > 0 else size
        start = max(0, stop - _PAGE)
        entries = [
            (number, str(one.get("at", "")), told(one))
            for number, one in enumerate(ledger.entries(start, stop), start)
        ]
        return room.page(
            request,
            "audit.html",
            "Audit",
            entries=entries[::-1],
            size=size,
            start=start,
            report=report,
            holds=holds,
            may_export=request.state.account.role == "auditor",
        )

    @router.get("/audit")
    def audit(request: Request, before: int = 0, visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "record")
        return page(request, before)

    @router.post("/audit/verify")
    def verify(request: Request, visit: Visit = reading) -> Response:
        report = room.settings.verify()
        with room.store.begin() as work:
            entry = {"kind": "audit-verified", "at": visit.now.isoformat(), "by": visit.account.id}
            work.record({**entry, "result": str(report)[:500]})
        return page(request, 0, str(report), holds=report.ok)

    @router.post("/audit/export")
    def export(visit: Visit = copying) -> Response:
        stop = ledger.size
        start = max(0, stop - _EXPORT)
        with room.store.begin() as work:
            entry = {"kind": "audit-export", "at": visit.now.isoformat(), "by": visit.account.id}
            work.record({**entry, "first": start, "last": stop - 1})
        name = f"lightship-record-{start}-{stop}.jsonl"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Exported": when(visit.now)}
        return StreamingResponse(
            _lines(ledger, start, stop), headers=headers, media_type="application/x-ndjson"
        )


def _lines(ledger: ReadableLedger, start: int, stop: int) -> Iterator[bytes]:
    for number, entry in enumerate(ledger.entries(start, stop), start):
        yield json.dumps({"entry": number, **entry}, ensure_ascii=False).encode() + b"\n"
