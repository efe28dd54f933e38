"""What a financial firm sends: a goAML report as XML, and an alert as ``lightship payments score`` writes it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from lightship.core.casework import Parsed
from lightship.exchange.referrals.reading import Reading, json_of, table_of, tables_of, text_of
from lightship.exchange.referrals.xml import text_under, under, xml_of

GOAML_FIELDS = (
    "entity_reference", "reason", "reporting_person", "location", "transaction", "date_transaction", "amount_local",
    "name", "account", "phone", "email", "report_indicators",
)  # fmt: skip
ALERT_FIELDS = (
    "alert",
    "typology",
    "subject",
    "at_us",
    "total_mdb",
    "reasons",
    "counter",
    "pack",
    "baseline",
)
SUBJECTS = {
    "livestream-payer": ("suspect", ()),
    "livestream-receiver": ("facilitator", ()),
    "extortion-mule": ("facilitator", ()),
    "extortion-victim": ("child", ("extortion=active",)),
}
"""Whom a typology's subject is, by its id, and what else it says; of another one it is not known."""

CLOSE = timedelta(days=20)
"""Gap between payments of a prolific payer: AIC Trends & issues 634 (abstract)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_goaml(data: bytes, received_at: datetime) -> Parsed:
    """Read a goAML report. Who of its two sides is whom is for a person to say: both roles stay unknown."""
    reading = Reading("financial", GOAML_FIELDS, received_at)
    report = xml_of(data, reading)
    if report is None:
        return reading.parsed()
    if report.tag != "report":
        reading.note("report", "the root is another element")
    reading.reference = reading.short(text_under(report, "entity_reference"), "entity_reference")
    codes = [one.text for one in report.iter("indicator")]
    reading.kind = reading.short(
        " ".join(filter(None, codes)) or text_under(report, "report_code"), "report_indicators"
    )
    reading.words(text_under(report, "reason"), "reason")
    for tag in ("reporting_person", "location"):
        if next(under(report, tag), None) is not None:
            reading.has(tag)
    times: dict[str, list[datetime]] = {}
    for number, node in enumerate(under(report, "transaction"), 1):
        reading.has("transaction")
        if text_under(node, "amount_local"):
            reading.has("amount_local")
        at = _day(text_under(node, "date_transaction"), reading)
        payee = ""
        for side in under(node, "t_from", "t_from_my_client", "t_to", "t_to_my_client"):
            key = _side(side, number, at, reading)
            payee = key if side.tag.startswith("t_to") else payee
        if at is not None:
            times.setdefault(payee, []).append(at)
            reading.happened_at = max(at, reading.happened_at or at)
    if times:
        close = any(b - a < CLOSE for all_at in times.values() for a, b in pairwise(sorted(all_at)))
        reading.fact("payments=repeated" if close else "payments=once")
    return reading.parsed()


def _day(text: str, reading: Reading) -> datetime | None:
    """Return a day of goAML, which has no zone, as its beginning in UTC."""
    zoned = text if "+" in text or text.endswith("Z") else f"{text}+00:00"
    return (
        reading.when(zoned if "T" in text else f"{text}T00:00:00+00:00", "date_transaction") if text else None
    )


def _side(side: Any, number: int, at: datetime | None, reading: Reading) -> str:
    """Name who stands on a side; returns what tells them from others in this report."""
    accounts = [text for one in side.iter("account") if (text := text_of(one.text))]
    name = next((text_of(one.text) for one in side.iter("account_name", "name")), "")
    for person in side.iter("t_person", "from_person", "to_person"):
        name = name or f"{text_under(person, 'first_name')} {text_under(person, 'last_name')}".strip()
    key = (accounts or [name])[0] or f"transaction {number}"
    who = f"{'payer' if side.tag.startswith('t_from') else 'payee'} {key}"

    def named(kind: str, value: Any, place: str) -> None:
        reading.name(who, "unknown", kind, value, place=place, first_at=at, last_at=at)

    for one in accounts:
        named("account", one, "account")
    named("name", name, "name")
    for one in side.iter("tph_number"):
        named("phone", one.text, "phone")
    for one in side.iter("email"):
        named("email", one.text, "email")
    return who


def read_alert(data: bytes, received_at: datetime) -> Parsed:
    """Read one line of ``alerts.jsonl``. It is *consistent with* a pattern and accuses nobody."""
    reading = Reading("financial", ALERT_FIELDS, received_at)
    row = json_of(data, reading)
    for name in ALERT_FIELDS:
        if row.get(name) not in (None, "", []):
            reading.has(name)
    reading.reference = reading.short(row.get("alert"), "alert")
    reading.kind = reading.short(row.get("typology"), "typology")
    role, facts = SUBJECTS.get(reading.kind, ("unknown", ()))
    at_us = row.get("at_us")
    if isinstance(at_us, int) and 0 <= at_us < 4_102_444_800_000_000:  # until 2100
        reading.happened_at = _EPOCH + timedelta(microseconds=at_us)
    elif row:
        reading.note("at_us", "no time")
    reading.name(
        "subject-1", role, "account", row.get("subject"), place="subject", last_at=reading.happened_at
    )
    for fact in facts:
        reading.fact(fact)
    paid = {
        text_of(one) for reason in tables_of(row.get("reasons")) for one in _listed(reason.get("payments"))
    }
    if reading.kind.startswith("livestream-") and paid:
        reading.fact("payments=repeated" if len(paid) > 2 else "payments=once")
    _sentences(row, reading)
    return reading.parsed()


def _sentences(row: Mapping[str, Any], reading: Reading) -> None:
    """Read what stands for the alert, and what against it."""
    if reference := text_of(table_of(row.get("filed")).get("reference")):
        reading.words(f"Its report was filed as {reference}.")
    for reason in tables_of(row.get("reasons")):
        reading.words(reason.get("sentence"), "reasons")
    for reason in tables_of(row.get("counter")):
        if text := text_of(reason.get("sentence")):
            reading.words(f"Against it: {text}", "counter")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
