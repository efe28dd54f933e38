"""From a case to a report: what the platform holds becomes fields, and fields become a worksheet or a CyberTip.

A field is what the platform's records say, or what a person says; where neither speaks it is not held, with the reason.
Whether a file was viewed, and whether it was public, nobody can say but the access log and the stream's own record.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from lightship.core.cases import Case, Exhibit, Stream
from lightship.core.duties import Detection, Duty, Fields, Filing, Held, NotHeld
from lightship.core.errors import InputError
from lightship.core.people import Look
from lightship.duties.filing_snapshot import Enclosed, Snapshot, viewed
from lightship.exchange import schedule1
from lightship.exchange.cybertip import Table, build, faults_of
from lightship.exchange.cybertip_schema import Schema
from lightship.exchange.faults import Fault
from lightship.exchange.ip_events import IpEvent, event_of
from lightship.exchange.nca_worksheet import Heading, worksheet
from lightship.exchange.schedule1 import FieldList

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "video/mp4": "mp4", "video/x-matroska": "mkv"}
_EARLIER = "reported-to="


@dataclass(frozen=True, slots=True)
class Service:
    """Who reports, from the service's own file.

    Parameters
    ----------
    company
        As NCMEC knows it.
    """

    name: str
    part: str = ""
    company: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    telephone: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a person says of a case.

    Parameters
    ----------
    held, not_held
        Fields by name: values, and reasons.
    classes
        NCMEC's class (A1, A2, B1, B2) of a file, by its exhibit.
    incident
        NCMEC's incident type, where it is another than that of the label.
    escalate
        Why NCMEC should look at once; empty for no escalation.
    """

    held: Mapping[str, str | list[str]] = field(default_factory=dict)
    not_held: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    incident: str = ""
    escalate: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """What the platform holds of a duty.

    Parameters
    ----------
    looks
        The access log.
    urgent
        Why it has its priority, in the words of the criterion that gave it.
    found
        What was found, in the label set's words.
    """

    duty: Duty
    detection: Detection | None = None
    case: Case | None = None
    stream: Stream | None = None
    exhibits: tuple[Exhibit, ...] = ()
    looks: tuple[Look, ...] = ()
    urgent: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A report before anybody stands for it.

    Parameters
    ----------
    faults
        What keeps it from going; empty if nothing does.
    unsaid
        Fields that nobody spoke of: no reason to wait, and each worth a look.
    prompts
        What the person is to do beside: before the report, or when it is filed.
    """

    snapshot: Snapshot
    faults: tuple[Fault, ...]
    unsaid: tuple[str, ...]
    prompts: tuple[str, ...] = ()


def service_of(table: Mapping[str, Any], where: str) -> Service:
    """Return who reports, from the table of a service's own file.

    Raises
    ------
    InputError
        If it names other things, or one of them is no text.
    """
    for name, value in table.items():
        _text(name, value, where)
    try:
        return Service(**table)
    except TypeError as error:
        raise InputError(
            f"Who reports cannot be read: {error}.", where, "See docs/guides/reports.md."
        ) from error


def parse_told(text: str, where: str) -> Told:
    """Read what a person says of a case.

    Raises
    ------
    InputError
        If it is not TOML, names other things, or something in it is no text.
    """
    todo = "See docs/guides/reports.md."
    try:
        table = {name.replace("-", "_"): value for name, value in tomllib.loads(text).items()}
        told = Told(**table)
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise InputError(f"This cannot be read: {error}.", where, todo) from error
    for name in ("held", "not_held", "classes"):
        if not isinstance(table.get(name, {}), dict):
            raise InputError(f"“{name}” is no table of fields.", where, todo)
        for field_, value in table.get(name, {}).items():
            _text(f"{name}.{field_}", value, where, several=name == "held")
    for name in ("incident", "escalate"):
        _text(name, table.get(name, ""), where)
    return told


def _text(name: str, value: object, where: str, *, several: bool = False) -> None:
    """Refuse what is no text; where a field may have several values, a list of texts is one too."""
    given = value if several and isinstance(value, list) else [value]
    if not all(isinstance(one, str) for one in given):
        raise InputError(
            f"“{name}” is no text: {value!r}.",
            where,
            "Put it between quotation marks; times and numbers too.",
        )


# Fields -----------------------------------------------------------------------------------------


def fields_of_case(records: Records, service: Service, told: Told, form: FieldList) -> Fields:
    """Return every field of a report; what a person says goes before what the records say."""
    given: dict[str, Held | NotHeld] = {
        name: Held(value) for name, value in _recorded(records, service).items() if value
    }
    given |= {name: NotHeld(because) for name, because in _unheld(records).items() if name not in given}
    given |= {name: NotHeld(because) for name, because in told.not_held.items()}
    given |= {
        name: Held(tuple(value) if isinstance(value, list) else value) for name, value in told.held.items()
    }
    known = schedule1.complete(given, form, records.duty.aware_at.date())
    return {**known, **{name: value for name, value in given.items() if name not in known}}


def _recorded(records: Records, service: Service) -> dict[str, str | tuple[str, ...]]:
    duty, detection, case, stream = records.duty, records.detection, records.case, records.stream
    told = {*duty.facts, *(detection.facts if detection else ())}
    earlier = sorted(one.removeprefix(_EARLIER) for one in told if one.startswith(_EARLIER))
    found = {"machine": "by a machine", "report": "by a report from a user", "person": "by a person"}
    return {
        "reporter-name": f"{service.first_name} {service.last_name}".strip(),
        "reporter-email": service.email,
        "reporter-telephone": service.telephone,
        "content": records.found or (detection.label if detection else ""),
        "how-detected": f"{found[detection.found_by]}. {case.words if case else ''}".strip()
        if detection
        else "",
        "priority": duty.priority,
        "priority-reason": records.urgent if duty.priority else "",
        "earlier-report": _earlier(earlier),
        "service": service.name,
        "service-part": service.part,
        "shared-at": stream.began_at.isoformat() if stream else "",
        "location": f"livestream {stream.id}" if stream else "",
    }


def _earlier(told: Sequence[str]) -> str:
    to = ", ".join(one for one in told if one != "nobody")
    return f"It was reported before to {to}." if to else "It was not reported before." if told else ""


def _unheld(records: Records) -> dict[str, str]:
    """Return the reasons that the records themselves give."""
    if records.stream is None:
        return {}
    return {
        "original-hash": "A livestream has no original file; the hash of each part that was kept is with the file.",
        "exif": "A livestream carries no EXIF data.",
    }


# Worksheet --------------------------------------------------------------------------------------


def draft_worksheet(
    filing: Filing,
    records: Records,
    fields: Fields,
    form: FieldList,
    now: datetime,
    prompts: Sequence[str] = (),
) -> Draft:
    """Return the report as a worksheet, with what keeps it from going."""
    day = records.duty.aware_at.date()
    files = tuple(Enclosed(one.id, _name(one), one.size) for one in records.exhibits)
    heading = Heading(
        filing.id, now.isoformat(timespec="seconds"), _first(filing, records),
        tuple((one.name, one.exhibit) for one in files), tuple(prompts),
    )  # fmt: skip
    known = {one.id for one in form.on(day)}
    body = worksheet(
        schedule1.complete({name: fields[name] for name in fields if name in known}, form, day),
        form,
        heading,
        day,
    )
    snapshot = _snapshot(filing, records, body, fields, {"fields": form.digest}, files, now)
    return Draft(snapshot, schedule1.faults(fields, form, day), _unsaid(fields, form), tuple(prompts))


def _first(filing: Filing, records: Records) -> str:
    return records.duty.reference or filing.supplement_of if filing.supplement_of else ""


def _unsaid(fields: Fields, form: FieldList) -> tuple[str, ...]:
    return tuple(
        name for name, one in fields.items() if isinstance(one, NotHeld) and one.because == form.unsaid
    )


def _snapshot(
    filing: Filing,
    records: Records,
    body: str,
    fields: Fields,
    rules: Mapping[str, str],
    files: tuple[Enclosed, ...],
    now: datetime,
) -> Snapshot:
    return Snapshot(
        filing.id, filing.duty_id, records.duty.case_id, filing.authority, filing.adapter, now, body, fields, rules,
        files, filing.supplement_of,
    )  # fmt: skip


def _name(exhibit: Exhibit) -> str:
    return f"{exhibit.id[:16]}.{_ENDINGS.get(exhibit.media, 'bin')}"


# CyberTip ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Words:
    """NCMEC's fixed words by this platform's labels (``packs/reports/us-cybertip.toml``)."""

    declaration: str
    otherwise: str
    incident_types: Mapping[str, str]
    file_annotations: Mapping[str, Sequence[str]]


def parse_words(text: str, where: str) -> Words:
    """Read NCMEC's words.

    Raises
    ------
    InputError
        If one is missing.
    """
    try:
        table = tomllib.loads(text)
        return Words(*(table[name] for name in Words.__dataclass_fields__))
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise InputError(f"NCMEC's words cannot be read: {error}.", where, "Correct the file.") from error


def draft_cybertip(
    filing: Filing,
    records: Records,
    fields: Fields,
    form: FieldList,
    now: datetime,
    *,
    service: Service,
    told: Told,
    words: Words,
    schema: Schema,
    prompts: Sequence[str] = (),
) -> Draft:
    """Return the report as a CyberTip, with every field named that keeps it from going."""
    day = records.duty.aware_at.date()
    tip = tip_of(filing, records, fields, service, told, words)
    files = tuple(_enclosed(one, records, told, words, now) for one in records.exhibits)
    found = list(schedule1.faults(fields, form, day)) + list(faults_of(schema, "report", tip))
    for one in files:
        numbered = {**(one.details or {}), "reportId": 1, "fileId": "1"}
        found += [
            Fault(f"{one.name}: {each.field}", each.what)
            for each in faults_of(schema, "fileDetails", numbered)
        ]
    body = "" if found else build(schema, "report", tip).decode()
    rules = {"fields": form.digest, "schema": schema.sha256}
    snapshot = _snapshot(filing, records, body, fields, rules, files, now)
    return Draft(snapshot, tuple(found), _unsaid(fields, form), tuple(prompts))


def tip_of(
    filing: Filing, records: Records, fields: Fields, service: Service, told: Told, words: Words
) -> dict[str, Any]:
    """Return a CyberTip as a table; what is not held is left out, and NCMEC's note says so."""
    detection, stream = records.detection, records.stream
    label = detection.label if detection else ""
    summary = {
        "incidentType": told.incident or words.incident_types.get(label, words.otherwise),
        "platform": service.name,
        "escalateToHighPriority": told.escalate,
        "incidentDateTime": (stream.began_at if stream else records.duty.aware_at).isoformat(),
    }
    reporter = {
        "reportingPerson": _given(
            firstName=service.first_name,
            lastName=service.last_name,
            email={"#": service.email, "@type": "Work"} if service.email else None,
            phone=service.telephone,
        ),
        "companyTemplate": service.company,
    }
    where = list(_held(fields, "location"))
    place = {"webPageIncident": _given(url=where, additionalInfo="; ".join(_held(fields, "service-part")))}
    return _given(
        incidentSummary=_given(**summary),
        internetDetails=[place],
        reporter=_given(**reporter),
        personOrUserReported=_person(fields) or None,
        additionalInfo=_note(filing, records, fields),
    )


