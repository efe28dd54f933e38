"""The front office of deconfliction: does another body have an interest in these identifiers?

Whoever asks learns of overt interests whom to call. Of covert ones there is nothing here to learn: what answers a
question holds none (:mod:`lightship.casework.deconflict`), so a covert hit and a miss are one page.
"""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework.deconflict import Answer, OvertList, Question, Round
from lightship.casework.deconflict_limits import Agreement
from lightship.casework.deconflict_office import Office
from lightship.casework.deconflict_rows import IDENTIFIER, INTEREST, identifiers, interests
from lightship.casework.desk import log_use
from lightship.console.deconflict_port import Bureau
from lightship.console.problems import Problem
from lightship.console.room import Room, attached, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.casework import Identifier, Inquiry, Referral
from lightship.core.errors import InputError
from lightship.core.ports import Work

_ROWS = 100_000
_LATEST = 50


def routes(room: Room, bureau: Bureau) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/deconfliction", include_in_schema=False)
    seeing = room.visitor("see-interests", "casework", "audit")
    asking = room.visitor("ask-interests", "casework")
    bringing = room.visitor("ask-interests", "casework", files=True)

    def agreed_with(partner: str) -> Agreement:
        if partner not in bureau.partners:
            raise Problem("not-found", "There is no agreement with such a partner.")
        return bureau.agreement(partner)

    def noted(visit: Visit, kind: str, partner: str, **facts: object) -> None:
        entry = {"at": visit.now.isoformat(), "by": visit.account.id, "to": partner}
        with room.store.begin() as work:
            work.record({"kind": kind, **entry, **facts})

    @router.get("")
    def partners(request: Request, visit: Visit = seeing) -> Response:
        known = [bureau.agreement(one) for one in bureau.partners]
        entries: list[dict[str, Any]] = []
        asked: dict[str, int] = {}
        if known:
            with bureau.office(visit.now) as office:
                entries = list(office.entries())
                asked = {one.partner: _asked_today(office, one.partner, visit.now) for one in known}
        with room.store.begin() as work:
            room.looked(work, visit, "log of deconfliction")
        return room.page(
            request,
            "deconfliction.html",
            "Deconfliction",
            partners=list(zip(bureau.partners, known, strict=True)),
            asked=asked,
            entries=[
                {**one, "at": datetime.fromisoformat(one["at"])} for one in entries[: -_LATEST - 1 : -1]
            ],
            may_ask=bool(allowed_purposes(visit.account.role, "ask-interests")),
        )

    def partner_page(request: Request, partner: str, visit: Visit, **values: Any) -> Response:
        agreed = agreed_with(partner)
        rows = values.pop("rows", "")
        return room.page(
            request,
            "deconfliction_partner.html",
            f"Deconfliction with {partner}",
            partner=partner,
            agreed=agreed,
            rows=",".join(IDENTIFIER) + "\n" + rows,
            columns=",".join(INTEREST),
            until=visit.now.date() + timedelta(days=90),
            **values,
        )

    @router.get("/{partner}")
    def ask_page(request: Request, partner: str, visit: Visit = asking, case: str = "") -> Response:
        rows = ""
        if case:
            with room.store.begin() as work:
                rows = _of_case(work, case)
                room.looked(work, visit, f"identifiers of inquiry {case}")
                log_use(work, "consultation", case, visit.account.id, visit.now)
        return partner_page(request, partner, visit, rows=rows, case=case)

    @router.post("/{partner}/ask")
    def ask(partner: str, visit: Visit = asking) -> Response:
        agreed = agreed_with(partner)
        said: dict[str, Any] = {name: visit.field(name) for name in ("reference", "contact")}
        said["basis"] = visit.choice("basis", agreed.bases)
        said["urgency"] = int(visit.choice("urgency", ("1", "2", "3", "4", "5")))
        said["until"] = _day(visit.field("until"))
        keys = _read(visit, "identifiers")
        with bureau.office(visit.now) as office:
            if _asked_today(office, agreed.partner, visit.now) >= agreed.questions_a_day:
                raise Problem("rate", f"{agreed.questions_a_day} questions a day are agreed. Ask tomorrow.")
            question = office.ask(keys, agreed, **said)
        facts = {name: said[name] for name in ("basis", "reference")}
        noted(visit, "interests-asked", partner, identifiers=len(set(keys)), question=question.id, **facts)
        with room.store.begin() as work:
            log_use(
                work,
                "consultation",
                f"question {question.id}",
                visit.account.id,
                visit.now,
                reason=said["basis"],
                recipient=partner,
            )
        return attached(bureau.signed(question), f"question-{partner}-{question.id[:8]}")

    @router.post("/{partner}/list")
    def listed(partner: str, visit: Visit = asking) -> Response:
        agreed = agreed_with(partner)
        text = visit.field("entries", longest=_ROWS, needed=False)
        code = visit.field("calling_code", needed=False)
        found = (
            _told_where(lambda: interests(text, "entries", covert=False, calling_code=code)) if text else ()
        )
        with bureau.office(visit.now) as office:
            office.keep(found)
            made = office.list_for(agreed)
        noted(visit, "interests-listed", partner, entries=len(found))
        return attached(bureau.signed(made), f"list-{partner}-{made.id[:8]}")

    @router.post("/{partner}/open")
    def open_file(request: Request, partner: str, visit: Visit = bringing) -> Response:
        agreed = agreed_with(partner)
        if not visit.file:
            raise Problem("invalid", "Something is missing: the file.")
        message = bureau.message(partner, visit.file, "the file")
        with bureau.office(visit.now) as office:
            match message:
                case OvertList():
                    office.take_list(message, agreed)
                    noted(visit, "interests-opened", partner, what="list")
                    return partner_page(request, partner, visit, taken=message.made_on)
                case Answer():
                    found = office.open(message, agreed)
                    noted(visit, "interests-opened", partner, what="answer")
                    return partner_page(request, partner, visit, found=sorted(found.items()), told=True)
                case Question():
                    reply = office.answer(message, agreed, lambda: bureau.kept(partner))
                    if not reply.refused:
                        bureau.keep(partner, message, visit.file)
                    noted(visit, "interests-answered", partner, what="question")
                    return attached(bureau.signed(reply), f"answer-{partner}-{message.id[:8]}")
                case Round():
                    if message.answered:
                        raise Problem("invalid", "This file is not for the front office.")
                    back = office.answer_round(message, agreed)
                    noted(visit, "interests-answered", partner, what="round")
                    return attached(bureau.signed(back), f"round-back-{partner}-{message.id[:8]}")

    return router


