"""Schedule 1 reports (SI 2026/268) as our own worksheet's JSON: each field ``held`` or ``not_held`` with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from lightship import packs
from lightship.core.casework import Parsed
from lightship.exchange.ip_events import event_of
from lightship.exchange.referrals.reading import Reading, json_of, list_of, plain, table_of, text_of
from lightship.exchange.schedule1 import parse_fields

_ACCOUNT = {
    "user-name": "handle",
    "account-email": "email",
    "account-recovery-email": "email",
    "account-telephone": "phone",
}
_URGENT = "P1"
"""How the worksheet writes the first priority."""


@cache
def fields_on(day: date) -> tuple[str, ...]:
    """Return the fields of Schedule 1 in force on a day, by the list that our own reports are made from."""
    return tuple(one.id for one in parse_fields(*packs.report_text("gb-schedule-1")).on(day))


def read_schedule1(data: bytes, received_at: datetime) -> Parsed:
    """Read a worksheet's JSON: the whole snapshot, or its fields alone."""
    listed = fields_on(received_at.date())
    reading = Reading("schedule-1", listed, received_at)
    whole = json_of(data, reading)
    fields = table_of(whole.get("fields", whole))
    reading.reference = reading.short(whole.get("reference") or whole.get("filing"), "reference")
    reading.kind = "Schedule 1 report"
    for name in fields:
        if name not in listed and fields is not whole:
            reading.note(plain(name)[:60], "not a field of this list")
    reading.has(*(name for name in listed if _held(fields, name)))
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
            event = event_of(value)
            if isinstance(event, str):
                reading.note(name, "no address with its time")
                continue
            at = reading.when(event.at, name)
            reading.name("suspect-1", "suspect", "ip", event.address, place=name, first_at=at, last_at=at)


def _held(fields: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if isinstance(value, dict):
        value = value.get("held")
    return tuple(text for one in list_of(value) if (text := text_of(one)))
