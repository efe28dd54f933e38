"""Taking one payment in: which of the two accounts' rows it adds to, and what is dropped from them."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from lightship.core.payments import RAILS, Payment
from lightship.payments.derive import Fact, Out, Passing, Role, Send
from lightship.payments.features import CHILD_MARKERS, LATEST
from lightship.payments.lane import BURST_US, CHILDREN_US, HISTORY_DAYS, NIGHT, PASSING_US, VOUCHERS
from lightship.payments.prepare import DAY_US, PERSON_RAILS, grown_us
from lightship.payments.rows import UNKNOWN
from lightship.payments.vocabulary import TEXTS
from lightship.payments.world import EMPTY, Account, Profile, World

_Held = TypeVar("_Held", Send, Fact, Out, Passing)
MOST_FACTS = 2048
MOST_GONE = 64
"""What an account holds at most: facts, and ids of payments that were taken back before they came."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A payment with what the world says of it."""

    payment: Payment
    person: Profile | None
    owner: Profile | None
    ref: int
    to_listed: bool
    slow_us: int
    mule_us: int


def taken_in(world: World, payment: Payment, payer: Account, payee: Account) -> dict[str, Account]:
    """Return the accounts that a payment changes."""
    days = {pack.view: pack.window_days for pack in world.packs}
    at_us = payment.at_us
    seen = _Seen(
        payment,
        world.profile(payment.payer),
        world.profile(payment.payee),
        world.reference(payment.amount_minor, payment.currency, at_us),
        world.listed(payment.payee_country, at_us),
        at_us - max(days.get("payer", 1), days.get("receiver", 1)) * DAY_US,
        # A moment asks what went through the receiver's account, as of moments 48 hours back too.
        at_us - max(days.get("mule", 1) * DAY_US, (PASSING_US + BURST_US) * ("burst" in days)),
    )
    new_payer, new_payee = payer, payee
    for take in (_take_send, _take_facts, _take_out, _take_passing):
        new_payer, new_payee = take(world, seen, new_payer, new_payee)
    changed = {}
    if new_payer is not payer:
        changed[payment.payer] = new_payer
    if new_payee is not payee:
        changed[payment.payee] = new_payee
    return changed


def taken_back(state: Mapping[str, Account], payment: Payment) -> dict[str, Account]:
    """Return both parties' accounts without the payment that this one takes back."""
    found = {}
    gone = payment.reverses
    assert gone is not None
    for party in {payment.payer, payment.payee}:
        account = state.get(party, EMPTY)
        found[party] = replace(
            account,
            sends=_without(account.sends, gone),
            receipts=_without(account.receipts, gone),
            facts=_without(account.facts, gone),
            outs=_without(account.outs, gone),
            children=_without(account.children, gone),
            passing=_without(account.passing, gone),
            gone=(*account.gone, gone)[-MOST_GONE:],
        )
    return found


def _without(rows: tuple[Any, ...], payment: str) -> tuple[Any, ...]:
    return tuple(row for row in rows if row.payment != payment)


def _put(rows: tuple[_Held, ...], row: _Held, most: int, from_us: int) -> tuple[_Held, ...]:
    """Return rows with one more, in order of time, those before `from_us` and beyond the latest dropped."""
    kept = [one for one in rows if one.at_us > from_us]
    insort(kept, row, key=lambda one: (one.at_us, one.payment))
    return tuple(kept[-most:])


def _take_send(world: World, seen: _Seen, payer: Account, payee: Account) -> tuple[Account, Account]:
    payment = seen.payment
    if not (seen.to_listed and payment.merchant_code is None and payment.rail in PERSON_RAILS):
        return payer, payee
    sent = _send(world, payment, seen.person, seen.ref)
    if sent is None:
        return payer, payee
    return (
        replace(payer, sends=_put(payer.sends, sent, LATEST, seen.slow_us)),
        replace(payee, receipts=_put(payee.receipts, sent, LATEST, seen.slow_us)),
    )


def _take_facts(world: World, seen: _Seen, payer: Account, payee: Account) -> tuple[Account, Account]:
    payment, at_us = seen.payment, seen.payment.at_us
    given = _given(world, seen) if seen.person else None
    if given:
        fact = Fact(payment.payment, at_us, given, payment.payee, payment.payee_country or "")
        payer = replace(payer, facts=_put(payer.facts, fact, MOST_FACTS, seen.slow_us))
    taken = _taken(world, seen) if seen.owner else None
    if taken:
        fact = Fact(payment.payment, at_us, taken, payment.payer, payment.payer_country or "")
        payee = replace(payee, facts=_put(payee.facts, fact, MOST_FACTS, seen.slow_us))
    return payer, payee


