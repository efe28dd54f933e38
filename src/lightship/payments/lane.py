"""The fast lane: what leaves a child's account, looked at with each payment, and an account that passes money on.

A child who is extorted pays people or codes that were never paid before, several times within hours, until the account
is empty. So each payment that is *fresh* is a moment: it goes to someone, or by a kind of voucher or coin, to whom
or by which nothing went in the 30 days before these 48 hours. :mod:`lightship.payments.live` sees the same moments
as they come.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis

from lightship.payments.features import CHILD_MARKERS, marked
from lightship.payments.prepare import (
    DAY_US,
    HOUR_US,
    PERSON_RAILS,
    Dataset,
    Terms,
    Window,
    in_reference,
    listed,
    standing,
    with_grown,
    with_hour,
)
from lightship.payments.rows import UNKNOWN

BURST_US = 48 * HOUR_US
RUSH_US = 6 * HOUR_US
QUIET_US = 30 * DAY_US
"""Not used for so long, a kind of voucher is fresh again; an account is alerted about once in this time."""

NEVER_US = 365 * DAY_US
"""Not paid for so long, a receiver is fresh again, and so far an account's usual spending goes back."""

NIGHT = (22, 5)
"""From and to before which hour of the account's clock it is late."""

CHILDREN_US = 90 * DAY_US
"""So far back other children's payments to the same person are looked for."""

PASSING_US = 90 * DAY_US
"""So far back a receiver's own account is asked what came in and what went on."""

MONTH_DAYS = 30
HISTORY_DAYS = 370
"""What a moment looks back on."""

VOUCHERS = ("gift-card", "gaming", "crypto")
YOUNG = 22
_REF_BITS = 30


def outs(data: Dataset, terms: Terms, window: Window, small: Mapping[str, Any]) -> Any:
    """Return what left children's accounts: payment, at_us, subject, other, ref, risky, voucher, abroad.

    A child's account is one whose holder may have been under age, by month or else year of birth, or one marked as a
    child's or as a parent's for one.
    """
    wide = Window(window.from_us - HISTORY_DAYS * DAY_US, window.to_us)
    people = with_grown(data.customers, terms)
    people = people.select("grown_us", holder=people.customer, own_zone=people.zone, home=people.country)
    people = people.mutate(marked=ibis.literal(0, "int64"))
    if data.markers is not None:
        marks = data.markers.filter(data.markers.marker.isin(CHILD_MARKERS)).select(whom=data.markers.subject)
        people = people.left_join(marks.distinct(), people.holder == marks.whom)
        people = people.mutate(marked=people.whom.notnull().cast("int64")).drop("whom")
    people = people.filter((people.grown_us > wide.from_us).fill_null(False) | (people.marked == 1))
    rows = standing(data.payments, wide)
    rows = rows.inner_join(people, rows.payer == people.holder)
    child = (rows.at_us < rows.grown_us).fill_null(False) | (rows.marked == 1)
    rows = in_reference(rows.filter(child), small["rates"])
    rows = with_hour(rows.mutate(from_country=ibis.coalesce(rows.payer_country, rows.home, "")), small)
    to_listed = listed(rows.payee_country, rows.at_us, terms.jurisdiction.extortion).fill_null(False)
    if data.ties is not None:
        ties = data.ties.select(tied=data.ties.customer, tied_to=data.ties.country).distinct()
        rows = rows.left_join(ties, [rows.payer == ties.tied, rows.payee_country == ties.tied_to])
        to_listed = to_listed & rows.tied.isnull()
    voucher = rows.rail.isin(VOUCHERS)
    person = rows.merchant_code.isnull() & rows.rail.isin(PERSON_RAILS)
    return rows.select(
        "payment",
        "at_us",
        "currency",
        "ref",
        subject=rows.payer,
        other=voucher.ifelse(ibis.literal("by ") + rows.rail, rows.payee),
        risky=(voucher | person).cast("int64"),
        voucher=voucher.cast("int64"),
        gift=(rows.rail == "gift-card").cast("int64"),
        crypto=(rows.rail == "crypto").cast("int64"),
        night=((rows.hour >= NIGHT[0]) | ((rows.hour < NIGHT[1]) & (rows.hour >= 0))).cast("int64"),
        game=(rows.rail == "gaming").cast("int64"),
        abroad=to_listed.cast("int64"),
    )


