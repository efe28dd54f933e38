"""A case of a platform's watch, as it travels from there: the case and its stream, without pictures."""

from __future__ import annotations

from datetime import datetime

from lightship.core.canonical import canonical
from lightship.core.cases import Case, Stream
from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import Reading, json_of, table_of, text_of

FIELDS = (
    "id", "opened_by", "opened_at", "aware_at", "words", "weight_db", "rung", "live", "stopped_at", "stream", "host",
    "visibility", "began_at", "ended_at", "child_host", "platform",
)  # fmt: skip


def platform_referral(case: Case, stream: Stream, platform: str) -> bytes:
    """Return the bytes that a case is referred by. The stream's address and the case's still never leave."""
    return canonical(
        {
            "lightship_referral": 1,
            "platform": platform,
            "case": {
                "id": case.id,
                "state": case.state,
                "opened_by": case.opened_by,
                "opened_at": case.opened_at.isoformat(),
                "aware_at": case.aware_at.isoformat(),
                "words": case.words,
                "weight_db": case.weight_db,
                "rung": case.rung,
                "live": case.live,
                "danger_now": case.danger_now,
                "stopped_at": None if case.stopped_at is None else case.stopped_at.isoformat(),
            },
            "stream": {
                "id": stream.id,
                "host": stream.host,
                "visibility": stream.visibility,
                "began_at": stream.began_at.isoformat(),
                "ended_at": None if stream.ended_at is None else stream.ended_at.isoformat(),
                "child_host": stream.child_host,
            },
        }
    )


def read_platform(data: bytes, received_at: datetime) -> Parsed:
    """Read a case of a platform. No host is called a suspect: they may be the child, or be forced.

    What the platform has reversed since says nothing of now; what it said before stays, and a person reads both.
    """
    reading = Reading("platform", FIELDS, received_at)
    whole = json_of(data, reading)
    case, stream = table_of(whole.get("case")), table_of(whole.get("stream"))
    if not case:
        reading.note("case", "there is none in it")
    for name in FIELDS:
        if case.get(name) not in (None, "") or stream.get(name) not in (None, ""):
            reading.has(name)
    platform = reading.short(whole.get("platform"), "platform")
    reading.reference = reading.short(case.get("id"), "id")
    reading.kind = (
        f"livestream, {rung}" if (rung := reading.short(case.get("rung"), "rung")) else "livestream"
    )
    reading.words(case.get("words"), "words")
    reading.happened_at = reading.when(case.get("aware_at"), "aware_at")
    first, last = (reading.when(stream.get(name), name) for name in ("began_at", "ended_at"))
    role = "child" if stream.get("child_host") is True else "unknown"
    host = {"place": "host", "platform": platform, "first_at": first, "last_at": last}
    if text_of(stream.get("id")):
        reading.has("stream")
    reading.name("host-1", role, "handle", stream.get("host"), **host)  # type: ignore[arg-type]
    if case.get("state") == "reversed":
        reading.kind = "livestream, reversed by the platform"
        reading.words("The platform has reversed its decision on this case.")
        return reading.parsed()
    if case.get("live") is True:
        reading.fact("live=now")
    elif case:
        reading.live(last or reading.happened_at, "ended_at")
    if case.get("danger_now") is True:
        reading.fact("danger=now")
    return reading.parsed()