def _asked_today(office: Office, partner: str, now: datetime) -> int:
    return sum(
        one["kind"] == "question-asked"
        and one["partner"] == partner
        and datetime.fromisoformat(one["at"]) > now - timedelta(days=1)
        for one in office.entries()
    )


def _of_case(work: Work, inquiry_id: str) -> str:
    """Return the identifiers of a case as rows."""
    known = len(inquiry_id) <= 64 and inquiry_id.isprintable() and work.get(Inquiry, inquiry_id) is not None
    if not known:
        raise Problem("not-found", "There is no such case.")
    referrals = [one.id for one in work.find(Referral, {"inquiry_id": inquiry_id})]
    each = [one for id_ in referrals for one in work.find(Identifier, {"referral_id": id_})]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        dict.fromkeys((one.kind, one.value, one.platform) for one in each)
    )
    return out.getvalue()


def _read(visit: Visit, name: str) -> tuple[str, ...]:
    text, code = visit.field(name, longest=_ROWS), visit.field("calling_code", needed=False)
    return _told_where(lambda: identifiers(text, name, calling_code=code))


def _told_where(read: Any) -> Any:
    """Return what reads rows; of what cannot be read, say which line."""
    try:
        return read()
    except InputError as error:
        raise Problem("invalid", f"{error.where}: {error.what} {error.todo}".strip()) from None


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("invalid", "That is no day. Write it like 2027-03-31.") from None
