"""A draft of what a report says: who, what, when, where, why and how, and why it may be innocent.

For a person to check, complete and sign. What is not known is called UNKNOWN, not left out. It speaks to the authority
and never to a customer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from statistics import median_low
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lightship.core.payments import Alert, Reason
from lightship.payments.background import WINDOW_DAYS, Background, Row
from lightship.payments.glossary import Code, Glossary
from lightship.payments.shape import money
from lightship.payments.span import day, span
from lightship.payments.wording import agreed, counted

LIMIT = 8_000
"""Characters that the reason of a report may have (UK Financial Intelligence Unit's guidance on better reports)."""

_ROOMS = (12, 8, 5, 3, 2, 1)  # how much of each list is told, until the whole fits
_CLIP = (
    360  # characters of one foreign sentence or name: what is longer is cut, and the evidence has it whole
)
_NIGHT = (21, 5)  # local hours: from nine in the evening to five


@dataclass(frozen=True, slots=True)
class Narrative:
    """A draft text and the codes to consider with it.

    Parameters
    ----------
    unknown
        What the dataset does not hold and a person must look up.
    """

    text: str
    codes: tuple[Code, ...]
    unknown: tuple[str, ...]


def plain(text: str, limit: int = _CLIP) -> str:
    """Return foreign text as one printable line, cut where it is too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def db(mdb: int) -> str:
    """Return thousandths of a deciban as a person reads them.

    Examples
    --------
    >>> db(6020), db(-3000)
    ('+6.0 dB', '−3.0 dB')
    """
    return f"{mdb / 1000:+.1f} dB".replace("-", "−")


def draft(alert: Alert, evidence: Background, glossary: Glossary) -> Narrative:
    """Return the draft of a narrative for an alert, within :data:`LIMIT` characters."""
    codes = glossary.codes(alert.typology, {row.rail for row in evidence.rows})
    unknown = _unknown(evidence)
    for room in _ROOMS:
        text = _whole(alert, evidence, glossary, codes, unknown, room)
        if len(text) <= LIMIT:
            break
    assert len(text) <= LIMIT  # at the last room, some thirty clipped lines
    return Narrative(text, codes, unknown)


def _whole(
    alert: Alert,
    evidence: Background,
    glossary: Glossary,
    codes: Sequence[Code],
    unknown: Sequence[str],
    room: int,
) -> str:
    pattern = glossary.pattern(alert.typology)
    considered = "; ".join(f"{code.code} ({code.meaning})" for code in codes) or "none suggested"
    head = (
        "DRAFT, NOT REPORTED. A person checks, completes and signs it.\n"
        f"Glossary codes to consider, to be looked up on the current list: {considered}.\n"
        f"To be looked up by the reporter: {', '.join(unknown) or 'nothing'}."
    )
    what = _what(evidence, room)
    parts = {
        "WHO": _who(alert, evidence, pattern.subject, room),
        "WHAT": [f"A pattern consistent with {pattern.words}. It is no proof of it.", *what],
        "WHEN": _when(evidence),
        "WHERE": _where(evidence, room),
        "WHY": _why(alert, room),
        "WHY IT MAY BE INNOCENT": _why_not(alert, room),
        "HOW": _how(alert, evidence, room),
    }
    return head + "".join(f"\n\n{name}\n" + "\n".join(lines) for name, lines in parts.items()) + "\n"


def _unknown(evidence: Background) -> tuple[str, ...]:
    missing = ["the subject's name, address and contact details"]
    customer = evidence.customer
    if customer is None:
        missing.append("who the subject is: no customer of this dataset")
    else:
        known = {"date of birth": None, "country": customer.country, "time zone": customer.zone}
        missing += [f"the subject's {name}" for name, value in known.items() if value is None]
    if any(row.payee_name is None for row in evidence.rows):
        missing.append("names of some receivers")
    return tuple(missing)


def _who(alert: Alert, evidence: Background, caution: str, room: int) -> list[str]:
    customer = evidence.customer
    lines = [
        f"Subject: {plain(alert.subject, 80)}. Name: UNKNOWN here, take it from the customer's file. {caution}"
    ]
    if customer is None:
        lines.append("Not a customer of this dataset; everything else about the subject: UNKNOWN.")
    else:
        lines.append(
            f"{customer.kind.capitalize()}, customer since {customer.opened}, country {customer.country or 'UNKNOWN'}, "
            f"born {customer.born_year or 'UNKNOWN'}, sex {customer.sex or 'UNKNOWN'}."
        )
    ties = ", ".join(f"{tie} in {country}" for country, tie in evidence.ties)
    lines.append(f"Known ties to countries: {ties or 'none known'}.")
    lines += told(
        [f"Known from outside: {plain(subject, 80)}: {plain(words)}." for subject, words in evidence.markers],
        room,
        "marks",
    )
    for title, others in (
        ("Received from the subject", _others(evidence.sent(alert.subject), lambda row: row.payee)),
        ("Paid the subject", _others(evidence.received(alert.subject), lambda row: row.payer)),
    ):
        if others:
            lines += [f"{title}:", *told(others, room, "others")]
    return lines


def _others(rows: Iterable[Row], other: Callable[[Row], str]) -> list[str]:
    by: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by[other(row)].append(row)
    lines = []
    for id_, theirs in sorted(by.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        receives = theirs[0].payee == id_
        names = sorted({plain(row.payee_name, 60) for row in theirs if row.payee_name}) if receives else []
        country = (theirs[0].payee_country if receives else theirs[0].payer_country) or "UNKNOWN"
        lines.append(
            f"- {plain(id_, 80)}, name {' / '.join(names[:3]) or 'UNKNOWN'}, country {country}: "
            f"{_count(len(theirs))}, {_sums(theirs)}, {span(theirs[0].at_us, theirs[-1].at_us)}."
        )
    return lines


def _what(evidence: Background, room: int) -> list[str]:
    if not evidence.rows:
        return ["No payment of the window is in the dataset."]
    lines = [f"{_count(len(evidence.rows))}, {_sums(evidence.rows)} in all."]
    by: dict[str, list[int]] = defaultdict(list)
    for row in evidence.rows:
        by[row.currency].append(row.amount_minor)
    lines += told(
        [
            f"Single payments: {money(min(sums), currency)} to {money(max(sums), currency)}, "
            f"half of them at most {money(median_low(sums), currency)}."
            for currency, sums in sorted(by.items())
        ],
        room,
        "currencies",
    )
    if evidence.aside:
        beside = f"{evidence.aside:,} more payments of the same {WINDOW_DAYS} days are of another kind and left aside."
        lines.append(agreed(beside))
    return lines


def _when(evidence: Background) -> list[str]:
    rows = evidence.rows
    if not rows:
        return ["UNKNOWN."]
    lines = [f"{span(rows[0].at_us, rows[-1].at_us).capitalize()} (UTC)."]
    if len(rows) > 1:
        gaps = sorted((after.at_us - before.at_us) / 86_400e6 for before, after in pairwise(rows))
        lines.append(
            f"Days between payments: half at most {gaps[(len(gaps) - 1) // 2]:.1f}, the longest {gaps[-1]:.1f}."
        )
    timed = [row for row in rows if row.time_known]
    name = evidence.customer.zone if evidence.customer else None
    zone = zone_of(evidence)
    late = sum(_late(datetime.fromtimestamp(row.at_us / 1e6, zone).hour) for row in timed)
    where = f"in {name}" if name and zone is not UTC else "in UTC, the subject's own zone is UNKNOWN"
    lines.append(
        f"Of {_count(len(timed))} with a known time of day, {late} between {_NIGHT[0]}:00 and 0{_NIGHT[1]}:00 {where}."
        if timed
        else "Times of day: UNKNOWN."
    )
    return lines


def zone_of(evidence: Background) -> tzinfo:
    """Return the subject's time zone, or UTC where it is not known."""
    if evidence.customer and evidence.customer.zone:
        try:
            return ZoneInfo(evidence.customer.zone)
        except (ZoneInfoNotFoundError, ValueError):
            return UTC
    return UTC


def _late(hour: int) -> bool:
    return hour >= _NIGHT[0] or hour < _NIGHT[1]


def _where(evidence: Background, room: int) -> list[str]:
    ways = Counter((row.payer_country or "UNKNOWN", row.payee_country or "UNKNOWN") for row in evidence.rows)
    lines = [f"- from {source} to {target}: {_count(many)}." for (source, target), many in _most(ways)]
    return told(lines, room, "ways") or ["UNKNOWN."]


def _why(alert: Alert, room: int) -> list[str]:
    lines = [_reason(reason) for reason in alert.reasons]
    weights = (
        f"Together {db(alert.total_mdb)}, where {db(alert.threshold_mdb)} raise an alert"
        f"{'' if alert.lane == 'fast' else f'; over the weeks {db(alert.keeper_mdb)}'}. 10 dB are ten to one."
    )
    return [*told(lines, room, "indicators"), weights]


def _why_not(alert: Alert, room: int) -> list[str]:
    lines = told([_reason(reason) for reason in alert.counter], room, "points") or [
        "No counter-evidence is in the dataset. That is not to say that there is none."
    ]
    off = [f"- {indicator}: {plain(needs)}" for indicator, needs in alert.off]
    if off:
        lines += ["Not looked at, because the data are missing:", *told(off, room, "indicators")]
    return lines


def _reason(reason: Reason) -> str:
    return (
        f"- {reason.indicator}, {db(reason.weight_mdb)}: {plain(reason.sentence)} "
        f"(Source: {plain(reason.source, 160)}, grade {reason.grade}.)"
    )


def _how(alert: Alert, evidence: Background, room: int) -> list[str]:
    ways = Counter((row.rail, plain(row.via, 60) if row.via else "UNKNOWN") for row in evidence.rows)
    lines = told(
        [f"- by {rail}, through {via}: {_count(many)}." for (rail, via), many in _most(ways)], room, "ways"
    )
    texts = Counter(plain(row.text, 60) for row in evidence.rows if row.text)
    quoted = told([f"- «{text}»: {_count(many)}." for text, many in _most(texts)], room, "texts")
    lines += ["Texts of payments:", *quoted] if quoted else ["Texts of payments: none, or UNKNOWN."]
    made = (
        f"Found by the typology {alert.typology}, pack {alert.pack or 'UNKNOWN'}, weighed against the institution's "
        f"own population, baseline {alert.baseline or 'UNKNOWN'}; alert {alert.alert} as of {day(alert.at_us)}."
    )
    return [*lines, made]


def told(lines: Sequence[str], room: int, what: str) -> list[str]:
    """Return the first lines, and how many more there are."""
    more = len(lines) - room
    return [*lines[:room], f"- and {more:,} more {what}, in the evidence."] if more > 0 else list(lines)


def _sums(rows: Iterable[Row]) -> str:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row.currency] += row.amount_minor
    return " + ".join(money(sums[currency], currency) for currency in sorted(sums))


def _count(many: int) -> str:
    return counted(many, "payments")


def _most(counted: Counter[Any]) -> list[tuple[Any, int]]:
    return sorted(counted.items(), key=lambda pair: (-pair[1], str(pair[0])))