def _person(fields: Fields) -> dict[str, Any]:
    verified = next(iter(_held(fields, "email-verified-at")), "")
    emails: list[Any] = [
        {"#": one, "@verified": True, "@verificationDate": verified} if verified else one
        for one in _held(fields, "account-email")
    ]
    emails += [{"#": one, "@type": "Recovery"} for one in _held(fields, "account-recovery-email")]
    phoned = next(iter(_held(fields, "telephone-verified-at")), "")
    phones = [
        {"#": one, "@verified": True, "@verificationDate": phoned} if phoned else one
        for one in _held(fields, "account-telephone")
    ]
    events = [
        _event(one, kind)
        for name, kind in (("upload-ip", "Upload"), ("login-ips", "Login"))
        for one in _held(fields, name)
    ]
    return _given(
        personOrUserReportedPerson=_given(phone=phones, email=emails) or None,
        screenName=next(iter(_held(fields, "user-name")), ""),
        profileUrl=list(_held(fields, "profile-url")),
        ipCaptureEvent=events,
        additionalInfo="\n".join((*_held(fields, "connections"), *_held(fields, "billing"))),
    )


def _event(line: str, kind: str) -> Table:
    event = event_of(line)
    if not isinstance(event, IpEvent):  # the fault is named by its field in the list
        return {"ipAddress": line}
    return _given(ipAddress=event.address, eventName=kind, dateTime=event.at, port=event.port or None)


