"""MISP events as JSON. Each object is a person of its own, and so is each loose attribute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import (
    Reading,
    json_of,
    list_of,
    marking_of,
    table_of,
    tables_of,
    text_of,
)

FIELDS = ("uuid", "info", "date", "Orgc", "Attribute", "Object", "Tag", "marking")
TYPES = {
    **dict.fromkeys(("email", "email-src", "email-dst", "target-email"), "email"),
    **dict.fromkeys(("phone-number",), "phone"),
    **dict.fromkeys(("ip-src", "ip-dst"), "ip"),
    **dict.fromkeys(("md5", "sha1", "sha256", "sha512"), "hash"),
    **dict.fromkeys(("iban", "bank-account-nr", "cc-number", "prtn"), "account"),
    **dict.fromkeys(("btc", "xmr", "dash"), "wallet"),
    **dict.fromkeys(("target-user", "github-username", "twitter-id", "jabber-id", "chat-nickname"), "handle"),
    **dict.fromkeys(("full-name",), "name"),
    **dict.fromkeys(("mac-address", "imei"), "device"),
}
"""Kinds of identifiers by MISP's attribute types."""
_HANDLES = {"username", "user-name", "user-id", "account-id", "nickname", "handle"}
"""Relations of an object's text attributes that name an account."""
_FACT = "lightship:fact="


def read_misp(data: bytes, received_at: datetime) -> Parsed:
    """Read an event; tags ``lightship:fact="live=now"`` are facts of the ladder."""
    reading = Reading("partner", FIELDS, received_at)
    whole = json_of(data, reading)
    event = table_of(whole.get("Event", whole.get("response", whole)))
    reading.reference = reading.short(event.get("uuid"), "uuid")
    reading.kind = "MISP event"
    reading.words(event.get("info"), "info")
    if day := text_of(event.get("date")):
        reading.happened_at = reading.when(f"{day}T00:00:00+00:00", "date")
    origin = reading.short(table_of(event.get("Orgc")).get("name"), "Orgc")
    for number, one in enumerate(tables_of(event.get("Attribute")), 1):
        reading.has("Attribute")
        _attribute(one, f"attribute-{number}", "", reading)
    for number, one in enumerate(tables_of(event.get("Object")), 1):
        reading.has("Object")
        inner = list(tables_of(one.get("Attribute")))
        platform = next(
            (text_of(each.get("value")) for each in inner if each.get("object_relation") == "platform"), ""
        )
        for each in inner:
            _attribute(each, f"object-{number}", platform or text_of(one.get("name")), reading)
    for tag in _tags(event):
        reading.has("Tag")
        if tag.lower().startswith(_FACT):
            reading.fact(tag[len(_FACT) :].strip('"'))
    objects = list(tables_of(event.get("Object")))
    parts = [
        event,
        *objects,
        *(each for one in (event, *objects) for each in tables_of(one.get("Attribute"))),
    ]
    marking_of(reading, (tag for one in parts for tag in _tags(one)), origin)
    return reading.parsed()


def _tags(one: Mapping[str, Any]) -> list[str]:
    """Return the names of the tags of an event, an object or an attribute."""
    return [text_of(table_of(each).get("name", each)) for each in list_of(one.get("Tag"))]


def _attribute(one: Mapping[str, Any], who: str, platform: str, reading: Reading) -> None:
    type_, relation = text_of(one.get("type")), text_of(one.get("object_relation"))
    kind = TYPES.get(type_) or ("handle" if relation in _HANDLES else "")
    if kind:
        times = [_second(one.get(name)) for name in ("first_seen", "last_seen")]
        on = platform if kind == "handle" else ""
        first, last = times
        reading.name(
            who, "unknown", kind, one.get("value"), place=type_, platform=on, first_at=first, last_at=last
        )
    elif type_ in {"text", "comment", "other"}:
        reading.words(one.get("value"))


def _second(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_of(value))
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
