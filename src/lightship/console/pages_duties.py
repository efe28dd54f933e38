"""Duties: what is owed for each detection, what was filed, which clocks run, and who answers for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.console.pages_report import reportable, waits_for_reference
from lightship.console.problems import Problem
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.duties import Clock, Detection, Duty, DutyState, Filing
from lightship.core.ports import Work
from lightship.duties import clocks, desk, intimate, owed, people
from lightship.duties.provider import Provider

SHOWN: dict[str, tuple[DutyState, str]] = {
    "not-owed": ("not-owed", "Not owed"),
    "filed": ("filed", "Filed"),
    "closed": ("closed", "Closed"),
}
"""Lists beside that of what waits, by their name in the address."""


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/duties", include_in_schema=False)
    seeing = room.visitor("see-duties", "oversight", "audit", "administration")
    deciding = room.visitor("decide-duty", "oversight")

    def provider() -> Provider:
        if room.settings.provider is None:
            raise Problem("not-found", "No jurisdiction's rules are in force here.")
        return room.settings.provider

    def late(at: datetime | None, now: datetime) -> bool:
        return at is not None and at < now

    @router.get("")
    def duties(request: Request, visit: Visit = seeing, state: str = "", after: str = "") -> Response:
        law = provider().law
        shown = SHOWN.get(state)
        with room.store.begin() as work:
            room.looked(work, visit, "duties")
            standing = owed.standing(work, law, visit.now)
            known = not after or (len(after) <= 64 and after.isprintable() and work.get(Duty, after))
            rows = (
                owed.done(work, shown[0], after=after if known else "") if shown else list(standing.waiting)
            )
            roster = people.roster(work, visit.now)
            sweeps = _sweeps(work, standing.clocks)
        return room.page(
            request,
            "duties.html",
            "Duties",
            standing=standing,
            rows=[(one, owed.words(one, law), late(one.due_at, visit.now)) for one in rows],
            state=state if shown else "",
            shown=SHOWN,
            more=rows[-1].id if shown and len(rows) == owed.PAGE else "",
            clocks=[(one, law.periods.get(one.kind), late(one.due_at, visit.now)) for one in standing.clocks],
            sweeps=sweeps,
            roster=roster,
            lacks=people.lacks(roster, visit.now),
            law=law,
            may_decide=bool(allowed_purposes(visit.account.role, "decide-duty")),
        )

    @router.get("/{duty_id}")
    def duty(request: Request, duty_id: str, visit: Visit = seeing) -> Response:
        given = provider()
        with room.store.begin() as work:
            found = work.get(Duty, duty_id) if len(duty_id) <= 64 else None
            if found is None:
                raise Problem("not-found", "There is no such duty.")
            room.looked(work, visit, f"duty {found.id}")
            detection = work.get(Detection, found.id)
            filings = work.find(Filing, {"duty_id": found.id}, order=("opened_at",))
            settled = bool(found.reference) or desk.under_way(work, found.id)
            to_do = owed.told_to_do(work, found, given.law, visit.now, registered=given.registered)
        first = next((one for one in filings if not one.supplement_of and one.state != "retracted"), None)
        return room.page(
            request,
            "duty.html",
            f"Duty {found.id[:8]}",
            duty=found,
            detection=detection,
            filings=filings,
            words=owed.words(found, given.law),
            late=found.state in {"open", "owed"} and late(found.due_at, visit.now),
            to_do=to_do,
            may_build=room.settings.reporter is not None and reportable(found, first),
            waits=next((one for one in filings if waits_for_reference(one)), None),
            facts=[(name, values) for name, values in given.law.facts.items() if values],
            settled=settled,
            may_decide=bool(allowed_purposes(visit.account.role, "decide-duty")),
        )

    @router.post("/{duty_id}/facts")
    def tell(duty_id: str, visit: Visit = deciding) -> Response:
        given = provider()
        known = tuple(name for name, values in given.law.facts.items() if values)
        name = visit.choice("fact", known)
        fact = f"{name}={visit.choice('value', given.law.facts[name])}"
        with room.store.begin() as work:
            desk.tell(work, duty_id, [fact], given.law, by=visit.account.id, now=visit.now)
            desk.decide(work, duty_id, given.law, provider=given.facts, by=visit.account.id, now=visit.now)
        return go(f"/duties/{duty_id}")

    @router.post("/{duty_id}/call")
    def call(duty_id: str, visit: Visit = deciding) -> Response:
        whom, reference = visit.field("whom", longest=80), visit.field("reference", longest=80, needed=False)
        words = visit.field("words", longest=clocks.LONGEST, needed=False)
        with room.store.begin() as work:
            desk.called(
                work, duty_id, whom=whom, reference=reference, words=words, by=visit.account.id, now=visit.now
            )
        return go(f"/duties/{duty_id}")

    @router.post("/clocks/{clock_id}/end")
    def end(clock_id: str, visit: Visit = deciding) -> Response:
        with room.store.begin() as work:
            _end(work, clock_id, visit)
        return go("/duties")

    return router


def _end(work: Work, clock_id: str, visit: Visit) -> None:
    """End a clock; one of an intimate image by its sweep, or by an exception that has a reason."""
    exception = visit.field("ends", longest=10, needed=False) == "exception"
    clock = work.get(Clock, clock_id) if len(clock_id) <= 64 else None
    swept = clock is not None and clock.kind == clocks.SWEPT
    outcome = visit.field("outcome", longest=clocks.LONGEST, needed=exception or not swept)
    by, now = visit.account.id, visit.now
    if swept:
        intimate.end(work, clock_id, outcome=outcome, by=by, now=now, exception=exception)
    else:
        clocks.end(work, clock_id, outcome=outcome, by=by, now=now)


def _sweeps(work: Work, running: Iterable[Clock]) -> dict[str, str]:
    """Return what the last sweep says of each clock that ends with one, in words."""
    return {
        one.id: intimate.in_words(intimate.said(work, one.id)) for one in running if one.kind == clocks.SWEPT
    }
