"""Reports for tests and benches: as platforms have them, and whatever else a schema allows or forbids. All benign."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from lightship.exchange.cybertip_schema import Attribute, Element, Kind, Schema

INCIDENT = "Child Pornography (possession, manufacture, and distribution)"


def tip(**more: Any) -> dict[str, Any]:
    """Return a stopped livestream, with what a platform would hold of it."""
    return {
        "additionalInfo": "Stopped 41 s after the platform became aware.",
        "reporter": {
            "reportingPerson": {
                "firstName": "Zoë",
                "lastName": "孙 Нина ني",
                "email": {"#": "duty@example.org", "@type": "Work"},
            },
            "companyTemplate": "Example Live Ltd",
        },
        "internetDetails": [{"webPageIncident": {"url": ["https://live.example.org/s/7"]}}],
        "incidentSummary": {
            "incidentDateTime": "2026-11-28T23:40:00+00:00",
            "platform": "Example Live",
            "incidentType": INCIDENT,
            "escalateToHighPriority": "A livestream was under way.",
        },
        "personOrUserReported": {
            "ipCaptureEvent": [
                {
                    "port": 4431,
                    "dateTime": "2026-11-28T23:31:07Z",
                    "eventName": "Upload",
                    "ipAddress": "2001:db8::7",
                },
                {"ipAddress": "192.0.2.7", "eventName": "Login", "dateTime": "2026-11-27T08:00:00+01:00"},
            ],
            "displayName": ["host 7"],
            "espIdentifier": "u-7",
            "screenName": "host7",
            "personOrUserReportedPerson": {
                "phone": {
                    "#": "7700900123",
                    "@countryCallingCode": "+44",
                    "@type": "Mobile",
                    "@verified": True,
                },
                "email": [
                    {
                        "#": "seven@example.org",
                        "@verified": True,
                        "@verificationDate": "2026-01-02T03:04:05Z",
                    },
                    {"#": "spare@example.org", "@type": "Recovery"},
                ],
            },
        },
        **more,
    }


def details(**more: Any) -> dict[str, Any]:
    """Return what is said of one file of it."""
    return {
        "reportId": "1001",
        "fileId": "0" * 32,
        "originalFileName": "7.mp4",
        "uploadedToEspTimestamp": "2026-11-28T23:31:07Z",
        "fileViewedByEsp": False,
        "exifViewedByEsp": False,
        "publiclyAvailable": True,
        "fileRelevance": "Reported",
        "fileAnnotations": {"liveStreaming": True},
        "industryClassification": "A1",
        "originalFileHash": [{"#": "ab" * 32, "@hashType": "SHA-256"}, {"#": "cd" * 16, "@hashType": "MD5"}],
        "ipCaptureEvent": {
            "ipAddress": "2001:db8::7",
            "eventName": "Upload",
            "dateTime": "2026-11-28T23:31:07Z",
        },
        "details": {"@type": "EXIF", "nameValuePair": [{"name": "Model", "value": "none"}]},
        **more,
    }


WORDS = ("host 7", "Zoë", "孙", "Нина", "ني", "𐌰𐌱", "<&>\"'", "a\tb\nc", "  ", "", "x" * 400)
ADDRESSES = ("192.0.2.7", "2001:db8::7", "198.51.100.255", "::1")


def made(schema: Schema, root: str, random: Random) -> dict[str, Any]:
    """Return a table that the schema and NCMEC's further rules allow, its fields in any order."""
    table = _table(schema.roots[root], random, depth=0)
    if root == "report" and not table.get("internetDetails"):
        table["internetDetails"] = [{"webPageIncident": {}}]
    if table.get("fileRelevance") in ("Supplemental Reported", {"#": "Supplemental Reported"}):
        table.pop("industryClassification", None)
    return table


def _table(kind: Kind, random: Random, depth: int) -> dict[str, Any]:
    items: list[tuple[str, Any]] = []
    taken: dict[int, Element] = {}
    for one in kind.elements:
        if one.choice and one.choice not in taken:
            taken[one.choice] = random.choice([each for each in kind.elements if each.choice == one.choice])
    for one in kind.elements:
        if one.choice and taken[one.choice] is not one:
            continue
        wanted = one.least > 0 or one.needed or random.random() < 0.5 / (1 + depth)
        if wanted:
            many = random.choice((1, 1, 2, 3)) if one.most is None else 1
            values = [_value(one, random, depth + 1) for _ in range(many)]
            items.append((one.name, values if one.most is None and random.random() < 0.8 else values[0]))
    items += _attributes(kind.attributes, random)
    random.shuffle(items)
    return dict(items)


def _attributes(attributes: Any, random: Random) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    one: Attribute
    for name, one in attributes.items():
        if one.required or random.random() < 0.4:
            found.append((f"@{name}", _text(name, one.kind, random)))
    return found


def _value(one: Element, random: Random, depth: int) -> Any:
    if one.fixed is not None:
        return random.choice((True, one.fixed))
    if one.kind.elements:
        return _table(one.kind, random, depth)
    text = _text(one.name, one.kind, random) if one.kind.base else None
    attributes = dict(_attributes(one.kind.attributes, random))
    if text is None:
        return attributes
    return {"#": text, **attributes} if attributes or random.random() < 0.2 else text