def _note(filing: Filing, records: Records, fields: Fields) -> str:
    lines = [f"Report {filing.id}."]
    if filing.supplement_of:
        lines.append(f"It supplements the report filed as {records.duty.reference or filing.supplement_of}.")
    for name in (
        "content",
        "how-detected",
        "priority",
        "priority-reason",
        "earlier-report",
        "exif",
        "original-hash",
    ):
        lines += [f"{name}: {one}" for one in _held(fields, name)]
    lines += [f"{name}: not held. {one.because}" for name, one in fields.items() if isinstance(one, NotHeld)]
    return "\n".join(lines)


def _enclosed(exhibit: Exhibit, records: Records, told: Told, words: Words, before: datetime) -> Enclosed:
    stream, label = records.stream, records.detection.label if records.detection else ""
    seen = viewed(exhibit, records.looks, before)
    uploaded = stream.began_at + timedelta(seconds=exhibit.from_s) if stream else None
    details = _given(
        originalFileName=_name(exhibit),
        uploadedToEspTimestamp=uploaded.isoformat() if uploaded else "",
        fileViewedByEsp=seen.whole,
        exifViewedByEsp=False,  # the access log knows no look at EXIF data, and nothing else may say so
        publiclyAvailable=stream.visibility == "public" if stream else None,
        fileRelevance="Reported",
        fileAnnotations=dict.fromkeys(words.file_annotations.get(label, ()), True),
        industryClassification=told.classes.get(exhibit.id, ""),
        originalFileHash={"#": exhibit.id, "@hashType": "SHA-256"},
    )
    return Enclosed(exhibit.id, _name(exhibit), exhibit.size, seen.looks, details)