def fresh(rows: Any) -> Any:
    """Return the fresh ones of :func:`outs`, with ``before`` and ``since_us`` of all that left the account.

    A run to a receiver begins after a quiet time, and for 48 hours its payments are fresh. The quiet time is the
    longer, so a payment is fresh where nothing was paid for so long before the first of its own 48 hours.
    """
    to_other = ("subject", "other")
    begin_us = rows.at_us.min().over(_trailing(BURST_US, "other"))
    earlier = ibis.range_window(preceding=(None, BURST_US + 1), group_by=to_other, order_by="at_us")
    rows = rows.mutate(begin_us=begin_us, earlier_us=rows.at_us.max().over(earlier))
    quiet_us = (rows.voucher == 1).ifelse(QUIET_US, NEVER_US)
    starts = rows.earlier_us.isnull() | (rows.begin_us - rows.earlier_us >= quiet_us)
    rows = rows.mutate(fresh=((rows.risky == 1) & starts).cast("int64")).drop("begin_us", "earlier_us")
    everything_us = _trailing(NEVER_US)
    rows = rows.mutate(
        before=rows.ref.sum().over(everything_us) - rows.ref.sum().over(_trailing(BURST_US)),
        since_us=rows.at_us - rows.at_us.min().over(everything_us),
    )
    return rows.filter(rows.fresh == 1)


