"""Scoring a payment at a time: a pure step over what accounts hold, the same values as the batch engines'.

``step(world, state, payment)`` reads the accounts it needs from ``state`` and returns those that changed, what it
measured, and the alerts that begin. It holds no clock and no I/O: time is the payment's, and who keeps the accounts (a
dict, a database) is the caller's affair.
"""

from __future__ import annotations

import re
from bisect import insort
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from lightship.core.payments import RAILS, Alert, Payment
from lightship.payments import derive, keeper
from lightship.payments.baseline import Baseline
from lightship.payments.derive import Fact, Out, Passing, Send
from lightship.payments.evidence import alert, value_of
from lightship.payments.features import AGE_DAYS, LATEST, PAY_MONTHS, resolved
from lightship.payments.lane import (
    BURST_US,
    CHILD_MARKERS,
    CHILDREN_US,
    HISTORY_DAYS,
    NIGHT,
    QUIET_US,
    VOUCHERS,
)
from lightship.payments.money import rate_of
from lightship.payments.pack import Corridor, Pack
from lightship.payments.prepare import (
    DAY_US,
    PERSON_RAILS,
    Terms,
    Window,
    day_of,
    microseconds,
    rate_spans,
    zone_spans,
)
from lightship.payments.vocabulary import TEXTS, UNKNOWN, Params
from lightship.payments.weigh import Weighed, weigh

_Held = TypeVar("_Held", Send, Fact, Out, Passing)
_Spans = Mapping[str, list[tuple[int, int]]]
MOST_FACTS = 2048
MOST_GONE = 64
"""What an account holds at most: facts, and ids of payments that were taken back before they came."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What the institution's own records say of one customer.

    Parameters
    ----------
    kind
        ``person`` or ``business``.
    opened
        Day the account was opened.
    country, zone, born_year
        As in the table ``customers``.
    ties
        Countries to which something ties the customer.
    """

    kind: str
    opened: date
    country: str | None = None
    zone: str | None = None
    born_year: int | None = None
    ties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Account:
    """What the step holds of one party, each in order of time.

    Parameters
    ----------
    sends, receipts
        As payer and as receiver of payments into listed corridors.
    facts, outs, passing
        What `derive` needs besides.
    children
        As receiver: what children's accounts paid, each with the account in place of the other.
    gone
        Payments taken back that had not come yet.
    reached
        Typology to the last time that its threshold was reached.
    """

    sends: tuple[Send, ...] = ()
    receipts: tuple[Send, ...] = ()
    facts: tuple[Fact, ...] = ()
    outs: tuple[Out, ...] = ()
    passing: tuple[Passing, ...] = ()
    children: tuple[Out, ...] = ()
    gone: tuple[str, ...] = ()
    reached: tuple[tuple[str, int], ...] = ()


EMPTY = Account()


@dataclass(frozen=True, slots=True)
class Score:
    """One typology's look at one subject.

    Parameters
    ----------
    typology, subject, at_us
        Which, who, when.
    values
        By indicator; None where it is not known.
    weighed
        Their weights.
    keeper_mdb
        Level of the Watchkeeper.
    reached
        Whether it reached the threshold.
    """

    typology: str
    subject: str
    at_us: int
    values: Mapping[str, int | None]
    weighed: Weighed
    keeper_mdb: int
    reached: bool


@dataclass(frozen=True, slots=True)
class Step:
    """What one payment changed: accounts by party, what was measured, alerts that begin."""

    accounts: Mapping[str, Account]
    scores: tuple[Score, ...]
    alerts: tuple[Alert, ...]