def log_faults(snapshot: Snapshot, exhibits: Iterable[Exhibit], looks: Sequence[Look]) -> tuple[Fault, ...]:
    """Return where a report's viewed flags are not those of the access log: nobody may stand for such a report."""
    known, found = {one.id: one for one in exhibits}, []
    for one in snapshot.files:
        exhibit, said = known.get(one.exhibit), one.details or {}
        seen = viewed(exhibit, looks, snapshot.made_at) if exhibit else None
        if seen is not None and said.get("fileViewedByEsp", seen.whole) != seen.whole:
            found.append(
                Fault(f"{one.name}: fileViewedByEsp", f"the access log says {'yes' if seen.whole else 'no'}")
            )
        if said.get("exifViewedByEsp"):
            found.append(Fault(f"{one.name}: exifViewedByEsp", "the access log knows no look at EXIF data"))
    return tuple(found)


def supplemented(fields: Fields, earlier: Fields) -> tuple[str, ...]:
    """Return the fields that a supplement adds or changes."""
    return tuple(name for name, one in fields.items() if isinstance(one, Held) and earlier.get(name) != one)


def without_files(records: Records, sent: Iterable[str]) -> Records:
    """Return records without the exhibits that went with an earlier report."""
    gone = set(sent)
    return replace(records, exhibits=tuple(one for one in records.exhibits if one.id not in gone))


def _held(fields: Fields, name: str) -> tuple[str, ...]:
    one = fields.get(name)
    if not isinstance(one, Held):
        return ()
    return one.value if isinstance(one.value, tuple) else (one.value,)


def _given(**values: Any) -> dict[str, Any]:
    """Return the values that say something; no is something."""
    return {
        name: value for name, value in values.items() if value is False or value not in (None, "", [], {}, ())
    }
