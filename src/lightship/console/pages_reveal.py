"""What may be seen and heard of an item: each opening is an act of its own, and charged."""

from __future__ import annotations

import json
from typing import cast

from fastapi import APIRouter
from starlette.responses import Response

from lightship.console.pages_queue import shown_to
from lightship.console.pictures import PARTS
from lightship.console.problems import Problem
from lightship.console.reveal import cover_again, open_blurred, open_clear, open_wave
from lightship.console.room import WatchRoom
from lightship.console.visits import Visit
from lightship.core.access import Purpose
from lightship.core.cases import Case, Judgement
from lightship.core.people import Shown
from lightship.core.ports import Work

_SHOWN: tuple[Shown, ...] = ("still", "motion", "sound")
_PARTS = tuple(str(number) for number in range(1, PARTS + 1))


def case_of(work: Work, case_id: str) -> Case:
    """Return a case.

    Raises
    ------
    Problem
        If there is none of this name.
    """
    case = work.get(Case, case_id) if len(case_id) <= 64 else None
    if case is None:
        raise Problem("not-found", "There is no such item.")
    return case


def last_judgement(work: Work, case_id: str) -> Judgement | None:
    """Return the latest decision of a case."""
    found = work.find(Judgement, {"case_id": case_id}, order=("-at",), limit=1)
    return found[0] if found else None


def reveal_purpose(room: WatchRoom, visit: Visit, case: Case, judgement: Judgement | None) -> Purpose | None:
    """Return what this person may open the case's pictures for; None for nothing."""
    if visit.may("reveal", purpose="review", case=case):
        return "review"
    waits = judgement is not None and not judgement.second_by and room.desk.needs_second(judgement)
    if waits and visit.may("second", purpose="second-opinion", case=case, judgement=judgement):
        return "second-opinion"
    return "appeal" if visit.may("reveal", purpose="appeal", case=case) else None


def routes(room: WatchRoom) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/items/{case_id}", include_in_schema=False)
    revealing = room.visitor("reveal", "review")

    @router.get("/stills/{exhibit_id}/blurred")
    def still(case_id: str, exhibit_id: str, visit: Visit = revealing) -> Response:
        return Response(open_blurred(room, visit, opened(case_id, visit), exhibit_id), media_type="image/png")

    @router.get("/sounds/{exhibit_id}/loudness")
    def loudness(case_id: str, exhibit_id: str, visit: Visit = revealing) -> Response:
        return Response(
            open_wave(room, visit, opened(case_id, visit), exhibit_id), media_type="image/svg+xml"
        )

    def opened(case_id: str, visit: Visit) -> Case:
        """Return a case whose pictures this person may open now."""
        with room.store.begin() as work:
            case = case_of(work, case_id)
            shift = room.current_shift(work, visit.account.id)
            allowed = shown_to(room, visit, shift)
            purpose = reveal_purpose(room, visit, case, last_judgement(work, case.id))
        if not allowed or purpose is None:
            raise Problem("forbidden", "Claim the case first." if allowed else allowed.why)
        return case

    @router.post("/reveal")
    def reveal(case_id: str, visit: Visit = revealing) -> Response:
        with room.store.begin() as work:
            case = case_of(work, case_id)
            judgement = last_judgement(work, case.id)
        purpose = reveal_purpose(room, visit, case, judgement)
        if purpose is None:
            raise Problem("forbidden", visit.may("reveal", purpose="review", case=case).why)
        data, media, look = open_clear(
            room,
            visit,
            case,
            visit.field("exhibit"),
            shown=cast(Shown, visit.choice("shown", _SHOWN)),
            purpose=purpose,
            judgement=judgement,
            part=int(visit.choice("part", _PARTS)) if visit.form.get("part") else 0,
        )
        headers = {"X-Look": look.id, "X-Granted-Seconds": f"{look.granted_s:g}"}
        return Response(data, headers=headers, media_type=media)

    @router.post("/cover")
    def cover(case_id: str, visit: Visit = revealing) -> Response:
        del case_id  # the look knows it
        seconds = cover_again(room, visit, visit.field("look"))
        return Response(json.dumps({"seconds": round(seconds, 1)}), media_type="application/json")

    return router
