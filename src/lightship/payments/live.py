"""Scoring a payment at a time: a pure step over what accounts hold, the same values as the batch engines'.

``step(world, state, payment)`` reads the accounts it needs from ``state`` and returns those that changed, what it
measured, and the alerts that begin. It holds no clock and no I/O: time is the payment's, and who keeps the accounts (a
dict, a database) is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from lightship.core.payments import Alert, Payment
from lightship.payments import derive, keeper
from lightship.payments.derive import Out
from lightship.payments.evidence import alert, value_of
from lightship.payments.features import AGE_DAYS, CHILD_MARKERS, PAY_MONTHS
from lightship.payments.intake import taken_back, taken_in
from lightship.payments.lane import BURST_US, CHILDREN_US, QUIET_US
from lightship.payments.pack import Pack
from lightship.payments.prepare import DAY_US, Window
from lightship.payments.weigh import Weighed, weigh
from lightship.payments.world import EMPTY, Account, Profile, World

__all__ = ["EMPTY", "Account", "Profile", "Score", "Step", "World", "look", "replay", "step"]


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


def step(world: World, state: Mapping[str, Account], payment: Payment) -> Step:
    """Take one payment in, and look at whom it concerns."""
    if payment.reverses is not None:
        return Step(taken_back(state, payment), (), ())
    if payment.payer == payment.payee:
        return Step({}, (), ())
    payer, payee = (state.get(party, EMPTY) for party in (payment.payer, payment.payee))
    if payment.payment in payer.gone or payment.payment in payee.gone:
        return Step({}, (), ())
    changed = taken_in(world, payment, payer, payee)
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
    marks = sum(marker not in CHILD_MARKERS for marker in world.markers(subject))
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
            account.receipts,
            lambda party: held(party).sends,
            lambda party: held(party).receipts,
            lambda party: held(party).facts,
            marks,
            window.from_us,
            window.to_us,
        )
    if pack.view == "mule":
        return derive.flow_rows(account.passing, window)
    now = [out for out in account.outs if out.payment == payment] or list(account.outs[-1:])

    def children(out: Out) -> set[str]:
        """Return the other children's accounts from which the same person was paid shortly before."""
        paid = () if out.voucher else held(out.other).children
        since_us = out.at_us - CHILDREN_US
        return {one.other for one in paid if since_us <= one.at_us <= out.at_us} - {subject}

    def passes(out: Out) -> int:
        """Return from how many others the same person took money and passed some on."""
        return 0 if out.voucher else derive.passed_on(held(out.other).passing, subject, out.at_us)

    found = derive.moment(account.outs, marks, now[0], children, passes) if now else None
    if found is None:
        return []
    # The moments of the 48 hours before it are what a reason names.
    recent = [out for out in account.outs if 0 < now[0].at_us - out.at_us <= BURST_US]
    before = [derive.moment(account.outs, marks, out, children, passes) for out in recent]
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


def replay(world: World, payments: Iterable[Payment]) -> tuple[dict[str, Account], list[Step]]:
    """Return the accounts after a history, and each payment's step: what a test or a first start needs."""
    state: dict[str, Account] = {}
    steps = []
    for payment in payments:
        found = step(world, state, payment)
        state |= found.accounts
        steps.append(found)
    return state, steps
