"""What a report's law wants kept is sealed, dated by the day it was sent, and kept from being erased before.

Content, what was sent, what the judgement rested on and what was known of the two weeks before are exhibits of the
case, each under a key of its own in the vault; when its day has come, retention destroys the key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from lightship.core import holds
from lightship.core.canonical import canonical
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.duties import Clock, Detection, Duty, Hold
from lightship.core.errors import AccessDenied, InputError, PolicyError
from lightship.core.exhibits import put_on_record
from lightship.core.ports import Identified, Store, Vault, Work
from lightship.duties import clocks, states
from lightship.duties.desk import duty_of
from lightship.duties.law import Kept, Law

MEDIA: dict[Kept, str] = {
    "basis": "application/vnd.lightship.basis+json",
    "look-back": "application/vnd.lightship.look-back+json",
    "submission": "application/vnd.lightship.submission+json",
}
"""What an exhibit is, where it is not the content itself."""

GIVEN = ";by=platform"
"""Ends the media type of what the platform gave beside what the watch itself knows."""

LookBack = Callable[[Work, Detection, datetime], dict[str, Any]]
"""Returns what was known, of a detection's people, between a moment and its awareness: no content, no pictures."""

_AGES = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Erasure:
    """What came of a request to erase.

    Parameters
    ----------
    erased
        Exhibits that were destroyed.
    kept
        Exhibits that were not, each with the reason, in words that the person who asked may read.
    """

    erased: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]
    words: str


def seal(
    store: Store, vault: Vault, duty_id: str, data: bytes, *, what: Kept, media: str = "", now: datetime
) -> Exhibit:
    """Seal something of a report; the same bytes again are the exhibit that is there, unless it was destroyed.

    Until the report is sent it is kept as long as a rule could ask for; from then on as :func:`date_kept` says.

    Raises
    ------
    InputError
        If there is no such duty, or what it is of is not said.
    VaultError
        If it cannot be written.
    """
    named = media or MEDIA.get(what, "")
    if not named:
        raise InputError("The kind of this content is not said.", f"duty {duty_id}", "Give its media type.")
    id_ = hashlib.sha256(data).hexdigest()
    with store.begin() as work:
        duty = duty_of(work, duty_id)
        found = work.get(Exhibit, id_)
        if found is not None and found.destroyed_at is None:
            return found
        detection = work.get(Detection, duty_id)
        stream = detection.stream_id if detection is not None else ""
        exhibit = Exhibit(id_, duty.case_id, stream, 0.0, 0.0, named, len(data), now, now + _AGES)
        put_on_record(work, exhibit, now)
        vault.seal(data, exhibit)  # before the transaction ends: an exhibit that is on record can be opened
        entry = {"kind": "sealed-for-report", "duty": duty_id, "case": duty.case_id, "exhibit": id_}
        work.record({"at": now.isoformat(), **entry, "what": what, "size": len(data)})
    return exhibit


def unsecured(store: Store) -> list[Duty]:
    """Return the duties that were filed and for which not all that is to be kept is sealed and dated."""
    with store.look() as work:
        filed = work.find(Duty, {"state": "filed"}, order=("aware_at",))
        return [one for one in filed if not _secured(work, one)]


def secure(store: Store, vault: Vault, duty_id: str, law: Law, look_back: LookBack, now: datetime) -> Duty:
    """Seal what a filed report's judgement rested on and the look-back, and date all that is kept for it.

    It may be killed at any point and done again.

    Raises
    ------
    AccessDenied
        If the duty was not filed.
    PolicyError
        If no rule says how long something is kept.
    VaultError
        If something cannot be sealed.
    """
    with store.look() as work:
        duty, detection = duty_of(work, duty_id), work.get(Detection, duty_id)
        if duty.state != "filed" or duty.filed_at is None or detection is None:
            raise AccessDenied(
                "Only what was filed is kept as a report.", f"duty {duty_id}", "File it first."
            )
        rule = law.kept("look-back", law.day(duty.filed_at))
        since = duty.filed_at - timedelta(days=rule.back_days if rule is not None else 0)
        have = {one.media for one in work.find(Exhibit, {"case_id": duty.case_id})}
        made: list[tuple[Kept, dict[str, Any]]] = [
            ("basis", basis_of(work, duty, detection)),
            ("look-back", {"duty": duty.id, **look_back(work, detection, since)}),
        ]
    for what, value in made:
        if MEDIA[what] not in have:
            seal(store, vault, duty_id, canonical(value), what=what, now=now)
    date_kept(store, duty, law, now)
    return duty