def moments(rows: Any, everything: Any, through: Any, window: Window, markers: Any = None) -> Any:
    """Return the burst view: columns of :class:`lightship.payments.rows.Moment`, and ``subject``.

    Parameters
    ----------
    rows, everything, through
        What :func:`fresh` left of the accounts looked at, what left all children's accounts, and what went
        :func:`through` accounts, from :data:`PASSING_US` before the window.
    """
    recent = _trailing(BURST_US)
    # Whole seconds of the clock, as the live path has them: counted from the window they would begin elsewhere.
    since_s = (window.from_us - (HISTORY_DAYS + 1) * DAY_US) // 1_000_000
    code = (rows.at_us // 1_000_000 - since_s) * (1 << _REF_BITS)
    code = code + ibis.least(rows.ref, (1 << _REF_BITS) - 1)
    rows = rows.mutate(
        burst=rows.fresh.sum().over(recent),
        rush=rows.fresh.sum().over(_trailing(RUSH_US)),
        same=rows.fresh.sum().over(_trailing(BURST_US, "other")),
        spent=rows.ref.sum().over(recent),
        opener=code.min().over(recent) % (1 << _REF_BITS),
        least=rows.ref.min().over(recent),
        nights=rows.night.sum().over(recent),
        gifts=rows.gift.sum().over(recent),
        coins=rows.crypto.sum().over(recent),
        games=rows.game.sum().over(recent),
        burst_abroad=rows.abroad.sum().over(recent),
    )
    rows = _with_children(rows.filter(rows.at_us > window.from_us), everything)
    rows = _with_passing(rows, through)
    usual = rows.before * MONTH_DAYS // ibis.greatest(rows.since_us // DAY_US, MONTH_DAYS)
    depletion = ((usual > 0) & (rows.since_us >= (MONTH_DAYS + 2) * DAY_US)).ifelse(
        rows.spent * 1000 // usual.nullif(0), UNKNOWN
    )
    later = (rows.spent - rows.opener) * 1000 // ((rows.burst - 1) * rows.opener).nullif(0)
    growth = later.fill_null(UNKNOWN)
    rows = rows.select(
        *("subject", "at_us", "payment", "other", "ref"),
        *("burst", "spent", "opener", "least", "rush", "same", "nights", "gifts", "coins", "games"),
        depletion=depletion.cast("int64"),
        growth=growth.cast("int64"),
        abroad=rows.burst_abroad,
        children=rows.children.fill_null(0),
        passes=rows.passes.fill_null(0),
    )
    return marked(rows, markers)


def _with_children(rows: Any, everything: Any) -> Any:
    """Return rows with the number of other children's accounts that paid the same person shortly before."""
    to_people = everything.filter(everything.risky == 1, everything.voucher == 0)
    others = to_people.select(paid_by=to_people.subject, paid=to_people.other, paid_us=to_people.at_us)
    pairs = rows.inner_join(
        others,
        [
            rows.other == others.paid,
            others.paid_us <= rows.at_us,
            others.paid_us >= rows.at_us - CHILDREN_US,
            rows.subject != others.paid_by,
        ],
    )
    counted = pairs.group_by(counted=pairs.payment).aggregate(children=pairs.paid_by.nunique())
    return rows.left_join(counted, rows.payment == counted.counted).drop("counted")


def _with_passing(rows: Any, through: Any) -> Any:
    """Return rows with how many others' money the receiver took shortly before, 0 where none was soon passed on.

    What came at the same moment as the row is left out: the live step may not have it yet.
    """
    paid = rows.select(paid=rows.other).distinct()
    through = through.semi_join(paid, through.subject == paid.paid)
    credit_us = (through.credit == 1).ifelse(through.at_us, ibis.null("int64"))
    through = through.mutate(credited_us=credit_us.max().over(_trailing(BURST_US)))
    through = through.select("credited_us", "credit", holder="subject", sender="other", moved_us="at_us")
    pairs = rows.inner_join(
        through,
        [
            rows.other == through.holder,
            through.moved_us < rows.at_us,
            through.moved_us > rows.at_us - PASSING_US,
        ],
    )
    soon = (pairs.credit == 0) & (pairs.credited_us > pairs.at_us - PASSING_US)
    counted = pairs.group_by(passing=pairs.payment).aggregate(
        senders=pairs.sender.nunique(where=(pairs.credit == 1) & (pairs.sender != pairs.subject)),
        onward=soon.fill_null(False).cast("int64").max(),
    )
    counted = counted.select("passing", passes=(counted.onward == 1).ifelse(counted.senders, 0))
    return rows.left_join(counted, rows.payment == counted.passing).drop("passing")


def _trailing(width_us: int, *more: str) -> Any:
    return ibis.range_window(preceding=width_us, following=0, group_by=["subject", *more], order_by="at_us")


def flows(data: Dataset, terms: Terms, window: Window, rates: Any) -> Any:
    """Return what :func:`passings` orders: :func:`through` with ``ref``, and when who sent money was born."""
    rows = in_reference(through(data, terms, window), rates).drop("amount_minor")
    senders = data.customers.select(sender="customer", born="born_year")
    rows = rows.left_join(senders, [rows.credit == 1, rows.other == senders.sender]).drop("sender")
    return rows.mutate(born=rows.born.fill_null(0).cast("int64"))


def through(data: Dataset, terms: Terms, window: Window, whose: Any | None = None) -> Any:
    """Return what came to people's accounts and went on: payment, at_us, subject, other, sums, credit.

    Credits are sums from people to a person's account; onward is what leaves one for crypto or a listed corridor.

    Parameters
    ----------
    whose
        Table with one column, ``holder``: the accounts; None for all customers'.
    """
    p, people = data.payments, data.customers
    firms = people.filter(people.kind == "business").select(firm=people.customer)
    owners = people.filter(people.kind == "person").select(owner=people.customer)
    if whose is not None:
        owners = owners.semi_join(whose, owners.owner == whose.holder)
    credits_ = standing(p, window, p.merchant_code.isnull(), p.rail.isin(("bank", "wallet")))
    credits_ = credits_.semi_join(owners, credits_.payee == owners.owner)
    credits_ = credits_.anti_join(firms, credits_.payer == firms.firm)
    credits_ = credits_.select(
        *("payment", "at_us", "amount_minor", "currency"),
        subject=credits_.payee,
        other=credits_.payer,
        credit=ibis.literal(1, "int64"),
    )
    abroad = (
        listed(p.payee_country, p.at_us, terms.jurisdiction.corridors).fill_null(False)
        & p.merchant_code.isnull()
    )
    onward = standing(p, window, (p.rail == "crypto") | abroad)
    onward = onward.semi_join(owners, onward.payer == owners.owner)
    onward = onward.select(
        *("payment", "at_us", "amount_minor", "currency"),
        subject=onward.payer,
        other=onward.payee,
        credit=ibis.literal(0, "int64"),
    )
    return credits_.union(onward)


def passings(rows: Any, window: Window) -> Any:
    """Return the mule view: columns of :class:`lightship.payments.rows.Flow`, and ``subject``."""
    rows = rows.mutate(young=(rows.born > window.day.year - YOUNG).cast("int64"))
    order = ibis.window(group_by=["subject", "other", "credit"], order_by=["at_us", "payment"])
    rows = rows.mutate(first=(ibis.row_number().over(order) == 0).cast("int64"))
    incoming = ibis.window(group_by="subject")
    rows = rows.mutate(any_credit=rows.credit.max().over(incoming))
    rows = rows.mutate(credits=rows.credit.sum().over(_trailing(BURST_US)))
    rows = rows.mutate(prompt=((rows.credit == 0) & (rows.credits > 0)).cast("int64"))
    return rows.filter(rows.any_credit == 1).drop("any_credit", "credits")
