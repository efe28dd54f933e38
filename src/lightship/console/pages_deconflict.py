"""The front office of deconfliction: whether another body has an interest in these identifiers.

Whoever asks learns of overt interests whom to call. Of covert ones there is nothing here to learn: what answers a
question holds none (:mod:`lightship.casework.deconflict`), so a covert hit and a miss are one page.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework.clearance import may_read
from lightship.casework.deconflict import Answer, OvertList, Question, Round
from lightship.casework.deconflict_limits import Agreement
from lightship.casework.deconflict_rows import IDENTIFIER, INTEREST, identifiers, interests
from lightship.casework.desk import log_use
from lightship.console.body import Body
from lightship.console.deconflict_port import Bureau
from lightship.console.problems import Problem
from lightship.console.room import Room, attached
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.casework import Identifier, Inquiry, Referral
from lightship.core.entry_time import at_of
from lightship.core.errors import InputError
from lightship.core.ports import Work

_LONGEST = 100_000
_URGENCIES = ("1", "2", "3", "4", "5")
_LATEST = 50


@dataclass(frozen=True, slots=True)
class _Front:
    """The front office as its pages see it."""

    room: Room
    bureau: Bureau
    house: Body

    def agreed(self, partner: str) -> Agreement:
        """Return what was agreed with a partner."""
        if partner not in self.bureau.partners:
            raise Problem("not-found", "There is no agreement with such a partner.")
        return self.bureau.agreement(partner)

    def noted(self, visit: Visit, entry: dict[str, object]) -> None:
        """Put an act on the record."""
        with self.room.store.begin() as work:
            work.record({"at": visit.now.isoformat(), "by": visit.account.id, **entry})

    def page(self, request: Request, partner: str, visit: Visit, **values: Any) -> Response:
        """Return a partner's page."""
        return self.room.page(
            request,
            "deconfliction_partner.html",
            f"Deconfliction with {partner}",
            partner=partner,
            agreed=self.agreed(partner),
            columns=(",".join(IDENTIFIER), ",".join(INTEREST)),
            until=visit.now.date() + timedelta(days=90),
            **values,
        )

    def opened(self, request: Request, partner: str, visit: Visit) -> Response:
        """Open a partner's file: keep a list, tell an answer, answer a question or a round with a file."""
        agreed, bureau = self.agreed(partner), self.bureau
        message = bureau.message(partner, visit.file, "the file")
        with bureau.office(visit.now) as office:
            match message:
                case OvertList():
                    office.take_list(message, agreed)
                    self.noted(visit, {"kind": "interests-opened", "to": partner, "what": "list"})
                    return self.page(request, partner, visit, taken=message.made_on)
                case Answer():
                    found = sorted(office.open(message, agreed).items())
                    self.noted(visit, {"kind": "interests-opened", "to": partner, "what": "answer"})
                    return self.page(request, partner, visit, found=found, told=True)
                case Question():
                    reply = office.answer(message, agreed, lambda: bureau.kept(partner))
                    if not reply.refused:
                        bureau.keep(partner, message, visit.file)
                    self.noted(visit, {"kind": "interests-answered", "to": partner, "what": "question"})
                    return attached(bureau.signed(reply), f"answer-{partner}-{message.id[:8]}")
                case Round():
                    back = office.answer_round(message, agreed)
                    self.noted(visit, {"kind": "interests-answered", "to": partner, "what": "round"})
                    return attached(bureau.signed(back), f"round-back-{partner}-{message.id[:8]}")


def routes(room: Room, bureau: Bureau, house: Body) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/deconfliction", include_in_schema=False)
    front = _Front(room, bureau, house)
    _looks(router, front)
    _files(router, front)
    return router


def _looks(router: APIRouter, front: _Front) -> None:
    room, bureau = front.room, front.bureau
    seeing = room.visitor("see-interests", "casework", "audit")
    asking = room.visitor("ask-interests", "casework")

    @router.get("")
    def partners(request: Request, visit: Visit = seeing, case: str = "") -> Response:
        known = {one: bureau.agreement(one) for one in bureau.partners}
        entries: list[dict[str, Any]] = []
        if known:
            with bureau.office(visit.now) as office:
                entries = list(office.entries())
        with room.store.begin() as work:
            room.looked(work, visit, "log of deconfliction")
        return room.page(
            request,
            "deconfliction.html",
            "Deconfliction",
            partners=[
                (name, one, _asked_today(entries, one.partner, visit.now)) for name, one in known.items()
            ],
            entries=[{**one, "at": at_of(one)} for one in entries[: -_LATEST - 1 : -1]],
            may_ask=bool(allowed_purposes(visit.account.role, "ask-interests")),
            case=case[:64],
        )

    @router.get("/{partner}")
    def partner_page(request: Request, partner: str, visit: Visit = asking, case: str = "") -> Response:
        rows = ""
        if case:
            with room.store.begin() as work:
                rows = _of_case(work, case, front.house, visit.account.id)
                room.looked(work, visit, f"identifiers of inquiry {case}")
                log_use(work, "consultation", case, visit.account.id, visit.now)
        return front.page(request, partner, visit, rows=rows, case=case)


