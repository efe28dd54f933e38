"""The fast lane: what leaves a child's account, looked at with each payment, and an account that passes money on.

A child who is extorted pays people or codes that were never paid before, several times within hours, until the account
is empty. So each payment that is *fresh* is a moment: it goes to someone, or by a kind of voucher or coin, to whom
or by which nothing went in the 30 days before these 48 hours. :mod:`lightship.payments.live` sees the same moments
as they come.
"""

from __future__ import annotations

from typing import Any

import ibis

from lightship.payments.features import marked
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
)

BURST_US = 48 * HOUR_US
QUIET_US = 30 * DAY_US
"""Not paid for so long, a receiver or a voucher is fresh again; an account is alerted about once in this time."""

USUAL_US = 30 * DAY_US
HISTORY_DAYS = 35
"""What a moment looks back on."""

VOUCHERS = ("gift-card", "gaming", "crypto")
CHILD_MARKERS = ("child-account", "child-parent")
YOUNG = 22
_REF_BITS = 30


def children(data: Dataset, terms: Terms, window: Window) -> Any:
    """Return ``child``: accounts of those under age by year of birth, or marked as a child's or a parent's for one."""
    year = window.day.year
    people = data.customers
    by_age = people.filter(people.born_year > year - terms.jurisdiction.adult_age).select(
        child=people.customer
    )
    if data.markers is None:
        return by_age
    marks = data.markers.filter(data.markers.marker.isin(CHILD_MARKERS))
    return by_age.union(marks.select(child=marks.subject), distinct=True)


def outs(data: Dataset, terms: Terms, window: Window, rates: Any) -> Any:
    """Return what left children's accounts: payment, at_us, subject, other, ref, risky, voucher, abroad."""
    wide = Window(window.from_us - HISTORY_DAYS * DAY_US, window.to_us)
    p = data.payments
    rows = standing(p, wide)
    who = children(data, terms, window)
    rows = in_reference(rows.semi_join(who, rows.payer == who.child), rates)
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
        abroad=listed(rows.payee_country, rows.at_us, terms.jurisdiction).fill_null(False).cast("int64"),
    )


def moments(rows: Any, window: Window, markers: Any = None) -> Any:
    """Return the burst view: columns of :class:`lightship.payments.vocabulary.Moment`, and ``subject``."""
    to_other = ibis.window(group_by=["subject", "other"], order_by=["at_us", "payment"])
    rows = rows.mutate(previous_us=rows.at_us.lag().over(to_other))
    starts = rows.previous_us.isnull() | (rows.at_us - rows.previous_us >= QUIET_US)
    rows = rows.mutate(start_us=starts.ifelse(rows.at_us, ibis.null("int64")))
    so_far = ibis.window(group_by=["subject", "other"], order_by=["at_us", "payment"], rows=(None, 0))
    rows = rows.mutate(run_us=rows.start_us.max().over(so_far))
    rows = rows.mutate(fresh=((rows.risky == 1) & (rows.at_us - rows.run_us <= BURST_US)).cast("int64"))
    recent = _trailing(BURST_US)
    code = (rows.at_us - (window.from_us - (HISTORY_DAYS + 1) * DAY_US)) // 1_000_000 * (1 << _REF_BITS)
    code = code + ibis.least(rows.ref, (1 << _REF_BITS) - 1)
    rows = rows.mutate(code=(rows.fresh == 1).ifelse(code, ibis.null("int64")))
    rows = rows.mutate(
        burst=rows.fresh.sum().over(recent),
        spent=(rows.fresh * rows.ref).sum().over(recent),
        opener=rows.code.min().over(recent) % (1 << _REF_BITS),
        vouchers=(rows.fresh * rows.voucher).sum().over(recent),
        burst_abroad=(rows.fresh * rows.abroad).sum().over(recent),
        usual=rows.ref.sum().over(_trailing(USUAL_US)) - rows.ref.sum().over(recent),
    )
    rows = rows.filter(rows.fresh == 1, rows.at_us > window.from_us)
    rows = rows.select(
        *("subject", "at_us", "payment", "other", "ref", "burst", "spent", "opener", "vouchers", "usual"),
        abroad=rows.burst_abroad,
    )
    return marked(rows, markers)


def _trailing(width_us: int) -> Any:
    return ibis.range_window(preceding=width_us, following=0, group_by="subject", order_by="at_us")


def flows(data: Dataset, terms: Terms, window: Window, rates: Any) -> Any:
    """Return the mule view: columns of :class:`lightship.payments.vocabulary.Flow`, and ``subject``.

    Credits are sums from people to a person's account; onward is what leaves it for crypto or a listed corridor.
    """
    p, people = data.payments, data.customers
    firms = people.filter(people.kind == "business").select(firm=people.customer)
    owners = people.filter(people.kind == "person").select(owner=people.customer)
    credits_ = standing(p, window, p.merchant_code.isnull(), p.rail.isin(("bank", "wallet")))
    credits_ = credits_.semi_join(owners, credits_.payee == owners.owner)
    credits_ = credits_.anti_join(firms, credits_.payer == firms.firm)
    senders = people.select(sender=people.customer, born=people.born_year)
    credits_ = credits_.left_join(senders, credits_.payer == senders.sender)
    credits_ = in_reference(credits_, rates)
    credits_ = credits_.select(
        *("payment", "at_us", "ref", "currency"),
        subject=credits_.payee,
        other=credits_.payer,
        credit=ibis.literal(1, "int64"),
        young=(credits_.born > window.day.year - YOUNG).fill_null(False).cast("int64"),
    )
    abroad = listed(p.payee_country, p.at_us, terms.jurisdiction).fill_null(False) & p.merchant_code.isnull()
    onward = standing(p, window, (p.rail == "crypto") | abroad)
    onward = in_reference(onward.semi_join(credits_, onward.payer == credits_.subject), rates)
    onward = onward.select(
        *("payment", "at_us", "ref", "currency"),
        subject=onward.payer,
        other=onward.payee,
        credit=ibis.literal(0, "int64"),
        young=ibis.literal(0, "int64"),
    )
    rows = credits_.union(onward)
    order = ibis.window(group_by=["subject", "other", "credit"], order_by=["at_us", "payment"])
    rows = rows.mutate(first=(ibis.row_number().over(order) == 0).cast("int64"))
    incoming = ibis.window(group_by="subject")
    rows = rows.mutate(any_credit=rows.credit.max().over(incoming))
    return rows.filter(rows.any_credit == 1).drop("any_credit")
