"""The undercover register: every authority with its clock and its law, records of sources, and what two people decide.

What somebody may do is the register's to say (:mod:`lightship.casework.undercover`); who applies is who is signed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, get_args

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework.authorisation import TEXTS
from lightship.casework.authorisation_clocks import standing
from lightship.casework.compartment import OVERRIDES, ROLES, new_key
from lightship.casework.undercover import Register
from lightship.console.door import ROOT
from lightship.console.problems import Problem
from lightship.console.room import go
from lightship.console.unit import Unit, UnitVisit
from lightship.console.visits import Sent
from lightship.core.undercover import Application, SourceKind, SourceRecord

LONGEST = 4_000
_ABOUT = ("source", "investigation", "operation_id", "handler", "cover", "controller", "record_keeper")
_RECORD = ("id", "identity", "identity_used", "security_and_welfare", "risks_explained", "recruited")
_LISTS = ("other_authorities", "referred_to_as")


def routes(unit: Unit) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix=ROOT)
    _looks(router, unit)
    _acts(router, unit)
    _two_people(router, unit)
    return router


def _looks(router: APIRouter, unit: Unit) -> None:
    visiting = unit.visitor()

    @router.get("")
    def register(request: Request, visit: UnitVisit = visiting) -> Response:
        with unit.inside(visit) as inside:
            one = Register(inside, unit.rules)
            inside.note("consulted", "register")
            found = sorted(
                one.authorisations(), key=lambda each: (each.ends_at or visit.now, each.id), reverse=True
            )
            return unit.page(
                request,
                "register.html",
                "Undercover register",
                due=one.due(),
                authorisations=[(each, standing(each, visit.now)) for each in found],
                sources=one.sources(),
                operations=one.operations(),
                errors=one.errors(),
                today=visit.now.astimezone(unit.rules.zone).date(),
            )

    @router.get("/apply")
    def new(request: Request, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            return unit.page(
                request,
                "register_apply.html",
                "Apply",
                operations=[each for each in one.operations() if each.closed_at is None],
                sources=one.sources(),
                grounds=unit.rules.on(visit.now.date(), "grounds").names("allowed"),
                kinds=get_args(SourceKind),
                texts=TEXTS,
            )

    @router.get("/sources/{source_id}")
    def source(request: Request, source_id: str, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            return _source_page(unit, request, one, one.source(source_id))

    @router.get("/authorisations/{id_}")
    def authorisation(request: Request, id_: str, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            found = one.authorisation(id_)
            about = {id_, f"authorisation/{id_}"}
            return unit.page(
                request,
                "register_one.html",
                f"Authorisation {id_}",
                one=found,
                standing=standing(found, visit.now),
                due=[each for each in one.due() if each.about in about],
                contacts=[
                    each for each in one.contacts(found.application.source) if each.authorisation_id == id_
                ],
                errors=[each for each in one.errors() if each.about in about],
                law={name: unit.rules.on(visit.now.date(), name) for name in ("judicial-approval", "ranks")},
                texts=TEXTS,
            )


def _acts(router: APIRouter, unit: Unit) -> None:
    visiting = unit.visitor()

    @router.post("/operations")
    def operation(visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            one.open_operation(_id(visit), visit.field("name"), visit.field("investigation"))
        return go(ROOT)

    @router.post("/operations/{id_}/close")
    def close(id_: str, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            one.close_operation(id_)
        return go(ROOT)

    @router.post("/sources")
    def source(visit: UnitVisit = visiting) -> Response:
        words = {name: visit.field(name, longest=LONGEST) for name in _RECORD}
        lists = {name: tuple(visit.field(name, longest=LONGEST).splitlines()) for name in _LISTS}
        record = SourceRecord(**{**words, **lists, "id": _id(visit)})  # type: ignore[arg-type]
        with unit.register(visit) as one:
            if any(each.id == record.id for each in one.sources()):
                raise Problem("conflict", "There is a record of this source. Choose another name.")
            one.keep_source(record)
        return go(f"{ROOT}/sources/{record.id}")

    @router.post("/authorisations")
    def apply(visit: UnitVisit = visiting) -> Response:
        oral = visit.field("oral", needed=False) == "yes"
        with unit.register(visit) as one:
            made = one.apply(_id(visit), _application(visit, visit.one.person, oral=oral), oral=oral)
        return go(f"{ROOT}/authorisations/{made.id}")

    @router.post("/authorisations/{id_}/{act}")
    def step(id_: str, act: str, visit: UnitVisit = visiting) -> Response:
        if act not in _STEPS:
            raise Problem("not-found", "There is no such act.")
        with unit.register(visit) as one:
            _STEPS[act](one, id_, visit)
        return go(f"{ROOT}/authorisations/{id_}")


def _two_people(router: APIRouter, unit: Unit) -> None:
    visiting = unit.visitor()

    @router.get("/two")
    def two(request: Request, visit: UnitVisit = visiting) -> Response:
        with unit.inside(visit) as inside:
            return unit.page(
                request,
                "register_two.html",
                "What two people agree to",
                pending=inside.pending(),
                acts=OVERRIDES,
                roles=ROLES,
            )

    @router.post("/two")
    def agree(request: Request, visit: UnitVisit = visiting) -> Response:
        act = visit.choice("act", OVERRIDES)
        about, why = visit.field("about"), visit.field("why", longest=LONGEST)
        role = visit.choice("role", ROLES) if act == "admit" else None
        made: dict[str, Any] = {}
        with unit.inside(visit) as inside:
            people = inside.approve(act, about, why, role)  # type: ignore[arg-type]
            if act == "admit" and people >= 2:
                inside.admit(about, role)  # type: ignore[arg-type]
                key, passphrase = new_key(about)
                inside.put("key", key, "key-made")
                made = {"passphrase": passphrase, "secret": key.code_secret}
            return unit.page(
                request,
                "register_two.html",
                "What two people agree to",
                pending=inside.pending(),
                acts=OVERRIDES,
                roles=ROLES,
                agreed=(act, about, people, role),
                made=made,
            )

    @router.post("/sources/{source_id}/identity")
    def identity(request: Request, source_id: str, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            return _source_page(unit, request, one, one.identity(source_id))

    @router.post("/errors/{error_id}/decide")
    def decide(error_id: str, visit: UnitVisit = visiting) -> Response:
        with unit.register(visit) as one:
            one.decide_error(error_id, visit.field("decision", longest=LONGEST))
        return go(ROOT)


def _source_page(unit: Unit, request: Request, one: Register, record: SourceRecord) -> Response:
    return unit.page(
        request,
        "register_source.html",
        f"Source {record.id}",
        record=record,
        contacts=one.contacts(record.id),
        authorisations=[each for each in one.authorisations() if each.application.source == record.id],
    )


# The steps of an authorisation ---------------------------------------------------------------------


def _grant(one: Register, id_: str, sent: Sent) -> None:
    one.grant(id_, sent.field("rank"), _day(sent), oral=_oral(sent), urgent=_maybe(sent, "urgent"))


def _refuse(one: Register, id_: str, sent: Sent) -> None:
    one.refuse(id_, sent.field("why", longest=LONGEST))


def _write_down(one: Register, id_: str, sent: Sent) -> None:
    asked = one.authorisation(id_).application
    texts = {name: sent.field(name, longest=LONGEST) for name in TEXTS}
    one.write_down(id_, Application(**{**{name: getattr(asked, name) for name in _FIELDS}, **texts}))


def _approve_jc(one: Register, id_: str, sent: Sent) -> None:
    notice = tuple(
        name.removeprefix("notice-") for name in sent.form if name.startswith("notice-") and sent.form[name]
    )
    one.approve_jc(id_, sent.field("reference"), notice)


def _refuse_jc(one: Register, id_: str, sent: Sent) -> None:
    one.refuse_jc(id_, sent.field("reference"), sent.field("why", longest=LONGEST))


def _review(one: Register, id_: str, sent: Sent) -> None:
    use, tasks, information = (sent.field(name, longest=LONGEST) for name in ("use", "tasks", "information"))
    one.review(id_, use, tasks, information, _day(sent))


def _renew(one: Register, id_: str, sent: Sent) -> None:
    one.renew(id_, sent.field("rank"), _day(sent), oral=_oral(sent), urgent=_maybe(sent, "urgent"))


def _cancel(one: Register, id_: str, sent: Sent) -> None:
    one.cancel(id_, sent.field("why", longest=LONGEST))


def _contact(one: Register, id_: str, sent: Sent) -> None:
    more = {name: _maybe(sent, name) for name in ("tasks", "information", "dissemination", "payment")}
    use = sent.field("use", needed=False) == "yes"
    words = sent.field("words", longest=LONGEST)
    one.contact(id_, _moment(sent.field("at")), sent.field("means"), words, use=use, **more)


_STEPS: Mapping[str, Callable[[Register, str, Sent], None]] = {
    "grant": _grant,
    "refuse": _refuse,
    "write-down": _write_down,
    "approve-jc": _approve_jc,
    "refuse-jc": _refuse_jc,
    "review": _review,
    "renew": _renew,
    "cancel": _cancel,
    "contact": _contact,
}
_FIELDS = tuple(Application.__dataclass_fields__)


def _application(sent: Sent, applicant: str, *, oral: bool) -> Application:
    kind = sent.choice("source_kind", get_args(SourceKind))
    about = {name: sent.field(name) for name in _ABOUT}
    texts = {name: sent.field(name, longest=LONGEST, needed=not oral) for name in TEXTS}
    return Application(
        source_kind=kind,  # type: ignore[arg-type]
        applicant=applicant,
        ground=sent.field("ground"),
        **about,
        **texts,
    )


def _id(sent: Sent) -> str:
    """Return a name that can stand in an address."""
    value = sent.field("id", longest=64)
    if not all(one.isalnum() or one in "-_." for one in value) or value.startswith("."):
        raise Problem("invalid", "A name has letters, digits, dots and dashes.")
    return value


def _maybe(sent: Sent, name: str) -> str:
    return sent.field(name, longest=LONGEST, needed=False)


def _oral(sent: Sent) -> bool:
    return sent.field("oral", needed=False) == "yes"


def _day(sent: Sent) -> date:
    try:
        return date.fromisoformat(sent.field("review_due"))
    except ValueError:
        raise Problem("invalid", "The next review’s day is not a day. Write it like 2027-03-31.") from None


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Problem("invalid", "The time is none. Write it like 2026-11-30T10:00+00:00.") from None
    if at.tzinfo is None:
        raise Problem("invalid", "The time has no offset. Write it like 2026-11-30T10:00+00:00.")
    return at