def basis_of(work: Work, duty: Duty, detection: Detection) -> dict[str, Any]:
    """Return what the judgement on a report rested on: the case in words, its verdicts, and the rules used."""
    case = work.get(Case, duty.case_id)
    return {
        "duty": duty.id,
        "detection": _plain(detection),
        "case": _plain(case) if case is not None else {},
        "judgements": [_plain(one) for one in work.find(Judgement, {"case_id": duty.case_id}, order=("at",))],
        "rule": duty.rule,
        "reason": duty.reason,
        "facts": list(duty.facts),
    }


def own_look_back(work: Work, detection: Detection, since: datetime) -> dict[str, Any]:
    """Return what the platform's own store knows of the host in that time: streams, reports on them, acts upon them.

    What only the platform has (sign-ins, messages, connections between accounts) it adds by itself; see
    ``lightship duties retention keep``.
    """
    stream = work.get(Stream, detection.stream_id)
    own = work.find(Stream, {"host": stream.host}, order=("began_at",)) if stream is not None else []
    streams = [one for one in own if one.ended_at is None or one.ended_at >= since]
    names = [one.id for one in streams]
    reports = [one for id_ in names for one in work.find(Report, {"stream_id": id_}, order=("received_at",))]
    effects = [one for id_ in names for one in work.find(Effect, {"stream_id": id_}, order=("ordered_at",))]
    return {
        "since": since.isoformat(),
        "until": detection.aware_at.isoformat(),
        "host": stream.host if stream is not None else "",
        "streams": [_plain(one) for one in streams],
        "reports": [_plain(one) for one in reports if one.received_at >= since],
        "acts": [_plain(one) for one in effects if one.ordered_at >= since],
        "not held": "Sign-ins, addresses, messages and connections: the platform keeps them, not the watch.",
    }


def date_kept(store: Store, duty: Duty, law: Law, now: datetime) -> None:
    """Give every exhibit of a filed report's case its day: so many years after the report was sent.

    Raises
    ------
    AccessDenied
        If it was not filed.
    PolicyError
        If no rule says how long it is.
    """
    if duty.filed_at is None:
        raise AccessDenied("What was not sent has no day.", f"duty {duty.id}", "File it first.")
    with store.begin() as work:
        for one in work.find(Exhibit, {"case_id": duty.case_id, "destroyed_at": None}):
            until = kept_until(law, _what(one), duty.filed_at)
            same = {"destroyed_at": None, "expires_at": one.expires_at}
            if one.expires_at == until or work.change(Exhibit, one.id, same, expires_at=until) is None:
                continue
            entry = {"kind": "kept-for-report", "duty": duty.id, "case": duty.case_id, "exhibit": one.id}
            work.record(
                {"at": now.isoformat(), **entry, "until": until.isoformat(), "rules": law.digests["keep"]}
            )


def kept_until(law: Law, what: Kept, filed_at: datetime) -> datetime:
    """Return until when something of a report is kept.

    Raises
    ------
    PolicyError
        If no rule in force says so.
    """
    rule = law.kept(what, law.day(filed_at))
    if rule is None:
        raise PolicyError(
            f"No rule says how long {what} is kept.", f"duties {law.name}", "Add it to the pack."
        )
    return law.calendar.later(filed_at, rule.years, "years")


def spent(store: Store) -> list[Duty]:
    """Return the filed duties of which everything that was kept is destroyed, and nothing else remains to be done."""
    with store.look() as work:
        return [one for one in work.find(Duty, {"state": "filed"}, order=("aware_at",)) if _spent(work, one)]


def held_for(work: Work, duty: Duty) -> tuple[list[Exhibit], list[Hold]]:
    """Return the exhibits of a duty's case that are not destroyed, and the holds that stand on them."""
    exhibits = work.find(Exhibit, {"case_id": duty.case_id, "destroyed_at": None}, order=("sealed_at",))
    return exhibits, [hold for one in exhibits for hold in holds.standing(work, one.id)]


