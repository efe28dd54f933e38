"""A view's rows and a pack's measures of them, as Ibis expressions: one definition for DuckDB and Spark.

:mod:`lightship.payments.live` derives the same rows in Python; the measures are the vocabulary's, defined once.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import ibis

from lightship.payments.money import Currencies, hundredths
from lightship.payments.pack import Indicator, Pack
from lightship.payments.prepare import DAY_US, Dataset, Window
from lightship.payments.rows import UNKNOWN
from lightship.payments.vocabulary import FEATURES, Params

LATEST = 512
"""A subject's latest rows that count; the live step holds no more."""

MOST_PEERS = 60
SEVERAL = (2, 40)
"""Untied others who pay a receiver that several share: fewer may be one family, more pay an organisation."""

NEAR_US = 30 * DAY_US
"""The payer's card was used there so shortly before or after: a deposit before a journey, a friend's bill after it."""

AGE_DAYS = (365, 1826)
PAY_MONTHS = 3
"""Where classes of an account's age begin; months with pay that make a payroll pattern."""

CHILD_MARKERS = ("child-account", "child-parent")
"""Markers that say whose an account is; every other one is of something that was known or done before."""

_FAR = 2**62


def latest(sends: Any, subject: str, other: str) -> Any:
    """Return rows with the columns ``subject`` and ``other``, the latest of each subject only."""
    rows = sends.mutate(subject=sends[subject], other=sends[other])
    last = ibis.window(group_by="subject", order_by=[ibis.desc("at_us"), ibis.desc("payment")])
    rows = rows.mutate(back_nth=ibis.row_number().over(last))
    return rows.filter(rows.back_nth < LATEST)


def pairs(receipts: Any) -> Any:
    """Return ``payee, payer, pair_untied, times``: who pays whom, how often, and what tied them last."""
    found = receipts.group_by(["payee", "payer"]).aggregate(
        mark=(receipts.at_us * 2 + (receipts.untied != 0).cast("int64")).max(), times=receipts.count()
    )
    return found.select("payee", "payer", "times", pair_untied=found.mark % 2)