def _given(world: World, seen: _Seen) -> Role | None:
    payment = seen.payment
    if payment.merchant_code in world.terms.jurisdiction.merchants["platform"]:
        return "platform"
    if payment.rail == "crypto" and seen.ref <= world.sum_at("small_crypto", payment.at_us):
        return "crypto"
    return "presence" if payment.rail == "card" and seen.to_listed else None


def _taken(world: World, seen: _Seen) -> Role | None:
    payment = seen.payment
    if payment.merchant_code is not None:
        return None
    if world.listed(payment.payer_country, payment.at_us):
        return "back"
    is_pay = payment.rail == "bank" and seen.ref >= world.sum_at("salary", payment.at_us)
    return "pay" if is_pay else None


def _take_out(world: World, seen: _Seen, payer: Account, payee: Account) -> tuple[Account, Account]:
    payment, at_us = seen.payment, seen.payment.at_us
    if not _is_child(world, payment.payer, seen.person, at_us):
        return payer, payee
    voucher = payment.rail in VOUCHERS
    tied = seen.person is not None and payment.payee_country in seen.person.ties
    out = Out(
        payment=payment.payment,
        at_us=at_us,
        other=f"by {payment.rail}" if voucher else payment.payee,
        ref=seen.ref,
        risky=int(voucher or (payment.merchant_code is None and payment.rail in PERSON_RAILS)),
        voucher=int(voucher),
        night=int(_late(world, payment, seen.person)),
        gift=int(payment.rail == "gift-card"),
        crypto=int(payment.rail == "crypto"),
        game=int(payment.rail == "gaming"),
        abroad=int(not tied and world.listed_for_extortion(payment.payee_country, at_us)),
    )
    payer = replace(payer, outs=_put(payer.outs, out, MOST_FACTS, at_us - HISTORY_DAYS * DAY_US))
    if out.risky and not voucher:
        kept = _put(
            payee.children, replace(out, other=payment.payer), MOST_FACTS, at_us - CHILDREN_US - BURST_US
        )
        payee = replace(payee, children=kept)
    return payer, payee


def _take_passing(_: World, seen: _Seen, payer: Account, payee: Account) -> tuple[Account, Account]:
    payment, person, owner = seen.payment, seen.person, seen.owner
    to_owner = payment.merchant_code is None and payment.rail in ("bank", "wallet")
    if to_owner and owner and owner.kind == "person" and not (person and person.kind == "business"):
        born = person.born_year if person and person.born_year else 0
        row = Passing(payment.payment, payment.at_us, payment.payer, seen.ref, 1, born)
        payee = replace(payee, passing=_put(payee.passing, row, MOST_FACTS, seen.mule_us))
    onward = payment.rail == "crypto" or (payment.merchant_code is None and seen.to_listed)
    if onward and person and person.kind == "person":
        row = Passing(payment.payment, payment.at_us, payment.payee, seen.ref, 0, 0)
        payer = replace(payer, passing=_put(payer.passing, row, MOST_FACTS, seen.mule_us))
    return payer, payee


def _is_child(world: World, party: str, person: Profile | None, at_us: int) -> bool:
    by_age = person is not None and _under_age(world, person, at_us)
    return by_age or any(marker in CHILD_MARKERS for marker in world.markers(party))


def _late(world: World, payment: Payment, person: Profile | None) -> bool:
    zone = person.zone if person else None
    home = payment.payer_country or (person.country if person else None) or ""
    hour = world.hour(zone or world.terms.zones.get(home), payment.at_us) if payment.time_known else UNKNOWN
    return hour >= NIGHT[0] or 0 <= hour < NIGHT[1]


def _under_age(world: World, person: Profile, at_us: int) -> bool:
    if person.born_year is None:
        return False
    grown: int = grown_us(person.born_year, person.born_month or 12, world.terms.jurisdiction.adult_age)
    return at_us < grown


def _send(world: World, payment: Payment, person: Profile | None, ref: int) -> Send | None:
    """Return the payment as a row of `prepare.sends`, None if it is no person's payment abroad."""
    if person is None or person.kind != "person" or _under_age(world, person, payment.at_us):
        return None
    home = payment.payer_country or person.country or ""
    if home == payment.payee_country:
        return None
    zone = person.zone or world.terms.zones.get(home)
    country = payment.payee_country or ""
    return Send(
        payment=payment.payment,
        at_us=payment.at_us,
        payer=payment.payer,
        payee=payment.payee,
        country=country,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        ref=ref,
        round=int(
            world.is_round(payment.amount_minor, payment.currency)
            or world.is_round(payment.payee_amount_minor, payment.payee_currency)
        ),
        hour=world.hour(zone, payment.at_us) if payment.time_known else UNKNOWN,
        untied=int(country not in person.ties) if world.ties_known else UNKNOWN,
        rail=RAILS.index(payment.rail),
        **{name: world.text(name, payment.text) for name in TEXTS},
    )