def erase(store: Store, vault: Vault, clock_id: str, law: Law, *, by: str, now: datetime) -> Erasure:
    """Answer a request to erase: what no law and no hold wants kept is destroyed, the rest is kept with a reason.

    The clock of the request, which is about a case, ends with that reason in words.

    Raises
    ------
    InputError
        If the clock is of no request to erase.
    AccessDenied
        If it was answered before.
    VaultError
        If a key cannot be destroyed; what was destroyed before stays so, and the rest is done when asked again.
    """
    with store.look() as work:
        clock = work.get(Clock, clock_id)
        if clock is None or clock.kind != "erasure-request":
            raise InputError("This clock is of no request to erase.", f"clock {clock_id}", "Check its id.")
        if clock.ended_at is not None:
            raise AccessDenied("This request was answered.", f"clock {clock_id}", "Look at its outcome.")
        exhibits = work.find(Exhibit, {"case_id": clock.about, "destroyed_at": None}, order=("sealed_at",))
    erased, kept = [], []
    for one in exhibits:
        why = _erased(store, vault, one, law, clock, by, now)
        if why:
            kept.append((one.id, why))
        else:
            erased.append(one.id)
    words = _answer(len(erased), [why for _, why in kept])
    with store.begin() as work:
        clocks.end(work, clock_id, outcome=words, by=by, now=now)
    return Erasure(tuple(erased), tuple(kept), words)


def _erased(
    store: Store, vault: Vault, exhibit: Exhibit, law: Law, clock: Clock, by: str, now: datetime
) -> str:
    """Destroy an exhibit, or return why it must be kept; decided where it is written: no hold comes between."""
    with store.begin() as work:
        found = work.change(Exhibit, exhibit.id, {"destroyed_at": None, "hold": ""}, destroyed_at=now)
        why = _wanted(work, exhibit, law, now)
        if why or found is None:
            if found is not None:
                work.change(Exhibit, exhibit.id, {}, destroyed_at=None)
            return why or "It was destroyed already."
        record = vault.destroy(exhibit, by=by, reason="a request to erase", now=now)
        entry = {"kind": "exhibit-erased", "exhibit": exhibit.id, "case": exhibit.case_id, "record": record}
        work.record({"at": now.isoformat(), **entry, "clock": clock.id, "by": by})
    return ""


def _wanted(work: Work, exhibit: Exhibit, law: Law, now: datetime) -> str:
    """Return for what an exhibit must be kept, in words; empty where nothing wants it."""
    stand = holds.standing(work, exhibit.id)
    if stand:
        return f"It is on hold, on the basis: {holds.shown(stand)}."
    case, duties = work.get(Case, exhibit.case_id), work.find(Duty, {"case_id": exhibit.case_id})
    if case is not None and case.state in {"open", "appealed"}:
        return "A person has yet to decide on it."
    if not duties and work.find(Judgement, {"case_id": exhibit.case_id, "verdict": "abuse"}, limit=1):
        return "Whether it must be reported is not decided yet."
    for duty in duties:
        if duty.state in states.WAITING:
            return "A report of it to an authority is owed or not yet decided on; until then it must not be lost."
        if duty.filed_at is not None and (until := kept_until(law, _what(exhibit), duty.filed_at)) > now:
            day = until.astimezone(law.calendar.zone)
            return f"It was reported to an authority, and the law has it kept until {day:%-d %B %Y}."
    return ""


def _answer(erased: int, why: list[str]) -> str:
    said = [f"{erased} of {erased + len(why)} items were destroyed."]
    said += [f"{why.count(reason)} kept: {reason}" for reason in dict.fromkeys(why)]
    return " ".join(said)[: clocks.LONGEST]


def _what(exhibit: Exhibit) -> Kept:
    return next((what for what, media in MEDIA.items() if exhibit.media.startswith(media)), "content")


def _secured(work: Work, duty: Duty) -> bool:
    exhibits = work.find(Exhibit, {"case_id": duty.case_id})
    media = {one.media for one in exhibits}
    return {MEDIA["basis"], MEDIA["look-back"]} <= media


def _spent(work: Work, duty: Duty) -> bool:
    exhibits = work.find(Exhibit, {"case_id": duty.case_id})
    return _secured(work, duty) and all(one.destroyed_at is not None for one in exhibits)


def _plain(value: Identified) -> dict[str, Any]:
    """Return a value's fields as canonical JSON takes them; no address, under which a stream can be pulled."""
    found: dict[str, Any] = {}
    for one in fields(value):  # type: ignore[arg-type]
        field = getattr(value, one.name)
        if isinstance(field, datetime):
            field = field.astimezone(UTC).isoformat()
        if one.name != "address" and field is not None:
            found[one.name] = list(field) if isinstance(field, tuple) else field
    return found