def _files(router: APIRouter, front: _Front) -> None:
    bureau = front.bureau
    asking = front.room.visitor("ask-interests", "casework")
    bringing = front.room.visitor("ask-interests", "casework", files=True)

    @router.post("/{partner}/ask")
    def ask(partner: str, visit: Visit = asking) -> Response:
        agreed = front.agreed(partner)
        said: dict[str, Any] = {name: visit.field(name) for name in ("reference", "contact")}
        said["basis"] = visit.choice("basis", agreed.bases)
        said["urgency"] = int(visit.choice("urgency", _URGENCIES))
        said["until"] = _day(visit.field("until"))
        with line_told():
            keys = identifiers(*_rows(visit, "identifiers"), calling_code=_code(visit))
        with bureau.office(visit.now) as office:
            if _asked_today(office.entries(), agreed.partner, visit.now) >= agreed.questions_a_day:
                raise Problem("rate", f"{agreed.questions_a_day} questions a day are agreed. Ask tomorrow.")
            question = office.ask(keys, agreed, **said)
        with front.room.store.begin() as work:
            about = f"question {question.id}"
            log_use(work, "consultation", about, visit.account.id, visit.now, reason=said["basis"])
        entry = {"kind": "interests-asked", "to": partner, "identifiers": len(set(keys))}
        front.noted(visit, {**entry, "basis": said["basis"], "reference": said["reference"]})
        return attached(bureau.signed(question), f"question-{partner}-{question.id[:8]}")

    @router.post("/{partner}/list")
    def listed(partner: str, visit: Visit = asking) -> Response:
        agreed = front.agreed(partner)
        text, where = _rows(visit, "entries", needed=False)
        with line_told():
            found = interests(text, where, covert=False, calling_code=_code(visit)) if text else ()
        with bureau.office(visit.now) as office:
            office.keep(found)
            made = office.list_for(agreed)
        front.noted(visit, {"kind": "interests-listed", "to": partner})
        return attached(bureau.signed(made), f"list-{partner}-{made.id[:8]}")

    @router.post("/{partner}/open")
    def open_file(request: Request, partner: str, visit: Visit = bringing) -> Response:
        if not visit.file:
            raise Problem("invalid", "Something is missing: the file.")
        return front.opened(request, partner, visit)


@contextmanager
def line_told() -> Iterator[None]:
    """Say which line of what was typed in cannot be read.

    Raises
    ------
    Problem
        For each :class:`InputError`.
    """
    try:
        yield
    except InputError as error:
        raise Problem("invalid", f"{error.where}: {error.what} {error.todo}".strip()) from None


def _asked_today(entries: Iterable[Mapping[str, Any]], partner: str, now: datetime) -> int:
    since = now - timedelta(days=1)
    own = (one for one in entries if one["kind"] == "question-asked" and one["partner"] == partner)
    return sum(at_of(one) > since for one in own)


def _of_case(work: Work, inquiry_id: str, house: Body, name: str) -> str:
    """Return the identifiers of a case that somebody may see, as rows."""
    known = len(inquiry_id) <= 64 and inquiry_id.isprintable() and work.get(Inquiry, inquiry_id) is not None
    if not known:
        raise Problem("not-found", "There is no such case.")
    reader = house.reader(name)
    each = [
        one
        for came in work.find(Referral, {"inquiry_id": inquiry_id})
        for one in work.find(Identifier, {"referral_id": came.id})
        if may_read(filter(None, (one.marking, came.marking)), reader, house.own)
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        dict.fromkeys((one.kind, one.value, one.platform) for one in each)
    )
    return out.getvalue()


def _rows(visit: Visit, name: str, *, needed: bool = True) -> tuple[str, str]:
    """Return what was written into a field of rows, and what to call it."""
    return visit.field(name, longest=_LONGEST, needed=needed), name


def _code(visit: Visit) -> str:
    return visit.field("calling_code", longest=4, needed=False)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Problem("invalid", "That is no day. Write it like 2027-03-31.") from None
