"""The record: read as prose, searched, verified and copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from lightship.console.prose import GROUPS, label_of, told
from lightship.console.record import sought_of
from lightship.console.room import Room, Telling, when
from lightship.console.visits import Visit
from lightship.core.entry_time import at_of
from lightship.core.ports import ReadableLedger

_EXPORT = 100_000
_ASKED = ("kind", "about", "by", "since", "until")


def routes(room: Room) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/audit", include_in_schema=False)
    copying = room.visitor("export-audit", "audit")
    ledger = room.settings.ledger
    reading = room.visitor("see-audit", "audit", "oversight")

    def page(
        request: Request, before: int, tells: Telling, report: str = "", *, holds: bool = True
    ) -> Response:
        asked = {name: request.query_params[name] for name in _ASKED if request.query_params.get(name)}
        found = room.record.find(sought_of(asked), before=before)
        shown = [(number, one) for number, one in found.entries if tells(one)]
        return room.page(
            request,
            "audit.html",
            "Audit",
            entries=[(number, at_of(one), label_of(one), told(one), one) for number, one in shown],
            whole=len(shown) == len(found.entries),
            found=found,
            earlier=urlencode({**asked, "before": found.before}),
            asked=asked,
            groups=GROUPS,
            size=ledger.size,
            newest=before <= 0,
            report=report,
            holds=holds,
            may_export=request.state.account.role == "auditor",
        )

    @router.get("")
    def audit(request: Request, before: int = 0, visit: Visit = reading) -> Response:
        with room.store.begin() as work:
            room.looked(work, visit, "record")
            tells = room.telling(work, visit)
        return page(request, before, tells)

    @router.post("/verify")
    def verify(request: Request, visit: Visit = reading) -> Response:
        report = room.settings.verify()
        with room.store.begin() as work:
            entry = {"kind": "audit-verified", "at": visit.now.isoformat(), "by": visit.account.id}
            work.record({**entry, "result": str(report)[:500]})
            tells = room.telling(work, visit)
        return page(request, 0, tells, str(report), holds=report.ok)

    @router.post("/export")
    def export(visit: Visit = copying) -> Response:
        stop = ledger.size
        start = max(0, stop - _EXPORT)
        with room.store.begin() as work:
            entry = {"kind": "audit-export", "at": visit.now.isoformat(), "by": visit.account.id}
            work.record({**entry, "first": start, "last": stop - 1})
            tells = room.telling(work, visit)
        name = f"lightship-record-{start}-{stop}.jsonl"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Exported": when(visit.now)}
        return StreamingResponse(
            _lines(ledger, start, stop, tells), headers=headers, media_type="application/x-ndjson"
        )

    return router


def _lines(ledger: ReadableLedger, start: int, stop: int, tells: Telling) -> Iterator[bytes]:
    for number, entry in enumerate(ledger.entries(start, stop), start):
        if tells(entry):
            yield json.dumps({"entry": number, **entry}, ensure_ascii=False).encode() + b"\n"
