"""A report to an authority: built with every field, checked, filed by who stands for it, its reference recorded."""

from __future__ import annotations

import base64
import hashlib

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from lightship.console.problems import Problem
from lightship.console.report_port import Built, Reporter
from lightship.console.room import Room, go
from lightship.console.visits import Visit
from lightship.core.duties import Duty, Filing, Held
from lightship.core.errors import AccessDenied, FilingError
from lightship.duties import people
from lightship.duties.filing_report import Told

LONGEST = 4000


def reportable(duty: Duty, first: Filing | None) -> bool:
    """Return whether a duty's first report is yet to be filed by a person."""
    return duty.state == "owed" and (first is None or first.state in {"building", "refused"})


def waits_for_reference(filing: Filing) -> bool:
    """Return whether a report was handed to a person, who has yet to record what came back."""
    return filing.state == "waiting" and filing.adapter == "worksheet" and not filing.reference


def told_of(visit: Visit) -> Told:
    """Return what a person says of a case in the form: fields by name, one value a line where there are several."""
    held: dict[str, str | list[str]] = {}
    unheld = {}
    for name in visit.form:
        what, _, field = name.partition("-")
        if what not in {"held", "unheld"} or not field:
            continue
        said = visit.field(name, longest=LONGEST, needed=False)
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        if what == "held" and lines:
            held[field] = lines[0] if len(lines) == 1 else lines
        elif lines:
            unheld[field] = " ".join(lines)
    return Told(held, unheld, escalate=visit.field("escalate", longest=3000, needed=False))


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/duties/{duty_id}", include_in_schema=False)
    deciding = room.visitor("decide-duty", "oversight")

    def reporter() -> Reporter:
        if room.settings.reporter is None:
            raise Problem("not-found", "Reports are not built here.")
        return room.settings.reporter

    def shown(request: Request, visit: Visit, duty_id: str, built: Built, wrong: str = "") -> Response:
        snapshot, form = built.draft.snapshot, built.form
        with room.store.begin() as work:
            room.looked(work, visit, f"report {built.filing.id}")
            duty = work.get(Duty, duty_id)
            try:
                people.declarant(work, visit.account.id, visit.now)
                may_not = ""
            except AccessDenied as error:
                may_not = f"{error.what} {error.todo}".strip()
        day = (duty.aware_at if duty is not None else snapshot.made_at).date()
        groups = [
            (
                title,
                [(one, snapshot.fields[one.id]) for one in form.on(day) if one.group == group],
            )
            for group, title in form.groups.items()
        ]
        return room.page(
            request,
            "report.html",
            f"Report of duty {duty_id[:8]}",
            422 if wrong else 200,
            duty=duty,
            filing=built.filing,
            draft=built.draft,
            groups=groups,
            is_held=lambda one: isinstance(one, Held),
            said=visit.form,
            declaration=built.declaration,
            wrong=wrong,
            may_not=may_not,
        )

    @router.post("/report")
    def build(request: Request, duty_id: str, visit: Visit = deciding) -> Response:
        return shown(request, visit, duty_id, reporter().build(duty_id, told_of(visit)))

    @router.post("/report/file")
    def file(request: Request, duty_id: str, visit: Visit = deciding) -> Response:
        told = told_of(visit)
        try:
            reporter().file(duty_id, told, by=visit.account.id)
        except FilingError as error:
            built = reporter().build(duty_id, told)
            return shown(request, visit, duty_id, built, f"{error.what} {error.todo}".strip())
        return go(f"/duties/{duty_id}")

    @router.post("/reference")
    def reference(duty_id: str, visit: Visit = deciding) -> Response:
        given = visit.field("reference", longest=80)
        reporter().reference(_waiting(room, duty_id).id, given, by=visit.account.id)
        return go(f"/duties/{duty_id}")

    @router.get("/worksheet")
    def worksheet(duty_id: str, visit: Visit = deciding) -> Response:
        mine = _waiting(room, duty_id)
        with room.store.begin() as work:
            room.looked(work, visit, f"worksheet {mine.id}")
        body = reporter().sent(mine.id, by=visit.account.id)
        style = body.partition("<style>")[2].partition("</style>")[0]
        named = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = (
            f"sandbox allow-modals; default-src 'none'; style-src 'sha256-{named}'; frame-ancestors 'none'"
        )
        return HTMLResponse(
            body, headers={"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"}
        )

    return router


def _waiting(room: Room, duty_id: str) -> Filing:
    with room.store.look() as work:
        found = [one for one in work.find(Filing, {"duty_id": duty_id[:64]}) if waits_for_reference(one)]
    if not found:
        raise Problem("not-found", "No worksheet of this duty waits for its reference.")
    return found[0]