def payer_rows(sends: Any, receipts: Any, facts: Any, markers: Any = None) -> Any:
    """Return the payer's view: columns of :class:`lightship.payments.rows.Row`, and ``subject``.

    Parameters
    ----------
    receipts
        All sends to those whom `sends` go to; they say who else pays them.
    """
    peers = _peers(pairs(latest(receipts, "payee", "payer")))
    rows = _ordered(latest(sends, "payer", "payee"))
    rows = rows.left_join(peers, [rows.subject == peers.fan_payer, rows.other == peers.fan_payee])
    rows = rows.mutate(peers=rows.peers.fill_null(0), per_ten=rows.per_ten.fill_null(0))
    rows = rows.drop("fan_payee", "fan_payer")
    rows = _there(rows, facts)
    known = facts.filter(facts.role == "back").select(back_to=facts.subject, back_from=facts.other).distinct()
    rows = rows.left_join(known, [rows.subject == known.back_to, rows.other == known.back_from])
    rows = rows.mutate(back=rows.back_to.notnull().cast("int64")).drop("back_to", "back_from")
    about = facts.group_by("subject").aggregate(
        platform=_count(facts.role == "platform"),
        crypto=_count(facts.role == "crypto"),
        presence=(facts.at_us // DAY_US).nunique(where=facts.role == "presence"),
    )
    about = about.rename(about_whom="subject")
    rows = rows.left_join(about, rows.subject == about.about_whom).drop("about_whom")
    rows = rows.mutate(**{name: rows[name].fill_null(0) for name in ("platform", "crypto", "presence")})
    return marked(_without(rows, "beside"), markers)


def receiver_rows(receipts: Any, sends: Any, received: Any, facts: Any, markers: Any = None) -> Any:
    """Return the receiver's view.

    Parameters
    ----------
    sends
        All sends of those whom `receipts` come from.
    received
        All sends to those whom `sends` go to.
    facts
        What else is known of those who sent `receipts`.
    """
    mine = latest(receipts, "payee", "payer")
    fans = _fans(pairs(mine)).select("per_ten", fan_payee="payee")
    rows = _ordered(mine)
    rows = rows.left_join(fans, rows.subject == fans.fan_payee).drop("fan_payee")
    best = _beside(pairs(latest(sends, "payer", "payee")), _peers(pairs(latest(received, "payee", "payer"))))
    rows = rows.left_join(best, rows.other == best.best_payer)
    beside = (rows.subject == rows.best_payee).ifelse(rows.second, rows.best)
    rows = rows.mutate(beside=beside.fill_null(0)).drop("best_payer", "best_payee", "best", "second")
    rows = _there(rows, facts)
    return marked(_without(rows, "peers", "back", "platform", "crypto", "presence"), markers)


def _fans(who: Any) -> Any:
    """Return ``payee, fans, per_ten``: a receiver's untied payers, and how often every ten of them pay.

    One more who paid once is counted with them, so that two payers and three payments are no crowd that comes back.
    """
    found = who.group_by("payee").aggregate(
        fans=who.pair_untied.sum(), receipts=(who.times * who.pair_untied).sum()
    )
    return found.select("payee", "fans", per_ten=(found.receipts + 1) * 10 // (found.fans + 1))


def _peers(who: Any) -> Any:
    """Return ``fan_payee, fan_payer, peers, per_ten``: a pair's other untied payers, and how often ten pay."""
    peers = who.inner_join(_fans(who), "payee")
    return peers.select(
        "per_ten",
        fan_payee=peers.payee,
        fan_payer=peers.payer,
        peers=ibis.least(peers.fans - peers.pair_untied, MOST_PEERS),
    )


def _beside(who: Any, peers: Any) -> Any:
    """Return ``best_payer, best_payee, best, second``: the receivers of a payer to whom payers come back most."""
    low, high = SEVERAL
    peers = peers.filter(peers.peers >= low, peers.peers <= high)
    peers = peers.semi_join(who, [peers.fan_payer == who.payer, peers.fan_payee == who.payee])
    order = ibis.window(group_by="fan_payer", order_by=[ibis.desc("per_ten"), "fan_payee"])
    peers = peers.mutate(place=ibis.row_number().over(order))
    return peers.group_by(best_payer="fan_payer").aggregate(
        best_payee=peers.fan_payee.max(where=peers.place == 0),
        best=peers.per_ten.max(where=peers.place == 0),
        second=peers.per_ten.max(where=peers.place == 1),
    )


def _without(rows: Any, *names: str) -> Any:
    """Return rows with the columns that the view does not have, zero."""
    return rows.mutate(**{name: ibis.literal(0, "int64") for name in names})


def _ordered(rows: Any) -> Any:
    """Return rows with what their order says: n, nth, first, gap, equal, known, rise."""
    whole = rows.group_by(whose="subject").aggregate(
        n=rows.count(), begin_us=rows.at_us.min(), end_us=rows.at_us.max()
    )
    rows = rows.inner_join(whole, rows.subject == whole.whose).drop("whose")
    rows = rows.mutate(nth=rows.n - rows.back_nth)
    rows = rows.mutate(late=(rows.nth * 2 > rows.n).cast("int64"))
    # Window functions over all rows cost most, so what a whole subject has is grouped and joined.
    halves = rows.group_by(whose="subject").aggregate(
        late_ref=(rows.ref * rows.late).sum(),
        early_ref=(rows.ref * (1 - rows.late)).sum(),
        middle_us=(rows.late == 1).ifelse(rows.at_us, _FAR).min(),
    )
    rows = rows.inner_join(halves, rows.subject == halves.whose).drop("whose")
    to_other = ibis.window(group_by=["subject", "other"], order_by=[rows.at_us, rows.payment])
    rows = rows.mutate(
        previous_us=rows.at_us.lag().over(to_other),
        previous_minor=rows.amount_minor.lag().over(to_other),
        previous_currency=rows.currency.lag().over(to_other),
        first_us=rows.at_us.min().over(to_other),
    )
    early, late = rows.n // 2, rows.n - rows.n // 2
    larger = (rows.late_ref * early * 8 > rows.early_ref * late * 9).cast("int64")
    faster = (
        (rows.end_us - rows.middle_us) * early * 9 < (rows.middle_us - rows.begin_us) * (late - 1) * 8
    ).cast("int64")
    return rows.mutate(
        first=rows.previous_us.isnull().cast("int64"),
        gap=((rows.at_us - rows.previous_us) // DAY_US).fill_null(UNKNOWN),
        equal=((rows.amount_minor == rows.previous_minor) & (rows.currency == rows.previous_currency))
        .fill_null(False)
        .cast("int64"),
        known=(rows.at_us - rows.first_us) // DAY_US,
        rise=(rows.n >= 4).ifelse(larger + faster, UNKNOWN),
    ).drop(
        *("previous_us", "previous_minor", "previous_currency", "first_us", "begin_us", "end_us"),
        *("late", "late_ref", "early_ref", "middle_us", "back_nth"),
    )


def _there(rows: Any, facts: Any) -> Any:
    """Return rows with ``there``: the payer's card was used in the country near the payment's time."""
    use = facts.filter(facts.role == "presence").select(
        use_by=facts.subject, use_in=facts.country, use_us=facts.at_us
    )
    near = rows.inner_join(
        use,
        [
            rows.payer == use.use_by,
            rows.country == use.use_in,
            use.use_us >= rows.at_us - NEAR_US,
            use.use_us <= rows.at_us + NEAR_US,
        ],
    )
    near = near.select(near_payment=near.payment).distinct()
    rows = rows.left_join(near, rows.payment == near.near_payment)
    return rows.mutate(there=rows.near_payment.notnull().cast("int64")).drop("near_payment")


def marked(rows: Any, markers: Any) -> Any:
    """Return rows with ``markers``, the number of a subject's markers of something before."""
    if markers is None:
        return rows.mutate(markers=ibis.literal(0, "int64"))
    markers = markers.filter(markers.marker.notin(CHILD_MARKERS))
    counted = markers.group_by("subject").aggregate(marks=markers.count()).rename(marked="subject")
    rows = rows.left_join(counted, rows.subject == counted.marked).drop("marked")
    return rows.mutate(markers=rows.marks.fill_null(0)).drop("marks")


def column(indicator: str) -> str:
    """Return the column of an indicator."""
    return f"v_{indicator.lower().replace('-', '_')}"


def resolved(indicator: Indicator, day: date, currencies: Currencies) -> Params:
    """Return an indicator's parameters with sums in hundredths of the reference currency."""
    return {
        name: hundredths(value, indicator.currency, day, currencies) if name.endswith("_minor") else value
        for name, value in indicator.params.items()
    }


def measured(rows: Any, pack: Pack, day: date, currencies: Currencies) -> Any:
    """Return one row a subject: ``subject``, ``n``, ``last_us`` and each computed indicator's value, null if unknown.

    A burst has a row a moment, and its ``payment``.
    """
    values = {
        column(one.id): _value(rows, one, resolved(one, day, currencies), alone=pack.view == "burst").cast(
            "int64"
        )
        for one in pack.computed
    }
    if pack.view == "burst":
        return rows.select("subject", "payment", n=rows.burst, last_us=rows.at_us, **values)
    return rows.group_by("subject").aggregate(n=rows.count(), last_us=rows.at_us.max(), **values)


def _value(rows: Any, indicator: Indicator, params: Params, *, alone: bool) -> Any:
    feature = FEATURES[indicator.feature]
    hit = feature.measure.hit(rows, params)
    if feature.reduce == "own":
        return hit.nullif(UNKNOWN)
    if feature.reduce == "max":
        return (hit if alone else hit.max()).nullif(UNKNOWN)
    if feature.reduce == "sum":
        return _count(hit)
    among = feature.measure.among(rows, params)
    return _count(hit & among) * 1000 // _count(among).nullif(0)


def _count(condition: Any) -> Any:
    """Return how many rows meet a condition."""
    return condition.cast("int64").sum()


def grouped(values: Any, pack: Pack, data: Dataset, facts: Any, window: Window) -> Any:
    """Return the measured subjects with ``habit``, ``age`` and ``payroll``, the classes that make a peer group."""
    habit = sum(((values.n >= edge).cast("int64") for edge in pack.habit), ibis.literal(0, "int64"))
    values = values.mutate(habit=habit)
    if "age" in pack.peers:
        today = window.to_us // DAY_US
        opened = data.customers.select("customer", opened_day=data.customers.opened.epoch_days())
        values = values.left_join(opened, values.subject == opened.customer).drop("customer")
        days = (today - values.opened_day).fill_null(0)
        age = sum(((days >= edge).cast("int64") for edge in AGE_DAYS), ibis.literal(0, "int64"))
        values = values.mutate(age=age).drop("opened_day")
    else:
        values = values.mutate(age=ibis.literal(0, "int64"))
    if "payroll" in pack.peers:
        paid = facts.filter(facts.role == "pay")
        paid = paid.group_by("subject").aggregate(months=(paid.at_us // (30 * DAY_US)).nunique())
        paid = paid.rename(paid_whom="subject")
        values = values.left_join(paid, values.subject == paid.paid_whom).drop("paid_whom")
        values = values.mutate(payroll=(values.months >= PAY_MONTHS).fill_null(False).cast("int64"))
        return values.drop("months")
    return values.mutate(payroll=ibis.literal(0, "int64"))
