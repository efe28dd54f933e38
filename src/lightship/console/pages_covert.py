"""The covert desk: what others asked that touches its own entries; nobody outside is told that it was read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework.deconflict import KINDS, Round
from lightship.casework.deconflict_desk import Desk
from lightship.casework.deconflict_rows import INTEREST, interests
from lightship.console.door import DESK
from lightship.console.pages_deconflict import line_told
from lightship.console.problems import Problem
from lightship.console.room import attached, go
from lightship.console.unit import Unit, UnitVisit

_ROWS = 100_000


def routes(unit: Unit) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=DESK)
    visiting, bringing = unit.visitor(), unit.visitor(files=True)

    @contextmanager
    def desk(visit: UnitVisit) -> Iterator[Desk]:
        with unit.inside(visit) as inside:
            yield Desk(unit.bureau.name, inside)

    def partner(visit: UnitVisit) -> str:
        return visit.choice("partner", unit.bureau.partners)

    @router.get("")
    def look(request: Request, visit: UnitVisit = visiting, read: int = -1) -> Response:
        with unit.inside(visit) as inside:
            inside.note("consulted", "notices")
            found = Desk(unit.bureau.name, inside).notices() if unit.bureau.partners else ()
        return unit.page(
            request,
            "covert.html",
            "Covert desk",
            notices=found,
            partners=unit.bureau.partners,
            columns=INTEREST,
            kinds=KINDS,
            read=read,
        )

    @router.post("/read")
    def read(visit: UnitVisit = visiting) -> Response:
        with desk(visit) as one:
            new = sum(
                len(one.read(unit.bureau.kept(each), unit.bureau.agreement(each)))
                for each in unit.bureau.partners
            )
        return go(f"{DESK}?read={new}")

    @router.post("/keep")
    def keep(visit: UnitVisit = visiting) -> Response:
        text, code = visit.field("entries", longest=_ROWS), visit.field("calling_code", needed=False)
        with line_told():
            found = interests(text, "entries", covert=True, calling_code=code)
        with desk(visit) as one:
            one.keep(found)
        return go(DESK)

    @router.post("/round")
    def made(visit: UnitVisit = visiting) -> Response:
        to = partner(visit)
        with desk(visit) as one:
            data = unit.bureau.signed(one.round_for(unit.bureau.agreement(to)))
        return attached(data, f"round-{to}-{visit.now:%Y-%m-%d}")

    @router.post("/back")
    def back(visit: UnitVisit = bringing) -> Response:
        of = partner(visit)
        message = unit.bureau.message(of, visit.file, "the file")
        if not isinstance(message, Round):
            raise Problem("invalid", "This is no round that came back. Others open it at the front office.")
        with desk(visit) as one:
            one.take_round(message, unit.bureau.agreement(of))
        return go(DESK)

    return router
