"""One row of each view, in integers: the live step's counterpart of the columns that `features` and `lane` derive."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = -1
"""An hour, a tie or a gap that is not known: it belongs to no share's numerator or denominator."""


@dataclass(frozen=True, slots=True)
class Row:
    """One payment as a subject's row, in integers. The live step's counterpart of a view's columns.

    Parameters
    ----------
    at_us
        Microseconds since 1970 in UTC.
    payment, other
        The payment, and the other party: the receiver for a payer, the payer for a receiver.
    ref
        Amount in hundredths of the reference currency.
    round
        1 if it is a round sum in the currency of the payer or of the receiver.
    hour
        The payer's local hour, :data:`UNKNOWN` if not known.
    untied
        1 if nothing links the payer to the country, 0 if something does, :data:`UNKNOWN` without such records.
    everyday, handle, invoice
        1 if the reference text is of that category.
    rail
        Place in :data:`lightship.core.payments.RAILS`.
    first
        1 if it is the subject's first to this other in the window.
    gap
        Whole days since the one before it to or from the same other, :data:`UNKNOWN` for the first.
    equal
        1 if its sum equals that of the one before it with the same other.
    known
        Whole days since the first to this other.
    nth
        Place among the subject's rows, from 1.
    rise
        Of the whole subject, with four payments or more: 1 if those of the later half are larger on average by an
        eighth, and 1 more if they follow each other faster by an eighth; :data:`UNKNOWN` with fewer.
    peers
        Of a payer's row: the receiver's other payers, nothing tying them to it; at most 60.
    per_ten
        Payments that the receiver had for every ten of its untied payers, and of one more who paid once: 10 where
        each did.
    beside
        Of a receiver's row: the highest such number among the payer's other receivers whom several untied others pay.
    there
        1 if the payer's card was used in the country within some days.
    back
        1 if the other one has paid this subject too.
    platform, crypto, presence, markers
        Of the whole subject: payments to adult platforms, small payments in crypto, days of card use there, markers.
    """

    at_us: int
    payment: str
    other: str
    ref: int
    round: int
    hour: int
    untied: int
    everyday: int
    handle: int
    invoice: int
    rail: int
    first: int = 0
    gap: int = UNKNOWN
    equal: int = 0
    known: int = 0
    nth: int = 1
    rise: int = UNKNOWN
    peers: int = 0
    per_ten: int = 0
    beside: int = 0
    there: int = 0
    back: int = 0
    platform: int = 0
    crypto: int = 0
    presence: int = 0
    markers: int = 0


@dataclass(frozen=True, slots=True)
class Moment:
    """What had left a child's account when one payment left it, in integers.

    Parameters
    ----------
    at_us, payment, other
        The payment that the account is looked at with.
    ref
        Its amount in hundredths of the reference currency.
    burst
        Payments of the 48 hours up to it, itself included, that are like it *fresh*: to someone not paid in
        the year before, or by a kind of voucher or coin not used in the 30 days before.
    spent
        Their sum.
    opener
        Amount of the first of them.
    least
        Amount of the smallest of them.
    growth
        Mean of those after the first in thousandths of the first, :data:`UNKNOWN` with one alone.
    rush
        Those of the last 6 hours.
    same
        Those to the same other as this one.
    nights
        Those late at night by the account's clock.
    gifts, coins, games
        Those by gift card, by crypto, and for games.
    children
        Other children's accounts from which the same person was paid in the 90 days before.
    passes
        Others whose money the receiver, a customer, took in the 90 days before, where it soon passed some on into
        crypto or abroad; else 0.
    abroad
        Those into a listed corridor to which nothing known ties the account.
    depletion
        Their sum in thousandths of what leaves the account in a month, by the year before those 48 hours;
        :data:`UNKNOWN` where nothing did.
    markers
        Markers of the account.
    """

    at_us: int
    payment: str
    other: str
    ref: int
    burst: int
    spent: int
    opener: int
    least: int
    growth: int
    rush: int
    same: int
    nights: int
    gifts: int
    coins: int
    games: int
    children: int
    passes: int
    abroad: int
    depletion: int
    markers: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """One credit to an account from a person, or one payment onward from it, in integers.

    Parameters
    ----------
    at_us, payment, other
        The payment and the other party.
    ref
        Amount in hundredths of the reference currency.
    credit
        1 for money in, 0 for money on into crypto or abroad.
    prompt
        1 for money on within two days of a credit.
    first
        1 for the first credit from this other in the window.
    young
        1 if the sender is known to be under 22.
    """

    at_us: int
    payment: str
    other: str
    ref: int
    credit: int
    prompt: int
    first: int
    young: int
