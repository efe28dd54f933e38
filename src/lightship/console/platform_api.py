"""What a platform tells and asks: streams, reports, cases and decisions."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Security
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

from lightship.console.foundation import token_with
from lightship.console.problems import Problem, responses
from lightship.console.quota import Quotas
from lightship.console.room import WatchRoom
from lightship.console.tenants import Tenant
from lightship.core.access import Act, Actor, Person, permit
from lightship.core.cases import Case, CaseState, Judgement, Report, ReportKind, Stream, Verdict, Visibility
from lightship.core.errors import InputError
from lightship.core.ports import Work
from lightship.watch.controls import Controls, Feature, Live, now_for
from lightship.watch.words import plain

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._~:-]{0,127}$")]
Text = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,128}$",
        description="The same key is the same request.",
    ),
]
After = Annotated[
    str, Query(max_length=64, pattern=r"^[A-Za-z0-9._~:-]*$", description="The last id of the page before.")
]
Limit = Annotated[int, Query(ge=1, le=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class StreamIn(_Strict):
    """A stream that begins, changes or ends; what is not said of one that is known stays as it was."""

    id: Id
    address: Annotated[str, Field(max_length=2048, pattern=r"^[\x21-\x7e]+$")] | None = None
    host: Id | None = None
    visibility: Visibility | None = None
    basis: Annotated[Line | None, Field(description="The legal basis of looking at it.")] = None
    policy: Id | None = None
    title: Line | None = None
    child_host: Annotated[
        bool | None,
        Field(
            description="Whether anybody who streams in it is a child: its host, or who joined a many-to-many one."
        ),
    ] = None
    host_age: Annotated[
        int | None,
        Field(
            ge=0, le=150, description="Of the youngest who streams in it, where age assurance has told it."
        ),
    ] = None
    viewers: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None
    ended: bool = False


class RuleOut(BaseModel):
    """A rule that applies to a stream now."""

    id: str
    says: str


class ControlsOut(BaseModel):
    """What a stream may do now; the platform keeps to it, whatever a client asks for."""

    live: Annotated[Live, Field(description="off: it may not be live, so do not begin it, or end it.")]
    off: Annotated[list[Feature], Field(description="What nobody may use in it.")]
    rules: list[RuleOut]


class StreamOut(BaseModel):
    """A stream as it is known; never its address."""

    id: str
    host: str
    visibility: Visibility
    basis: str
    policy: str
    began_at: datetime
    ended_at: datetime | None
    viewers: int
    controls: ControlsOut


class ReportIn(_Strict):
    """What a viewer says of a stream."""

    stream_id: Id
    kind: ReportKind
    text: Text = ""


class ReportOut(BaseModel):
    """The acknowledgement of a report."""

    id: str
    received_at: datetime
    acknowledged: Annotated[str, Field(description="In words, for the person who reported.")]


class CaseOut(BaseModel):
    """A case, without who works on it."""

    id: str
    stream_id: str
    state: CaseState
    opened_by: Literal["machine", "report"]
    opened_at: datetime
    aware_at: datetime
    stopped_at: datetime | None
    danger_now: bool


class DecisionOut(BaseModel):
    """A decision, without who made it."""

    id: str
    case_id: str
    at: datetime
    verdict: Verdict
    clause: str


class Cases(BaseModel):
    """A page of cases, newest first."""

    items: list[CaseOut]
    next: Annotated[str | None, Field(description="Give it as `after` for the next page.")]


class Decisions(BaseModel):
    """A page of decisions, newest first."""

    items: list[DecisionOut]
    next: str | None


def _quick(kind: ReportKind) -> str:
    if kind == "child-at-risk-now":
        return "Thank you. A trained person looks at this next. If you know the child, call 999 as well."
    return "Thank you. A trained person looks at this, usually within a day."


def routes(room: WatchRoom) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1", tags=["platform"])
    quotas = Quotas(room.settings.clock)
    tenants = room.settings.tenants
    registrar, reporter, case_reader, decision_reader = (
        Security(token_with(scope, tenants, quotas.take))
        for scope in ("streams", "reports", "cases", "decisions")
    )

    def must(tenant: Tenant, act: Act) -> None:
        actor: Actor = "reporter" if tenant.scopes == ("reports",) else "platform"
        answer = permit(Person(tenant.name, actor), act, purpose="platform", now=room.settings.clock())
        if not answer:
            raise Problem("forbidden", answer.why)

    known = ("no-token", "wrong-scope", "forbidden", "rate", "not-ready", "invalid")

    @router.post(
        "/streams",
        response_model=StreamOut,
        responses={**responses(*known, "conflict"), 201: {"model": StreamOut, "description": "Registered."}},
        summary="Register, change or end a live stream",
    )
    def streams(body: StreamIn, tenant: Tenant = registrar) -> JSONResponse:
        must(tenant, "register-streams")
        stream, status = _kept_stream(room, body, tenant)
        room.bus.publish("streams", {"topic": "streams", "id": stream.id})
        return JSONResponse(_told(room, stream).model_dump(mode="json"), status)

    @router.get(
        "/streams/{stream_id}",
        responses=responses(*known, "not-found"),
        summary="A stream, and what it may do now: who is on shift and crisis mode change it",
    )
    def one_stream(stream_id: Id, tenant: Tenant = registrar) -> StreamOut:
        must(tenant, "register-streams")
        with room.store.look() as work:
            stream = _registered(work, stream_id)
        return _told(room, stream)

    @router.post(
        "/reports",
        response_model=ReportOut,
        status_code=201,
        responses=responses(*known, "conflict", "not-found"),
        summary="Report a stream for a viewer",
    )
    def reports(body: ReportIn, key: Key = None, tenant: Tenant = reporter) -> ReportOut:
        must(tenant, "report")
        name = f"{tenant.name}\n{key}" if key else uuid4().hex
        report_id = hashlib.sha256(name.encode()).hexdigest()[:32]
        now = room.settings.clock()
        with room.store.begin() as work:
            _registered(work, body.stream_id)
            before = work.get(Report, report_id)
        if before is not None and (before.stream_id, before.kind, before.text) != (
            body.stream_id,
            body.kind,
            plain(body.text),
        ):
            raise Problem("conflict", "Another request had this Idempotency-Key.")
        kept = before or room.desk.report(report_id, body.stream_id, now, kind=body.kind, words=body.text)
        room.bus.publish("cases", {"topic": "cases", "id": kept.case_id})
        return ReportOut(id=kept.id, received_at=kept.received_at, acknowledged=_quick(kept.kind))

    @router.get("/cases", responses=responses(*known), summary="Cases, newest first")
    def cases(
        limit: Limit = 50, after: After = "", state: CaseState | None = None, tenant: Tenant = case_reader
    ) -> Cases:
        must(tenant, "list-cases")
        where: dict[str, object] = {"state": state} if state else {}
        with room.store.begin() as work:
            _check_after(work, Case, after)
            found = work.find(Case, where, order=("-opened_at",), limit=limit + 1, after=after)
            work.record(_look(room, tenant, "cases"))
        items = [CaseOut.model_validate(_fields(one, CaseOut)) for one in found[:limit]]
        return Cases(items=items, next=items[-1].id if len(found) > limit else None)

    @router.get("/decisions", responses=responses(*known), summary="Decisions, newest first")
    def decisions(limit: Limit = 50, after: After = "", tenant: Tenant = decision_reader) -> Decisions:
        must(tenant, "list-decisions")
        with room.store.begin() as work:
            _check_after(work, Judgement, after)
            found = work.find(Judgement, {}, order=("-at",), limit=limit + 1, after=after)
            work.record(_look(room, tenant, "decisions"))
        items = [DecisionOut.model_validate(_fields(one, DecisionOut)) for one in found[:limit]]
        return Decisions(items=items, next=items[-1].id if len(found) > limit else None)

    return router


def _registered(work: Work, stream_id: str) -> Stream:
    stream = work.get(Stream, stream_id)
    if stream is None:
        raise Problem("not-found", "No such stream is registered.")
    return stream


def _told(room: WatchRoom, stream: Stream) -> StreamOut:
    found = Controls("on", frozenset(), ())
    if room.settings.controls is not None:
        with room.store.look() as work:
            found = now_for(work, stream, room.settings.controls, room.settings.clock())
    controls = {
        "live": found.live,
        "off": sorted(found.off),
        "rules": [{"id": id_, "says": says} for id_, says in found.reasons],
    }
    return StreamOut.model_validate({**_fields(stream, StreamOut), "controls": controls})


def _check_after(work: Work, kind: type[Case | Judgement], after: str) -> None:
    """Refuse a page after something that is not there."""
    if after and (not after.isprintable() or work.get(kind, after) is None):
        raise Problem("invalid", "There is nothing of the id in `after`. Begin with the first page.")


def _kept_stream(room: WatchRoom, body: StreamIn, tenant: Tenant) -> tuple[Stream, int]:
    """Keep a stream as it was told; returns it, and 201 for a new one."""
    now = room.settings.clock()
    if body.address is not None:
        try:
            room.settings.check_address(body.address)
        except InputError as error:
            raise Problem(
                "invalid", error.what, errors=({"where": "body.address", "what": "refused"},)
            ) from None
    said = {
        key: value for key, value in body.model_dump(exclude={"id", "ended"}).items() if value is not None
    }
    with room.store.begin() as work:
        before = work.get(Stream, body.id)
        if before is None:
            stream = _new_stream(body, said, now)
            work.save(stream)
            what = "stream-registered"
        else:
            if before.ended_at is not None and not body.ended:
                raise Problem("conflict", "The stream has ended. Register a new one under another id.")
            if body.ended and before.ended_at is None:
                said["ended_at"] = now
            stream = work.change(Stream, body.id, {"ended_at": before.ended_at}, **said) if said else before  # type: ignore[assignment]
            if stream is None:
                raise Problem(
                    "busy", "The stream was changed at the same moment. Try again.", retry_after_s=1.0
                )
            _check_basis(stream)
            what = "stream-ended" if body.ended else "stream-updated"
        work.record(
            {
                "kind": what,
                "at": now.isoformat(),
                "by": tenant.name,
                "stream": stream.id,
                "visibility": stream.visibility,
                "basis": stream.basis,
            }
        )
    return stream, 201 if before is None else 200


def _new_stream(body: StreamIn, said: dict[str, Any], now: datetime) -> Stream:
    missing = [one for one in ("address", "host", "visibility", "policy") if one not in said]
    if missing:
        errors = tuple({"where": f"body.{one}", "what": "missing"} for one in missing)
        raise Problem("invalid", "A new stream is told whole.", errors=errors)
    stream = Stream(id=body.id, began_at=now, ended_at=now if body.ended else None, **{"basis": "", **said})
    _check_basis(stream)
    return stream


def _check_basis(stream: Stream) -> None:
    if stream.visibility == "private" and not stream.basis.strip():
        raise Problem("invalid", "A private stream is not looked at without a recorded legal basis.")


def _fields(value: Any, model: type[BaseModel]) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in fields(value) if one.name in model.model_fields}


def _look(room: WatchRoom, tenant: Tenant, what: str) -> dict[str, str]:
    entry = {"kind": "look", "at": room.settings.clock().isoformat(), "by": tenant.name, "role": "platform"}
    return {**entry, "what": what, "shown": "words", "purpose": "platform"}
