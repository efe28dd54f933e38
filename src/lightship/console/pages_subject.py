"""A subject's streams, each with all that is known of it on one axis, and the same as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.problems import Problem
from lightship.console.prose import short, who
from lightship.console.record import Entry, Record
from lightship.console.room import Room
from lightship.console.timeline import Mark, drawn
from lightship.console.trace import traced
from lightship.console.visits import Visit
from lightship.core.cases import Case, Effect, Judgement, Report, Stream
from lightship.core.entry_time import at_of
from lightship.core.ports import Work

_STREAMS = 20
_EACH = 200
_LINE = 300
"""Newest entries of the record that a stream's line is drawn from."""


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


def recorded(record: Record, one: Told) -> tuple[list[Entry], bool]:
    """Return what the record tells of a stream's line, oldest first, and whether that is all of it."""
    own = record.about(f"line {one.stream.id}", _LINE)
    entries = [*own, *(entry for effect in one.effects for entry in record.about(f"line {effect}", _EACH))]
    return sorted(entries, key=at_of), len(own) < _LINE


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
        lines = []
        for one in known:
            entries, whole = recorded(room.record, one)
            marks = sorted(
                [*one.marks, *traced(entries, one.stream, one.effects, visit.now, whole=whole)],
                key=lambda mark: mark.at,
            )
            since = at_of(entries[0]) if not whole else None
            lines.append((one.stream, marks, drawn(marks, visit.now), since))
        return room.page(
            request,
            "subject.html",
            f"Subject {streams[0].host}",
            subject=streams[0].host,
            lines=lines,
        )

    return router