def _moment(random: Random) -> str:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=random.randrange(30_000_000))
    return random.choice(
        (at.isoformat(), at.strftime("%Y-%m-%dT%H:%M:%S.5Z"), at.strftime("%Y-%m-%dT%H:%M:%S-08:00"))
    )


_BY_NAME: dict[str, Callable[[Random], Any]] = {
    "ipAddress": lambda random: random.choice(ADDRESSES),
    "port": lambda random: random.randrange(1, 65536),
    "age": lambda random: random.randrange(100),
    "approximateAge": lambda random: random.randrange(100),
    "latitude": lambda random: round(random.uniform(-90, 90), 4),
    "longitude": lambda random: round(random.uniform(-180, 180), 4),
    "countryCallingCode": lambda random: f"+{random.randrange(1, 999)}",
    "extension": lambda random: str(random.randrange(9999)),
}
_BY_BASE: dict[str, Callable[[Random], Any]] = {
    "boolean": lambda random: random.choice((True, False, "true", "0")),
    "int": lambda random: random.randrange(-(1 << 31), 1 << 31),
    "long": lambda random: random.randrange(-(1 << 63), 1 << 63),
    "double": lambda random: random.uniform(-9, 9),
    "dateTime": _moment,
    "date": lambda random: f"19{random.randrange(10, 99)}-0{random.randrange(1, 9)}-1{random.randrange(9)}",
    "token": lambda random: f"{random.randrange(1 << 60):032x}",
    "string": lambda random: random.choice(WORDS),
}


def _text(name: str, kind: Kind, random: Random) -> Any:
    if kind.values:
        return random.choice(kind.values)
    return _BY_NAME.get(name, _BY_BASE[kind.base])(random)


def spoiled(table: dict[str, Any], random: Random) -> tuple[dict[str, Any], str]:
    """Return a table with one thing wrong, and the name of the field that must be named for it."""
    name, spoil = random.choice(SPOILS)
    return spoil(table), name


def _within(table: dict[str, Any], place: str, **values: Any) -> dict[str, Any]:
    inner = table.get(place)
    first = inner[0] if isinstance(inner, list) else inner
    changed = {**(first if isinstance(first, dict) else {}), **values}
    return {**table, place: [changed, *inner[1:]] if isinstance(inner, list) else changed}


def _without(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != name}


_USER = "personOrUserReported"
SPOILS: tuple[tuple[str, Callable[[dict[str, Any]], dict[str, Any]]], ...] = (
    ("incidentDateTime", lambda t: _within(t, "incidentSummary", incidentDateTime="2026-11-28T23:40:00")),
    ("incidentDateTime", lambda t: _within(t, "incidentSummary", incidentDateTime="yesterday")),
    ("incidentDateTime", lambda t: _within(t, "incidentSummary", incidentDateTime=[])),
    ("incidentType", lambda t: _within(t, "incidentSummary", incidentType="Something else")),
    ("platform", lambda t: _within(t, "incidentSummary", platform=["a", "b"])),
    ("platform", lambda t: _within(t, "incidentSummary", platform="a\0b")),
    ("platform", lambda t: _within(t, "incidentSummary", platform="half \ud800")),
    ("escalateToHighPriority", lambda t: _within(t, "incidentSummary", escalateToHighPriority="x" * 3001)),
    ("reportAnnotations", lambda t: _within(t, "incidentSummary", reportAnnotations={"spam": False})),
    ("informational", lambda t: _within(t, "incidentSummary", informational=True)),
    ("incidentSummary", lambda t: {**t, "incidentSummary": "text"}),
    ("reporter", lambda t: _without(t, "reporter")),
    ("reportingPerson", lambda t: {**t, "reporter": {}}),
    ("internetDetails", lambda t: _without(t, "internetDetails")),
    ("internetDetails", lambda t: {**t, "internetDetails": [{}]}),
    ("emailIncident", lambda t: {**t, "internetDetails": {"webPageIncident": {}, "emailIncident": {}}}),
    ("ipAddress", lambda t: _within(t, _USER, ipCaptureEvent={"ipAddress": "1.2.3"})),
    ("ipAddress", lambda t: _within(t, _USER, ipCaptureEvent={"ipAddress": "::ffff:192.0.2.1"})),
    ("ipAddress", lambda t: _within(t, _USER, ipCaptureEvent=[{"eventName": "Login"}])),
    ("port", lambda t: _within(t, _USER, ipCaptureEvent={"ipAddress": "::1", "port": 0})),
    ("priorCTReports", lambda t: _within(t, _USER, priorCTReports=[1 << 63])),
    ("compromisedAccount", lambda t: _within(t, _USER, compromisedAccount="yes")),
    ("dateOfBirth", lambda t: _within(t, "victim", victimPerson={"dateOfBirth": "2011-02-30"})),
    ("age", lambda t: _within(t, "victim", victimPerson={"age": -1})),
    (
        "@countryCallingCode",
        lambda t: _within(t, "victim", victimPerson={"phone": {"#": "1", "@countryCallingCode": "44"}}),
    ),
    ("@reason", lambda t: {**t, "batchedReport": {}}),
    ("fax", lambda t: {**t, "fax": "1"}),
)
"""One thing wrong, with the field that must then be named."""
