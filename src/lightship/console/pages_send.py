"""Sending a case to a partner: a person sees exactly what goes, says why, and confirms; then what became of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from lightship.casework import disseminate
from lightship.casework.clearance import readable
from lightship.casework.desk import log_use
from lightship.casework.disseminate import Made, Way
from lightship.casework.release import release
from lightship.console.body import Body
from lightship.console.problems import Problem
from lightship.console.room import Room, attached, go
from lightship.console.visits import Visit
from lightship.core.access import allowed_purposes
from lightship.core.canonical import canonical
from lightship.core.casework import Dissemination, Inquiry, Marking, Use
from lightship.core.ports import Work
from lightship.core.release import Partner, Released, Withheld

LONGEST = 2_000
WAYS: Mapping[Way, tuple[str, str, str]] = {
    "pack": ("an offline pack", "A signed file that only they can open, with a page to read.", ".pack"),
    "taxii": ("the TAXII server", "They fetch it from their own collection.", ""),
    "misp": ("a MISP event", "A file for their MISP.", ".misp.json"),
    "case": ("a CASE/UCO file", "A file of evidence in JSON-LD.", ".case.jsonld"),
}
"""How something is sent: its name, what it is, and how a file of it ends."""


Make = Callable[[Way, Released, datetime], Made]
"""Puts what was released into a format."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """Whom something may be sent to, and how.

    Parameters
    ----------
    partners, own
        By name; and the house's marking of its own words.
    """

    partners: Mapping[str, Partner]
    own: Marking
    make: Make


def routes(room: Room, house: Body, make: Make) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/cases/{inquiry_id}", include_in_schema=False)
    _send(router, room, house, make)
    _sent_pages(router, room, house)
    return router


def _send(router: APIRouter, room: Room, house: Body, make: Make) -> None:
    sending = room.visitor("disseminate", "casework")

    def partner(name: str) -> Partner:
        if name not in house.partners:
            raise Problem("not-found", "There is no such partner.")
        return house.partners[name]

    @router.get("/send")
    def confirm(request: Request, inquiry_id: str, to: str = "", visit: Visit = sending) -> Response:
        found = partner(to)
        with room.store.begin() as work:
            _there(work, inquiry_id)
            fields = disseminate.gather(work, inquiry_id, house.own)
            room.looked(work, visit, f"preview of inquiry {inquiry_id} for {to}")
            log_use(work, "consultation", inquiry_id, visit.account.id, visit.now)
        mine = readable(fields, house.reader(visit.account.id), house.own)
        released, withheld = release(mine, found)
        return room.page(
            request,
            "send.html",
            f"Send to {found.title}",
            inquiry_id=inquiry_id,
            partner=found,
            things=released.things,
            withheld=_by_reason(withheld),
            count=len(withheld),
            whole=len(mine) == len(fields),
            seen=_digest(released),
            ways=[
                (way, label[:1].upper() + label[1:], hint)
                for way, (label, hint, _) in WAYS.items()
                if way != "pack" or found.age
            ],
        )

    @router.post("/send")
    def send(inquiry_id: str, visit: Visit = sending) -> Response:
        found, way = partner(visit.field("to")), visit.choice("way", tuple(WAYS))
        why = visit.field("why", longest=LONGEST)
        if visit.field("sure", needed=False) != "yes":
            raise Problem("invalid", "Look at what they will see, and say that you did.")
        made = _as_seen(visit.field("seen"), lambda released: make(way, released, visit.now))  # type: ignore[arg-type]
        with room.store.begin() as work:
            _there(work, inquiry_id)
            fields = disseminate.gather(work, inquiry_id, house.own)
            if len(readable(fields, house.reader(visit.account.id), house.own)) != len(fields):
                raise Problem(
                    "forbidden", "Part of this case is above your clearance: somebody else sends it."
                )
            sent = disseminate.disseminate(
                work,
                inquiry_id,
                found,
                way,  # type: ignore[arg-type]
                made,
                own=house.own,
                by=visit.account.id,
                now=visit.now,
                why=why,
            )
        if way == "taxii":
            return go(f"/cases/{inquiry_id}/sent")
        return attached(sent.data, f"{inquiry_id[:8]}-{found.name}{WAYS[way][2]}")  # type: ignore[index]


def _sent_pages(router: APIRouter, room: Room, house: Body) -> None:
    seeing = room.visitor("see-cases", "casework", "audit")
    sending = room.visitor("disseminate", "casework")

    def title(name: str) -> str:
        return house.partners[name].title if name in house.partners else name

    @router.get("/sent")
    def sent(request: Request, inquiry_id: str, visit: Visit = seeing) -> Response:
        with room.store.begin() as work:
            _there(work, inquiry_id)
            found = work.find(Dissemination, {"inquiry_id": inquiry_id}, order=("-made_at", "id"))
            reasons = {
                (one.recipient, one.at): one.reason
                for one in work.find(Use, {"about": inquiry_id, "verb": "disclosure"})
            }
            open_ = house.cleared(work, visit.account.id, inquiry_id)
            room.looked(work, visit, f"what was sent of inquiry {inquiry_id}")
            log_use(work, "consultation", inquiry_id, visit.account.id, visit.now)
        return room.page(
            request,
            "sent.html",
            "What was sent",
            inquiry_id=inquiry_id,
            sent=[
                (one if open_ else replace(one, outcome=""), title(one.recipient), why if open_ else "")
                for one in found
                for why in (reasons.get((one.recipient, one.made_at), ""),)
            ],
            ways=_names(),
            may_send=open_ and bool(allowed_purposes(visit.account.role, "disseminate")),
        )

    @router.get("/sent/{sent_id}")
    def sent_one(request: Request, inquiry_id: str, sent_id: str, visit: Visit = sending) -> Response:
        with room.store.begin() as work:
            one = _sent(work, inquiry_id, sent_id)
            _cleared(work, inquiry_id, visit, house)
            room.looked(work, visit, f"dissemination {sent_id}")
            log_use(work, "consultation", inquiry_id, visit.account.id, visit.now)
        return room.page(
            request, "sent_one.html", "Sent", one=one, to=title(one.recipient), way=_names()[one.way]
        )

    @router.post("/sent/{sent_id}")
    def became(inquiry_id: str, sent_id: str, visit: Visit = sending) -> Response:
        outcome = visit.field("outcome", longest=LONGEST, needed=False)
        acknowledged = visit.field("acknowledged", needed=False) == "yes"
        with room.store.begin() as work:
            _sent(work, inquiry_id, sent_id)
            _cleared(work, inquiry_id, visit, house)
            disseminate.became(
                work, sent_id, acknowledged=acknowledged, outcome=outcome, by=visit.account.id, now=visit.now
            )
        return go(f"/cases/{inquiry_id}/sent")


def _names() -> dict[str, str]:
    return {**{way: label for way, (label, _, _) in WAYS.items()}, "paper": "on paper"}


def _there(work: Work, inquiry_id: str) -> None:
    if len(inquiry_id) > 64 or not inquiry_id.isprintable() or work.get(Inquiry, inquiry_id) is None:
        raise Problem("not-found", "There is no such case.")


def _sent(work: Work, inquiry_id: str, sent_id: str) -> Dissemination:
    known = len(sent_id) <= 64 and sent_id.isprintable()
    one = work.get(Dissemination, sent_id) if known else None
    if one is None or one.inquiry_id != inquiry_id:
        raise Problem("not-found", "Nothing such was sent of this case.")
    return one


def _cleared(work: Work, inquiry_id: str, visit: Visit, house: Body) -> None:
    if not house.cleared(work, visit.account.id, inquiry_id):
        raise Problem("forbidden", "This case is above your clearance.")


def _as_seen(seen: str, make: Callable[[Released], Made]) -> Callable[[Released], Made]:
    """Return what makes nothing of a release other than the one that was seen."""

    def made(released: Released) -> Made:
        if _digest(released) != seen:
            raise Problem("conflict", "What they would see has changed since you looked. Look again.")
        return make(released)

    return made


def _by_reason(withheld: Sequence[Withheld]) -> dict[tuple[str, str], list[str]]:
    """Return the names of fields that stay, by their thing and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in withheld:
        found.setdefault((one.thing, one.why), []).append(one.name)
    return found


def _digest(released: Released) -> str:
    """Return what stands for exactly this release: the form carries it, so that what is sent is what was seen."""
    each = [[one.id, one.kind, dict(one.values), str(one.marking)] for one in released.things]
    return hashlib.sha256(canonical([released.recipient.name, each])).hexdigest()
