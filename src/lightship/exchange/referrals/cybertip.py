"""CyberTips: NCMEC's report as XML (schema of November 2025), alone or in an envelope with its number and files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import Reading
from lightship.exchange.referrals.xml import said_under, text_under, under, xml_of

FIELDS = (
    "reportId", "incidentType", "platform", "escalateToHighPriority", "incidentDateTime",
    "incidentDateTimeDescription", "internetDetails", "lawEnforcement", "reportingPerson", "personOrUserReported",
    "espIdentifier", "espService", "screenName", "displayName", "profileUrl", "ipCaptureEvent", "deviceId", "firstName",
    "lastName", "phone", "email", "address", "dateOfBirth", "victim", "intendedRecipient", "fileDetails",
    "originalFileHash", "fileAnnotations", "additionalInfo",
)  # fmt: skip
"""What a CyberTip can hold that an investigator works from; documentation of the CyberTipline API."""

_PEOPLE = {
    "personOrUserReported": ("suspect", "suspect"),
    "intendedRecipient": ("recipient", "unknown"),
    "victim": ("child", "child"),
}
_PERSON = ("personOrUserReportedPerson", "intendedRecipientPerson", "victimPerson", "person")
_SAYS = {
    "Online Enticement of Children for Sexual Acts": "contact=grooming",
    "Child Sexual Molestation": "contact=hands-on",
}
"""What a kind of incident says by itself."""


def read_cybertip(data: bytes, received_at: datetime) -> Parsed:
    """Read a CyberTip. An intended recipient may be the child or another buyer: their role stays unknown."""
    reading = Reading("cybertip", FIELDS, received_at)
    root = xml_of(data, reading)
    if root is None:
        return reading.parsed()
    report = root if root.tag == "report" else next(root.iter("report"), None)
    number = next((one for one in root.iter("reportId", "reportID") if (one.text or "").strip()), None)
    reading.reference = reading.short(None if number is None else number.text, "reportId")
    if report is None:
        reading.note("report", "there is none in it")
    else:
        _summary(report, reading)
        _people(report, reading)
        for node in under(report, "internetDetails"):
            reading.has("internetDetails")
            for text in node.itertext():
                reading.words(text)
        for tag in ("lawEnforcement", "additionalInfo"):
            reading.words(text_under(report, tag), tag)
            if next(under(report, tag), None) is not None:
                reading.has(tag)
        if text_under(report, "reporter", "reportingPerson", "email") or text_under(
            report, "reporter", "reportingPerson", "lastName"
        ):
            reading.has("reportingPerson")
    _files(root, reading)
    return reading.parsed()


def _summary(report: Any, reading: Reading) -> None:
    summary = next(under(report, "incidentSummary"), None)
    if summary is None:
        reading.note("incidentSummary", "it is missing")
        return
    reading.kind = reading.short(text_under(summary, "incidentType"), "incidentType")
    reading.short(text_under(summary, "platform"), "platform")
    if why := text_under(summary, "escalateToHighPriority"):
        reading.fact("sender-says=urgent")
        reading.words(why, "escalateToHighPriority")
    reading.happened_at = reading.when(text_under(summary, "incidentDateTime"), "incidentDateTime")
    reading.words(text_under(summary, "incidentDateTimeDescription"), "incidentDateTimeDescription")
    if (fact := _SAYS.get(reading.kind)) is not None:
        reading.fact(fact)
    for node in under(summary, "reportAnnotations"):
        if said_under(node, "sextortion"):
            reading.fact("extortion=active")


def _people(report: Any, reading: Reading) -> None:
    count: dict[str, int] = {}
    platform = text_under(report, "incidentSummary", "platform")
    for node in under(report, *_PEOPLE):
        who, role = _PEOPLE[node.tag]
        count[who] = count.get(who, 0) + 1
        reading.has(node.tag)
        _person(node, f"{who}-{count[who]}", role, platform, reading)


def _person(node: Any, who: str, role: str, platform: str, reading: Reading) -> None:
    service = text_under(node, "espService") or platform
    reading.short(service, "espService")

    def named(kind: str, value: Any, place: str, at: datetime | None = None) -> None:
        on = service if kind == "handle" else ""
        reading.name(who, role, kind, value, place=place, platform=on, first_at=at, last_at=at)

    for tag in ("espIdentifier", "screenName"):
        for one in under(node, tag):
            named("handle", one.text, tag)
    for one in under(node, "displayName", "profileUrl"):
        reading.short(one.text, one.tag)
    for one in under(node, "ipCaptureEvent"):
        at = reading.when(text_under(one, "dateTime"), "ipCaptureEvent")
        named("ip", text_under(one, "ipAddress"), "ipCaptureEvent", at)
    for one in under(node, "deviceId"):
        named("device", text_under(one, "idValue"), "deviceId")
    for person in (node, *under(node, *_PERSON)):
        _civil(person, named, reading)


def _civil(person: Any, named: Callable[[str, Any, str], None], reading: Reading) -> None:
    """Read what somebody has outside the platform."""
    for one in under(person, "email"):
        named("email", one.text, "email")
    for one in under(person, "phone"):
        code = (one.get("countryCallingCode") or "").lstrip("+")
        bare = (one.text or "").strip()
        named("phone", f"+{code}{bare.lstrip('0')}" if code and not bare.startswith("+") else bare, "phone")
    first, last = text_under(person, "firstName"), text_under(person, "lastName")
    named("name", f"{first} {last}".strip(), "lastName" if last else "firstName")
    if first:
        reading.has("firstName")
    for tag in ("address", "dateOfBirth"):
        if next(under(person, tag), None) is not None:
            reading.has(tag)


def _files(root: Any, reading: Reading) -> None:
    live = False
    for file in root.iter("fileDetails"):
        reading.has("fileDetails")
        for one in under(file, "originalFileHash"):
            reading.name("files", "unknown", "hash", one.text, place="originalFileHash")
        for notes in under(file, "fileAnnotations"):
            reading.has("fileAnnotations")
            live |= said_under(notes, "liveStreaming")
            if said_under(notes, "viral"):
                reading.fact("material=known")
    if live:
        reading.live(reading.happened_at, "incidentDateTime")
