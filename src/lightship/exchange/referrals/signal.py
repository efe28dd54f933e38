"""Signals between platforms, as Lantern's: identifiers with a reason. Clues, not proof, and never acted on alone."""

from __future__ import annotations

from datetime import datetime

from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import Reading, json_of, list_of, marking_of, tables_of, text_of

FIELDS = ("id", "kind", "platform", "observed_at", "identifiers", "facts", "text", "marking")


def read_signal(data: bytes, received_at: datetime) -> Parsed:
    """Read a signal: ``{"id", "kind", "platform", "observed_at", "identifiers": [...], "facts": [...], "text"}``."""
    reading = Reading("signal", FIELDS, received_at)
    row = json_of(data, reading)
    reading.reference = reading.short(row.get("id"), "id")
    reading.kind = reading.short(row.get("kind"), "kind")
    platform = reading.short(row.get("platform"), "platform")
    reading.happened_at = reading.when(row.get("observed_at"), "observed_at")
    reading.words(row.get("text"), "text")
    for number, one in enumerate(tables_of(row.get("identifiers")), 1):
        kind = text_of(one.get("kind"))
        on = text_of(one.get("platform")) or (platform if kind == "handle" else "")
        reading.name(
            text_of(one.get("person")) or f"person-{number}",
            text_of(one.get("role")) or "unknown",
            kind,
            one.get("value"),
            place="identifiers",
            platform=on,
            first_at=reading.happened_at,
            last_at=reading.happened_at,
        )
    for one in list_of(row.get("facts")):
        if text := text_of(one):
            reading.fact(text)
            reading.has("facts")
    marking_of(reading, list_of(row.get("marking")), reading.reference)
    return reading.parsed()
