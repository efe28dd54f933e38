"""A subject's streams, each with all that is known of it on one axis, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.problems import Problem
from lightship.console.prose import short, who
from lightship.console.record import SLACK, at_of, place_at
from lightship.console.room import Room
from lightship.console.timeline import Mark, drawn
from lightship.console.trace import traced
from lightship.console.visits import Visit
from lightship.core.cases import Case, Effect, Judgement, Report, Stream
from lightship.core.ports import ReadableLedger, Work

_STREAMS = 20
_EACH = 200
TRACED = 20_000
"""Newest entries of the record in the streams' time that are read for their timelines."""

Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of one stream beside the record: its cases, their decisions, its reports and effects."""

    stream: Stream
    marks: tuple[Mark, ...]
    effects: Mapping[str, str]


def gathered(work: Work, stream: Stream, now: datetime) -> Told:
    """Return what the store has of a stream."""
    marks = [Mark(stream.began_at, "stream", f"stream {stream.id}", stream.ended_at or now)]
    for case in work.find(Case, {"stream_id": stream.id}, order=("opened_at",), limit=50):
        marks.append(Mark(case.opened_at, "signal", f"case {short(case.id)} opened: {case.words}"))
        marks += [
            Mark(one.at, "decision", f"{one.verdict} on {one.clause}, by {one.by}")
            for one in work.find(Judgement, {"case_id": case.id}, limit=50)
        ]
    marks += [
        Mark(one.received_at, "report", one.kind.replace("-", " "))
        for one in work.find(Report, {"stream_id": stream.id}, limit=_EACH)
    ]
    effects = work.find(Effect, {"stream_id": stream.id}, limit=_EACH)
    marks += [
        Mark(one.ordered_at, "effect", f"{one.kind}: ordered, by {who(one.ordered_by)}") for one in effects
    ]
    return Told(stream, tuple(marks), {one.id: one.kind for one in effects})


def recorded(ledger: ReadableLedger, streams: Sequence[Stream], now: datetime) -> tuple[list[Entry], bool]:
    """Return the record of the time in which streams ran, oldest first, and whether that is all of it."""
    first = place_at(ledger, min(one.began_at for one in streams) - SLACK)
    until = max(one.ended_at or now for one in streams)
    stop = min(ledger.size, place_at(ledger, until + SLACK))
    return list(ledger.entries(max(first, stop - TRACED), stop)), stop - first <= TRACED


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    following = room.visitor("see-subject", "review", "audit")

    @router.get("/subjects/{host}")
    def subject(request: Request, host: str, visit: Visit = following) -> Response:
        with room.store.begin() as work:
            streams = work.find(Stream, {"host": host[:128]}, order=("-began_at",), limit=_STREAMS)
            if not streams:
                raise Problem("not-found", "There is no such subject.")
            room.looked(work, visit, f"subject {streams[0].host}")
            known = [gathered(work, one, visit.now) for one in streams]
        entries, whole = recorded(room.settings.ledger, streams, visit.now)
        lines = []
        for one in known:
            own = [entry for entry in entries if _is_of(entry, one)]
            marks = sorted(
                [*one.marks, *traced(own, one.stream, one.effects, visit.now, whole=whole)],
                key=lambda mark: mark.at,
            )
            lines.append((one.stream, marks, drawn(marks, visit.now)))
        since = at_of(entries[0]) if entries and not whole else None
        return room.page(
            request,
            "subject.html",
            f"Subject {streams[0].host}",
            subject=streams[0].host,
            lines=lines,
            since=since,
        )

    return router


def _is_of(entry: Entry, one: Told) -> bool:
    return entry.get("stream") == one.stream.id or entry.get("effect") in one.effects
