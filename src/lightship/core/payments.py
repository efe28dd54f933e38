"""What the payments room takes and gives: the tables of a dataset, a payment, an alert. Frozen; no I/O, no clock.

A *dataset* is a folder of Parquet files, one a table of :data:`TABLES`. ``exchange`` writes it from whatever an
institution has, the generator writes one with its truth beside it, and everything else reads nothing but this.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

Rail = Literal["bank", "remittance", "card", "wallet", "crypto", "gift-card", "gaming", "cash"]
RAILS: tuple[Rail, ...] = ("bank", "remittance", "card", "wallet", "crypto", "gift-card", "gaming", "cash")
"""By what way money went. Closed."""

TIES = ("family", "residence", "travel", "payroll", "business")
"""What an institution may know that links a customer to a country. Closed."""

Kind = Literal["string", "int64", "int16", "bool", "date", "timestamp"]

TABLES: dict[str, dict[str, tuple[Kind, bool]]] = {
    "payments": {
        "payment": ("string", False),
        "at": ("timestamp", False),
        "time_known": ("bool", False),
        "payer": ("string", False),
        "payee": ("string", False),
        "amount_minor": ("int64", False),
        "currency": ("string", False),
        "payee_amount_minor": ("int64", True),
        "payee_currency": ("string", True),
        "payer_country": ("string", True),
        "payee_country": ("string", True),
        "rail": ("string", False),
        "via": ("string", True),
        "payee_name": ("string", True),
        "text": ("string", True),
        "merchant_code": ("string", True),
        "reverses": ("string", True),
    },
    "customers": {
        "customer": ("string", False),
        "kind": ("string", False),
        "opened": ("date", False),
        "country": ("string", True),
        "zone": ("string", True),
        "born_year": ("int16", True),
        "born_month": ("int16", True),
        "sex": ("string", True),
    },
    "ties": {
        "customer": ("string", False),
        "country": ("string", False),
        "tie": ("string", False),
    },
    "markers": {
        "subject": ("string", False),
        "marker": ("string", False),
        "since": ("date", False),
        "source": ("string", False),
    },
}
"""Columns of each table: name to (type, may be null). Only ``payments`` and ``customers`` are needed.

``at`` is UTC with microseconds; ``time_known`` is false where only the booking day is known. ``payer`` and ``payee``
are the institution's own identifiers or keyed pseudonyms, of customers and others alike. ``amount_minor`` is what the
payer gave in minor units of ``currency`` (ISO 4217; yen have none, dinars three digits), always above 0;
``payee_amount_minor`` what arrives where that is known. Countries are ISO 3166-1 alpha-2. ``via`` names the remitter or
bank, ``reverses`` the payment that this one takes back. ``kind`` is ``person`` or ``business``; ``zone`` an IANA zone.
A marker is an outside fact about a payer or payee (``flagged-receiver``, ``closed-for-extortion`` ...), with its
source. ``born_month`` is 1 to 12; with it a child's account is told to the month in which its holder comes of age.
"""

LATER: dict[str, tuple[str, ...]] = {"customers": ("born_month",)}
"""Columns that came later: a dataset without one is read as if nothing were known there."""


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def us_of(at: datetime) -> int:
    """Return an aware time as microseconds since 1970.

    Examples
    --------
    >>> us_of(datetime(2026, 3, 2, 22, 30, tzinfo=UTC))
    1772490600000000
    """
    return (at - EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Payment:
    """One row of ``payments``, as the live path takes it.

    Parameters
    ----------
    at_us
        Microseconds since 1970 in UTC.

    The others are the columns of :data:`TABLES`.
    """

    payment: str
    at_us: int
    payer: str
    payee: str
    amount_minor: int
    currency: str
    rail: Rail
    time_known: bool = True
    payee_amount_minor: int | None = None
    payee_currency: str | None = None
    payer_country: str | None = None
    payee_country: str | None = None
    via: str | None = None
    payee_name: str | None = None
    text: str | None = None
    merchant_code: str | None = None
    reverses: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """One indicator's part in an alert: for it (a positive weight) or against it (a negative one).

    Parameters
    ----------
    indicator
        Id in its pack, such as ``"C7"``.
    family
        Members of a family share one weight; `weight_mdb` is what this one brings to it.
    sentence
        Plain words, with the value and what the peer group does.
    value
        The feature's value, in the unit that the vocabulary gives it.
    unit
        Such as ``"payments"``, ``"share"``, ``"days"``.
    peer_group
        The part of the institution's own customers that the value was compared with.
    peer_share
        Share of that group with a value in the same bin, after shrinkage.
    weight_mdb
        Thousandths of a deciban, so that every engine gives the same sum.
    payments
        Ids of the payments behind it, oldest first, at most 20.
    source
        Address of the indicator's publication.
    grade
        How well the source is known: ``"P"``, ``"S"``, ``"M"``, ``"C"``, ``"A"`` (shared with the pack's page).
    """

    indicator: str
    family: str
    sentence: str
    value: float
    unit: str
    peer_group: str
    peer_share: float
    weight_mdb: int
    payments: tuple[str, ...]
    source: str
    grade: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A pattern that is worth a person's look. Never an accusation: *consistent with*, and why it might be innocent.

    Parameters
    ----------
    alert
        Id: a digest of typology, subject, pack, baseline and the last payment, so that a rerun gives the same.
    typology
        Id of the pack, such as ``"livestream-payer"``.
    lane
        ``"slow"`` for weeks and an adult customer, ``"fast"`` for hours and a child to protect.
    subject
        The payer, receiver or account it is about.
    at_us
        Time of the last payment counted.
    rank
        1 is first; 0 where it has not been ranked (live).
    total_mdb
        Weight of the whole window: the families' sum, thousandths of a deciban.
    keeper_mdb
        Level of the customer's Watchkeeper, which sums weeks and forgets old ones.
    threshold_mdb
        What `total_mdb` had to reach under the alarm budget.
    reasons
        Indicators for it, the heaviest first.
    counter
        Counter-evidence, which lowered it, the heaviest first.
    off
        Indicators that were off, each with the data it would need: ``(indicator, sentence)``.
    pack, baseline
        Digests of the typology pack and of the baseline (the institution's own population) it was weighed with.
    """

    alert: str
    typology: str
    lane: Literal["slow", "fast"]
    subject: str
    at_us: int
    rank: int
    total_mdb: int
    keeper_mdb: int
    threshold_mdb: int
    reasons: tuple[Reason, ...]
    counter: tuple[Reason, ...]
    off: tuple[tuple[str, str], ...] = field(default=())
    pack: str = ""
    baseline: str = ""