@dataclass(frozen=True)
class World:
    """What does not change from payment to payment.

    Parameters
    ----------
    terms
        Jurisdiction, rates, zones.
    packs
        Those to score, as `covered` left them.
    baselines
        By typology; one is needed for each pack.
    profile
        Returns a customer's record, None for who is none.
    markers
        Returns the markers of a subject.
    ties_known
        Whether the institution has a table of ties at all.
    """

    terms: Terms
    packs: tuple[Pack, ...]
    baselines: Mapping[str, Baseline]
    profile: Callable[[str], Profile | None]
    markers: Callable[[str], tuple[str, ...]] = lambda _: ()
    ties_known: bool = True
    _texts: Mapping[str, re.Pattern[str]] = field(init=False)

    def __post_init__(self) -> None:
        patterns = {name: re.compile(self.terms.jurisdiction.texts[name], re.ASCII) for name in TEXTS}
        object.__setattr__(self, "_texts", patterns)

    @cached_property
    def _rates(self) -> Mapping[str, list[tuple[int, int, float, int]]]:
        found: dict[str, list[tuple[int, int, float, int]]] = {}
        for code, start, end, rate, round_minor in rate_spans(self.terms.currencies):
            found.setdefault(code, []).append((start, end, rate, round_minor))
        return found

    @cached_property
    def _corridors(self) -> tuple[_Spans, _Spans]:
        return _spans_of(self.terms.jurisdiction.corridors), _spans_of(self.terms.jurisdiction.extortion)

    def listed(self, country: str | None, at_us: int) -> bool:
        """Return whether a country is a listed corridor at a moment."""
        return any(start <= at_us < end for start, end in self._corridors[0].get(country or "", ()))

    def listed_for_extortion(self, country: str | None, at_us: int) -> bool:
        """Return whether a country is a listed corridor of extortion at a moment."""
        return any(start <= at_us < end for start, end in self._corridors[1].get(country or "", ()))

    def reference(self, amount_minor: int, currency: str, at_us: int) -> int:
        """Return a sum in hundredths of the reference currency.

        Raises
        ------
        InputError
            If there is no rate for the currency.
        """
        rate_of(currency, self.terms.currencies)
        rate = next(rate for start, end, rate, _ in self._rates[currency] if start <= at_us < end)
        return int((amount_minor * rate + 0.5) // 1)

    def is_round(self, amount_minor: int | None, currency: str | None) -> bool:
        """Return whether a sum is a round one of its currency."""
        if amount_minor is None or currency is None or currency not in self.terms.currencies:
            return False
        return amount_minor % self.terms.currencies[currency].round_minor == 0

    def sum_at(self, name: str, at_us: int) -> int:
        """Return one of the jurisdiction's sums in hundredths of the reference currency at a moment."""
        return next(value for end, value in self._sums[name] if at_us < end)

    @cached_property
    def _sums(self) -> Mapping[str, list[tuple[int, int]]]:
        return {name: self.terms.sums(name) for name in self.terms.jurisdiction.sums}

    def hour(self, zone: str | None, at_us: int) -> int:
        """Return the local hour."""
        if zone is None:
            return UNKNOWN
        offset_s = _offset(zone, at_us // DAY_US // 30, at_us)
        return UNKNOWN if offset_s is None else ((at_us // 1_000_000 + offset_s) // 3600) % 24

    def text(self, name: str, text: str | None) -> int:
        """Return 1 if a reference is of a category."""
        return int(text is not None and self._texts[name].search(text.lower()) is not None)

    @cached_property
    def _params(self) -> dict[tuple[str, date], Mapping[str, Params]]:
        return {}

    def params(self, pack: Pack, day: date) -> Mapping[str, Params]:
        """Return a pack's parameters on a day, by indicator."""
        key = (pack.id, day)
        if key not in self._params:
            self._params[key] = {one.id: resolved(one, day, self.terms.currencies) for one in pack.computed}
        return self._params[key]


def _spans_of(corridors: Iterable[Corridor]) -> _Spans:
    found: dict[str, list[tuple[int, int]]] = {}
    for one in corridors:
        end = microseconds(one.until) if one.until else 2**62
        found.setdefault(one.country, []).append((microseconds(one.since), end))
    return found


@lru_cache(maxsize=4096)
def _spans(zone: str, month: int) -> list[tuple[str, int, int, int]]:
    begin = month * 30 * DAY_US
    return zone_spans([zone], Window(begin, begin + 30 * DAY_US))


def _offset(zone: str, month: int, at_us: int) -> int | None:
    return next((offset for _, start, end, offset in _spans(zone, month) if start <= at_us < end), None)


def step(world: World, state: Mapping[str, Account], payment: Payment) -> Step:
    """Take one payment in, and look at whom it concerns."""
    if payment.reverses is not None:
        return Step(_taken_back(state, payment), (), ())
    if payment.payer == payment.payee:
        return Step({}, (), ())
    payer, payee = (state.get(party, EMPTY) for party in (payment.payer, payment.payee))
    if payment.payment in payer.gone or payment.payment in payee.gone:
        return Step({}, (), ())
    changed = _taken_in(world, payment, payer, payee)
    looks = _looks(changed, payer, payee, payment)
    accounts = dict(changed)

    def held(party: str) -> Account:
        return accounts.get(party) or state.get(party, EMPTY)

    scores, alerts = [], []
    for pack in world.packs:
        for subject in looks.get(pack.view, ()):
            found, rows = _look(world, pack, subject, held, payment.at_us, payment.payment)
            if found is None:
                continue
            scores.append(found)
            if not found.reached:
                continue
            account = held(subject)
            before = dict(account.reached).get(pack.id)
            if before is None or found.at_us - before >= QUIET_US:
                params = world.params(pack, Window.ending(payment.at_us, pack.window_days).day)
                base = world.baselines[pack.id]
                alerts.append(
                    alert(subject, rows, params, found.weighed, pack, base, keeper_mdb=found.keeper_mdb)
                )
            reached = dict(account.reached) | {pack.id: found.at_us}
            accounts[subject] = replace(account, reached=tuple(sorted(reached.items())))
    return Step(accounts, tuple(scores), tuple(alerts))


def look(world: World, state: Mapping[str, Account], pack: Pack, subject: str, at_us: int) -> Score | None:
    """Return a typology's look at a subject at a moment, None where it has no rows."""
    return _look(world, pack, subject, lambda party: state.get(party, EMPTY), at_us, None)[0]


def _looks(
    changed: Mapping[str, Account], payer: Account, payee: Account, payment: Payment
) -> dict[str, tuple[str, ...]]:
    """Return, by view, whose rows the payment changed."""
    new_payer, new_payee = changed.get(payment.payer, payer), changed.get(payment.payee, payee)
    found: dict[str, tuple[str, ...]] = {}
    if new_payer.sends is not payer.sends:
        found |= {"payer": (payment.payer,), "receiver": (payment.payee,)}
    if new_payer.outs is not payer.outs:
        found["burst"] = (payment.payer,)
    passing = [
        party
        for party, new, old in ((payment.payer, new_payer, payer), (payment.payee, new_payee, payee))
        if new.passing is not old.passing
    ]
    return found | {"mule": tuple(passing)}


def _look(
    world: World,
    pack: Pack,
    subject: str,
    held: Callable[[str], Account],
    at_us: int,
    payment: str | None,
) -> tuple[Score | None, list[Any]]:
    window = Window.ending(at_us, pack.window_days)
    account = held(subject)
    rows = _rows(world, pack, subject, account, held, window, payment)
    if not rows:
        return None, rows
    params = world.params(pack, window.day)
    values = {one.id: value_of(rows, one, params[one.id]) for one in pack.computed}
    n = rows[-1].burst if pack.view == "burst" else len(rows)
    classes = _classes(world, pack, subject, account, n, window)
    base = world.baselines[pack.id]
    weighed = weigh(values, *classes, pack, base)
    level = keeper.level(rows, pack, params, base.keeper_mdb, at_us) if pack.keeper else 0
    reached = (
        weighed.total_mdb >= round(pack.floor_db * 1000)
        and weighed.speaking >= pack.families_needed
        and (weighed.total_mdb >= base.threshold_mdb or 0 < base.keeper_threshold_mdb <= level)
    )
    return Score(pack.id, subject, rows[-1].at_us, values, weighed, level, reached), rows


def _rows(
    world: World,
    pack: Pack,
    subject: str,
    account: Account,
    held: Callable[[str], Account],
    window: Window,
    payment: str | None,
) -> list[Any]:
    marks = len(world.markers(subject))
    if pack.view == "payer":
        return derive.payer_rows(
            account.sends,
            account.facts,
            lambda party: held(party).receipts,
            marks,
            window.from_us,
            window.to_us,
        )
    if pack.view == "receiver":
        return derive.receiver_rows(
            account.receipts, lambda party: held(party).sends, marks, window.from_us, window.to_us
        )
    if pack.view == "mule":
        return derive.flow_rows(account.passing, window)
    now = [out for out in account.outs if out.payment == payment] or list(account.outs[-1:])

    def children(out: Out) -> set[str]:
        """Return the other children's accounts from which the same person was paid shortly before."""
        paid = () if out.voucher else held(out.other).children
        since_us = out.at_us - CHILDREN_US
        return {one.other for one in paid if since_us <= one.at_us <= out.at_us} - {subject}

    found = derive.moment(account.outs, marks, now[0], children) if now else None
    if found is None:
        return []
    # The moments of the 48 hours before it are what a reason names.
    recent = [out for out in account.outs if 0 < now[0].at_us - out.at_us <= BURST_US]
    before = [derive.moment(account.outs, marks, out, children) for out in recent]
    return [*(one for one in before if one is not None), found]


def _classes(
    world: World, pack: Pack, subject: str, account: Account, n: int, window: Window
) -> tuple[int, int, int]:
    """Return the classes of habit, age and payroll."""
    habit = sum(n >= edge for edge in pack.habit)
    age = payroll = 0
    if "age" in pack.peers:
        person = world.profile(subject)
        today = window.to_us // DAY_US
        days = today - (person.opened - date(1970, 1, 1)).days if person else 0
        age = sum(days >= edge for edge in AGE_DAYS)
    if "payroll" in pack.peers:
        paid = {
            fact.at_us // (30 * DAY_US)
            for fact in account.facts
            if fact.role == "pay" and window.from_us < fact.at_us <= window.to_us
        }
        payroll = int(len(paid) >= PAY_MONTHS)
    return habit, age, payroll


def _taken_back(state: Mapping[str, Account], payment: Payment) -> dict[str, Account]:
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


def _taken_in(world: World, payment: Payment, payer: Account, payee: Account) -> dict[str, Account]:
    """Return the accounts that the payment changes."""
    at_us, j = payment.at_us, world.terms.jurisdiction
    person, owner = world.profile(payment.payer), world.profile(payment.payee)
    days = {pack.view: pack.window_days for pack in world.packs}
    slow_us = at_us - max(days.get("payer", 1), days.get("receiver", 1)) * DAY_US
    mule_us = at_us - days.get("mule", 1) * DAY_US
    ref = world.reference(payment.amount_minor, payment.currency, at_us)
    to_listed = world.listed(payment.payee_country, at_us)
    to_person = payment.merchant_code is None and payment.rail in PERSON_RAILS
    new_payer, new_payee = payer, payee

    sent = _send(world, payment, person, ref) if to_person and to_listed else None
    if sent is not None:
        new_payer = replace(new_payer, sends=_put(payer.sends, sent, LATEST, slow_us))
        new_payee = replace(new_payee, receipts=_put(payee.receipts, sent, LATEST, slow_us))

    given = None
    if payment.merchant_code in j.merchants["platform"]:
        given = "platform"
    elif payment.rail == "crypto" and ref <= world.sum_at("small_crypto", at_us):
        given = "crypto"
    elif payment.rail == "card" and to_listed:
        given = "presence"
    if given and person:
        fact = Fact(payment.payment, at_us, given, payment.payee, payment.payee_country or "")  # type: ignore[arg-type]
        new_payer = replace(new_payer, facts=_put(payer.facts, fact, MOST_FACTS, slow_us))
    taken = None
    if payment.merchant_code is None:
        if world.listed(payment.payer_country, at_us):
            taken = "back"
        elif payment.rail == "bank" and ref >= world.sum_at("salary", at_us):
            taken = "pay"
    if taken and owner:
        fact = Fact(payment.payment, at_us, taken, payment.payer, payment.payer_country or "")  # type: ignore[arg-type]
        new_payee = replace(new_payee, facts=_put(payee.facts, fact, MOST_FACTS, slow_us))

    if _is_child(world, payment.payer, person, at_us):
        voucher = payment.rail in VOUCHERS
        out = Out(
            payment.payment,
            at_us,
            f"by {payment.rail}" if voucher else payment.payee,
            ref,
            int(voucher or (payment.merchant_code is None and payment.rail in PERSON_RAILS)),
            int(voucher),
            int(_late(world, payment, person)),
            int(payment.rail == "gift-card"),
            int(payment.rail == "crypto"),
            int(world.listed_for_extortion(payment.payee_country, at_us)),
        )
        new_payer = replace(new_payer, outs=_put(payer.outs, out, MOST_FACTS, at_us - HISTORY_DAYS * DAY_US))
        if out.risky and not voucher:
            kid = replace(out, other=payment.payer)
            kept = _put(payee.children, kid, MOST_FACTS, at_us - (CHILDREN_US + BURST_US))
            new_payee = replace(new_payee, children=kept)

    credit = payment.merchant_code is None and payment.rail in ("bank", "wallet")
    if credit and owner and owner.kind == "person" and not _firm(person):
        born = person.born_year if person and person.born_year else 0
        row = Passing(payment.payment, at_us, payment.payer, ref, 1, born)
        new_payee = replace(new_payee, passing=_put(payee.passing, row, MOST_FACTS, mule_us))
    onward = payment.rail == "crypto" or (payment.merchant_code is None and to_listed)
    if onward and person and person.kind == "person":
        row = Passing(payment.payment, at_us, payment.payee, ref, 0, 0)
        new_payer = replace(new_payer, passing=_put(payer.passing, row, MOST_FACTS, mule_us))

    changed = {}
    if new_payer is not payer:
        changed[payment.payer] = new_payer
    if new_payee is not payee:
        changed[payment.payee] = new_payee
    return changed


def _firm(person: Profile | None) -> bool:
    return person is not None and person.kind == "business"


def _is_child(world: World, party: str, person: Profile | None, at_us: int) -> bool:
    by_age = person is not None and _under_age(world, person, at_us)
    return by_age or any(marker in CHILD_MARKERS for marker in world.markers(party))


def _late(world: World, payment: Payment, person: Profile | None) -> bool:
    zone = person.zone if person else None
    home = payment.payer_country or (person.country if person else None) or ""
    hour = world.hour(zone or world.terms.zones.get(home), payment.at_us) if payment.time_known else UNKNOWN
    return hour >= NIGHT[0] or 0 <= hour < NIGHT[1]


def _under_age(world: World, person: Profile, at_us: int) -> bool:
    year = day_of(at_us).year - world.terms.jurisdiction.adult_age
    return person.born_year is not None and person.born_year >= year


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


def replay(world: World, payments: Iterable[Payment]) -> tuple[dict[str, Account], list[Step]]:
    """Return the accounts after a history, and each payment's step: what a test or a first start needs."""
    state: dict[str, Account] = {}
    steps = []
    for payment in payments:
        found = step(world, state, payment)
        state |= found.accounts
        steps.append(found)
    return state, steps
