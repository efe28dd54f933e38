"""Schedule 1 reports (SI 2026/268) as our own worksheet's JSON: each field ``held`` or ``not_held`` with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import Reading, json_of, list_of, plain, table_of, text_of

FIELDS = (
    "reporter-name", "reporter-email", "reporter-telephone", "content", "how-detected", "priority", "priority-reason",
    "earlier-report", "earlier-reference", "service", "service-part", "shared-at", "upload-ip", "exif", "location",
    "original-hash", "user-name", "account-email", "account-recovery-email", "account-telephone", "email-verified-at",
    "telephone-verified-at", "profile-url", "billing", "login-ips", "connections", "identity-documents",
)  # fmt: skip
_ACCOUNT = {
    "user-name": "handle",
    "account-email": "email",
    "account-recovery-email": "email",
    "account-telephone": "phone",
}
_URGENT = ("P1", "1", "urgent")
"""How the worksheet writes the first priority."""


def read_schedule1(data: bytes, received_at: datetime) -> Parsed:
    """Read a worksheet's JSON: the whole snapshot, or its fields alone."""
    reading = Reading("schedule-1", FIELDS, received_at)
    whole = json_of(data, reading)
    fields = table_of(whole.get("fields", whole))
    reading.reference = reading.short(whole.get("reference") or whole.get("filing"), "reference")
    reading.kind = "Schedule 1 report"
    for name in fields:
        if name not in FIELDS and fields is not whole:
            reading.note(plain(name)[:60], "not a field of this list")
    reading.has(*(name for name in FIELDS if _held(fields, name)))
    _account(fields, reading)
    for value in _held(fields, "original-hash"):
        reading.name("files", "unknown", "hash", value, place="original-hash")
    for name in ("content", "how-detected", "priority-reason"):
        for value in _held(fields, name):
            reading.words(value, name)
    reading.happened_at = reading.when(next(iter(_held(fields, "shared-at")), ""), "shared-at")
    if any(value.startswith(_URGENT) for value in _held(fields, "priority")):
        reading.fact("sender-says=urgent")
    return reading.parsed()


def _account(fields: Mapping[str, Any], reading: Reading) -> None:
    service = next(iter(_held(fields, "service")), "")
    for name, kind in _ACCOUNT.items():
        for value in _held(fields, name):
            reading.name(
                "suspect-1", "suspect", kind, value, place=name, platform=service if kind == "handle" else ""
            )
    for name in ("upload-ip", "login-ips"):
        for value in _held(fields, name):
            address, _, rest = value.partition(" ")
            at = reading.when(rest.split(" ", maxsplit=1)[0], name) if rest else None
            reading.name("suspect-1", "suspect", "ip", address, place=name, first_at=at, last_at=at)


def _held(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if isinstance(value, dict):
        value = value.get("held")
    return tuple(text for one in list_of(value) if (text := text_of(one)))
