"""Sending an inquiry to a partner: what it says, gathered with its markings, through the gate, kept exactly as it went.

A field of the house's own making (a title, the reasons for an urgency) comes under the house's marking and under those
of everything it was made from. A link comes under the markings of all that names its two people.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lightship.casework.desk import identity, log_use, whole_of
from lightship.casework.release import release
from lightship.core.casework import (
    Dissemination,
    Identifier,
    Inquiry,
    IntelligenceReport,
    Link,
    Marking,
    Referral,
)
from lightship.core.errors import AccessDenied, InputError, PolicyError
from lightship.core.lookup import any_of
from lightship.core.markings import lowered, marking_json, read_marking
from lightship.core.ports import Work
from lightship.core.release import Field, Partner, Released, ThingKind, Withheld
from lightship.exchange.loss import Loss

Way = Literal["taxii", "pack", "misp", "case"]


@dataclass(frozen=True, slots=True)
class Made:
    """A release in a format.

    Parameters
    ----------
    data
        The bytes that go.
    content
        What is readable in them, kept with the dissemination.
    lost
        What the format had no place for.
    """

    data: bytes
    content: str
    lost: tuple[Loss, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """What went, and what did not and why: the latter two for the sender alone."""

    dissemination: Dissemination
    data: bytes
    withheld: tuple[Withheld, ...]
    lost: tuple[Loss, ...]


def gather(work: Work, inquiry_id: str, own: Marking) -> tuple[Field, ...]:
    """Return all that an inquiry's dissemination can say, field by field, with the markings of each.

    One that became part of another says what that one does.

    Parameters
    ----------
    own
        The house's marking of what it makes itself.

    Raises
    ------
    InputError
        If there is no such inquiry.
    """
    inquiry_id = whole_of(work, inquiry_id)
    inquiry = work.get(Inquiry, inquiry_id)
    if inquiry is None:
        raise InputError("There is no such inquiry.", f"inquiry {inquiry_id}", "Check its id.")
    referrals = work.find(Referral, {"inquiry_id": inquiry_id}, order=("received_at", "id"))
    by_id = {one.id: one for one in referrals}
    named = sorted(any_of(work, Identifier, "referral_id", by_id), key=lambda one: one.id)
    house = marking_json(own)
    under = {one.id: tuple(filter(None, (one.marking, by_id[one.referral_id].marking))) for one in named}
    people: dict[str, list[str]] = {}
    unmarked = set()
    for one in named:
        people.setdefault(one.person, []).extend(under[one.id])
        if not under[one.id]:
            unmarked.add(one.person)
    sources = [one.marking for one in referrals]
    made = () if not sources or not all(sources) else (house, *sorted(set(sources)))
    fields = _fields(
        "inquiry",
        inquiry.id,
        made,
        {
            "title": inquiry.title,
            "opened_at": inquiry.opened_at,
            "urgency": inquiry.urgency,
            "reasons": inquiry.reasons,
            "child": inquiry.child_first,
        },
        needed="opened_at",
    )
    for referral in referrals:
        fields += _fields(
            "referral",
            referral.id,
            (referral.marking,) if referral.marking else (),
            {
                name: getattr(referral, name)
                for name in ("source", "received_at", "happened_at", "facts", "narrative")
            }
            | {"kind": referral.kind_now},
            needed="source",
        )
    for one in named:
        values = {
            name: getattr(one, name) for name in ("kind", "value", "role", "platform", "first_at", "last_at")
        }
        values |= {"person": one.person, "referral_id": one.referral_id}
        fields += _fields("identifier", one.id, under[one.id], values, needed="value", refers="referral_id")
    for link in _links(work, people):
        telling = {link.one, link.other} & unmarked
        markings = () if telling else (house, *people[link.one], *people[link.other])
        values = {
            name: getattr(link, name)
            for name in ("one", "other", "weight_db", "reasons", "rival", "made_at", "state")
        }
        fields += _fields("link", link.id, tuple(sorted(set(markings))), values, needed="one")
    for report in work.find(IntelligenceReport, {"inquiry_id": inquiry_id}, order=("made_at", "id")):
        names = ("text", "source_grade", "assessment", "source_reference", "made_at")
        values = {name: getattr(report, name) for name in names}
        fields += _fields(
            "report", report.id, (report.marking,) if report.marking else (), values, needed="text"
        )
    return tuple(fields)


def preview(work: Work, inquiry_id: str, to: Partner, own: Marking) -> tuple[Released, tuple[Withheld, ...]]:
    """Return exactly what a partner would see, and what stays; nothing is sent and nothing is kept.

    Raises
    ------
    InputError
        If there is no such inquiry.
    """
    return release(gather(work, inquiry_id, own), to)


def disseminate(
    work: Work,
    inquiry_id: str,
    to: Partner,
    way: Way,
    make: Callable[[Released], Made],
    *,
    own: Marking,
    by: str,
    now: datetime,
    why: str = "",
) -> Sent:
    """Send an inquiry: what the gate lets through, in a format, kept as it went and logged as a disclosure.

    One that became part of another is sent, and kept, as that one.

    Parameters
    ----------
    make
        Puts what was released into the format; it sees nothing else.
    why
        Why the partner needs it, for the log of disclosures.

    Raises
    ------
    InputError
        If there is no such inquiry, or nothing of it may go.
    """
    import hashlib

    inquiry_id = whole_of(work, inquiry_id)
    released, withheld = preview(work, inquiry_id, to, own)
    made = make(released)
    digest = hashlib.sha256(made.data).hexdigest()
    sent = Dissemination(
        identity("dissemination", inquiry_id, to.name, way, now.isoformat()),
        inquiry_id,
        to.name,
        way,
        now,
        by,
        made.content,
        digest,
        tuple(map(str, withheld)),
        sent_at=now,
    )
    work.save(sent)
    log_use(work, "disclosure", inquiry_id, by, now, reason=why, recipient=to.name)
    entry = {"kind": "disseminated", "inquiry": inquiry_id, "by": by, "at": now.isoformat(), "to": to.name}
    work.record({**entry, "way": way, "digest": digest, "withheld": len(withheld), "lost": len(made.lost)})
    return Sent(sent, made.data, withheld, made.lost)


def became(
    work: Work, sent_id: str, *, acknowledged: bool, outcome: str, by: str, now: datetime
) -> Dissemination:
    """Keep what became of something that was sent: that it was acknowledged, or what came of it, or both.

    Raises
    ------
    InputError
        If nothing such was sent, nothing is said, or somebody else said something meanwhile.
    """
    sent = work.get(Dissemination, sent_id)
    where = f"dissemination {sent_id}"
    if sent is None or not (acknowledged or outcome.strip()):
        raise InputError("Nothing such was sent, or nothing is said of it.", where, "Look at what was sent.")
    at = sent.acknowledged_at or (now if acknowledged else None)
    said = outcome.strip() or sent.outcome
    expect = {"acknowledged_at": sent.acknowledged_at, "outcome": sent.outcome}
    changed = work.change(Dissemination, sent_id, expect, acknowledged_at=at, outcome=said)
    if changed is None:
        raise InputError("Somebody else said something of it meanwhile.", where, "Look again.")
    log_use(work, "alteration", sent.inquiry_id, by, now)
    entry = {"kind": "dissemination-became", "inquiry": sent.inquiry_id, "by": by, "at": now.isoformat()}
    work.record(
        {
            **entry,
            "to": sent.recipient,
            "dissemination": sent_id,
            "acknowledged": at is not None,
            "outcome": said,
        }
    )
    return changed


def mark(
    work: Work, referral_id: str, marking: Marking, *, by: str, now: datetime, originators: Iterable[str] = ()
) -> Referral:
    """Mark a referral: anybody marks what has no marking or raises one; its originators together lower it.

    Raises
    ------
    InputError
        If there is no such referral, or somebody else marked it meanwhile.
    AccessDenied
        If it would be lowered without its originators.
    """
    referral = work.get(Referral, referral_id)
    where = f"referral {referral_id}"
    if referral is None:
        raise InputError("There is no such referral.", where, "Check its id.")
    if referral.marking:
        try:
            lowered(read_marking(referral.marking), marking, tuple(originators))
        except AccessDenied as error:
            raise AccessDenied(error.what, f"{where}, {error.where}", error.todo) from None
    changed = work.change(Referral, referral_id, {"marking": referral.marking}, marking=marking_json(marking))
    if changed is None:
        raise InputError("Somebody else marked it meanwhile.", where, "Look again.")
    log_use(work, "alteration", referral_id, by, now)
    entry = {"kind": "referral-marked", "referral": referral_id, "by": by, "at": now.isoformat()}
    work.record({**entry, "before": referral.marking, "after": changed.marking})
    return changed


def read_partners(text: str, where: str, rows: str = "partners") -> dict[str, Partner]:
    """Return the partners of a TOML file by name: ``[[partners]]`` with name, title, grade and what they agreed to.

    Parameters
    ----------
    rows
        ``"readers"`` for ``[[readers]]``: the house's own people by their accounts, where a title is not needed.

    Raises
    ------
    PolicyError
        Naming what is wrong.
    """
    try:
        usual = ("title",) if rows == "readers" else ()
        each = [_partner(dict.fromkeys(usual, row["name"]) | row) for row in tomllib.loads(text)[rows]]
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise PolicyError(f"The {rows} cannot be read: {error}.", where, "Correct the file.") from error
    except InputError as error:
        raise PolicyError(f"A grade is refused: {error.what}", where, "Correct the file.") from error
    if len({one.name for one in each}) != len(each):
        raise PolicyError(f"Two {rows} have one name.", where, "Name each its own way.")
    return {one.name: one for one in each}


def _partner(row: Mapping[str, Any]) -> Partner:
    import json

    rest = dict(row)
    grade = read_marking(json.dumps(rest.pop("grade")))
    return Partner(**{**rest, "agreed": tuple(rest.get("agreed", ()))}, grade=grade)


def _links(work: Work, people: Mapping[str, object]) -> list[Link]:
    """Return the links between people of the inquiry; one to somebody else would tell of another inquiry."""
    found = sorted(any_of(work, Link, "one", people), key=lambda one: one.id)
    return [link for link in found if link.other in people and link.state != "refused"]


def _fields(
    kind: ThingKind,
    id_: str,
    markings: tuple[str, ...],
    values: Mapping[str, object],
    *,
    needed: str,
    refers: str = "",
) -> list[Field]:
    return [
        Field(id_, kind, name, _text(value), markings, needed=name == needed, refers=name == refers)
        for name, value in values.items()
        if value not in (None, "", ())
    ]


def _text(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case tuple():
            return "\n".join(map(str, value))
    return str(value)
