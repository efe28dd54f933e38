"""From an alert and what stands behind it to a report that any authority's form can be filled from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from lightship.core.payments import Alert
from lightship.exchange.report_draft import Party, ReportDraft, Standing, Transfer
from lightship.payments.background import Background, Row
from lightship.payments.narrative import Narrative
from lightship.payments.shape import places_of

Rate = Callable[[str, str, date], float | None]
"""Minor units of the second currency for one of the first, on a day; None where that is not known."""


def report_draft(
    alert: Alert,
    evidence: Background,
    narrative: Narrative,
    standing: Standing,
    *,
    currency: str | None = None,
    rate: Rate | None = None,
    facts: Mapping[str, Mapping[str, Any]] | None = None,
) -> ReportDraft:
    """Return the report of an alert.

    Parameters
    ----------
    narrative
        The machine's draft, or what two people agreed on, with the codes and gaps of the draft.
    currency, rate
        Of the report, where the form wants one currency.
    facts
        What the reporter knows of customers, by identifier.
    """
    facts = facts or {}
    parties: dict[str, Party] = {}
    for row in evidence.rows:
        for id_, country, name in (
            (row.payer, row.payer_country, None),
            (row.payee, row.payee_country, row.payee_name),
        ):
            before = parties.get(id_)
            if before is None or (before.name is None and name):
                parties[id_] = Party(id_, id_ in facts, name, country, facts=facts.get(id_, {}))
    subject = parties.pop(alert.subject, Party(alert.subject, customer=False, name=None, country=None))
    if evidence.customer:
        own = evidence.customer
        subject = Party(
            own.customer,
            customer=True,
            name=_own_name(facts.get(own.customer, {})) or subject.name,
            country=own.country or subject.country,
            kind=own.kind,
            opened=own.opened,
            born_year=own.born_year,
            facts=facts.get(own.customer, {}),
        )
    return ReportDraft(
        alert.alert,
        alert.typology,
        subject,
        tuple(parties[id_] for id_ in sorted(parties)),
        tuple(_transfer(row, currency, rate) for row in evidence.rows),
        narrative.text,
        tuple((code.code, code.meaning) for code in narrative.codes),
        narrative.unknown,
        standing,
    )


def _own_name(facts: Mapping[str, Any]) -> str | None:
    return " ".join(str(facts[part]) for part in ("first_name", "last_name") if part in facts) or None


def _transfer(row: Row, currency: str | None, rate: Rate | None) -> Transfer:
    at = datetime.fromtimestamp(row.at_us // 1_000_000, UTC)
    local: int | None = None
    if currency in {None, row.currency}:
        local = row.amount_minor
    elif currency and rate and (each := rate(row.currency, currency, at.date())) is not None:
        local = round(row.amount_minor * each)
    return Transfer(
        row.payment,
        at.replace(tzinfo=None).isoformat(timespec="seconds") if row.time_known else at.date().isoformat(),
        row.payer,
        row.payee,
        units(row.amount_minor, row.currency),
        row.currency,
        None if local is None else units(local, currency or row.currency),
        row.rail,
        row.via,
        row.payer_country,
        row.payee_country,
        row.text,
    )


def units(minor: int, currency: str) -> str:
    """Return an amount as decimal text.

    Examples
    --------
    >>> units(123450, "GBP"), units(5000, "JPY")
    ('1234.50', '5000')
    """
    places = places_of(currency)
    whole, rest = divmod(minor, 10**places)
    return f"{whole}.{rest:0{places}d}" if places else str(whole)
