"""The views' rows in Python, as the live step derives them; `features` and `lane` say the same in Ibis.

A subject's rows are few, so each is derived anew from what an account holds whenever it is looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import Literal

from lightship.payments.features import LATEST, MOST_PEERS, NEAR_US, SEVERAL
from lightship.payments.lane import BURST_US, MONTH_DAYS, NEVER_US, PASSING_US, QUIET_US, RUSH_US, YOUNG
from lightship.payments.prepare import DAY_US, Window
from lightship.payments.rows import UNKNOWN, Flow, Moment, Row

Role = Literal["presence", "platform", "crypto", "back", "pay"]


@dataclass(frozen=True, slots=True)
class Send:
    """A person's payment to someone in a listed corridor, in integers; the columns of `prepare.sends`."""

    payment: str
    at_us: int
    payer: str
    payee: str
    country: str
    amount_minor: int
    currency: str
    ref: int
    round: int
    hour: int
    untied: int
    rail: int
    everyday: int
    handle: int
    invoice: int


@dataclass(frozen=True, slots=True)
class Fact:
    """What else is known of a customer; the columns of `prepare.context`."""

    payment: str
    at_us: int
    role: Role
    other: str
    country: str


@dataclass(frozen=True, slots=True)
class Out:
    """What left a child's account; the columns of `lane.outs`."""

    payment: str
    at_us: int
    other: str
    ref: int
    risky: int
    voucher: int
    night: int
    gift: int
    crypto: int
    game: int
    abroad: int


@dataclass(frozen=True, slots=True)
class Passing:
    """A credit from a person (1) or a payment onward (0), with the sender's year of birth, 0 if not known."""

    payment: str
    at_us: int
    other: str
    ref: int
    credit: int
    born: int


def latest(rows: Iterable[Send], from_us: int, to_us: int) -> list[Send]:
    """Return the window's rows in order of time, the latest only; they come in order of time."""
    return [row for row in rows if from_us < row.at_us <= to_us][-LATEST:]


def payer_rows(
    sends: Sequence[Send],
    facts: Sequence[Fact],
    receipts_of: Callable[[str], Sequence[Send]],
    markers: int,
    from_us: int,
    to_us: int,
) -> list[Row]:
    """Return the payer's view of one customer.

    Parameters
    ----------
    receipts_of
        What a receiver received from all customers.
    """
    rows = latest(sends, from_us, to_us)
    facts = [fact for fact in facts if from_us < fact.at_us <= to_us]
    peers = {
        payee: _fans(latest(receipts_of(payee), from_us, to_us)).peers(rows[0].payer)
        for payee in {row.payee for row in rows}
    }
    presence = _presence(facts)
    back = {fact.other for fact in facts if fact.role == "back"}
    whole = {
        "platform": sum(fact.role == "platform" for fact in facts),
        "crypto": sum(fact.role == "crypto" for fact in facts),
        "presence": len({fact.at_us // DAY_US for fact in presence}),
        "markers": markers,
    }
    return _ordered(
        rows,
        [row.payee for row in rows],
        lambda row: {
            "peers": peers[row.payee][0],
            "per_ten": peers[row.payee][1],
            "there": _there(row, presence),
            "back": int(row.payee in back),
            **whole,
        },
    )


def receiver_rows(
    receipts: Sequence[Send],
    sends_of: Callable[[str], Sequence[Send]],
    receipts_of: Callable[[str], Sequence[Send]],
    facts_of: Callable[[str], Sequence[Fact]],
    markers: int,
    from_us: int,
    to_us: int,
) -> list[Row]:
    """Return the receiver's view of one receiver.

    Parameters
    ----------
    sends_of, facts_of
        What a payer sent, and what else is known of him.
    receipts_of
        What a receiver received from all customers.
    """
    rows = latest(receipts, from_us, to_us)
    per_ten = _fans(rows).per_ten
    fans_of = cache(lambda payee: _fans(latest(receipts_of(payee), from_us, to_us)))
    beside, presence = {}, {}
    for payer in {row.payer for row in rows}:
        others = {send.payee for send in latest(sends_of(payer), from_us, to_us)} - {rows[0].payee}
        shared = [fans_of(payee).peers(payer) for payee in others]
        beside[payer] = max(
            (often for peers, often in shared if SEVERAL[0] <= peers <= SEVERAL[1]), default=0
        )
        presence[payer] = _presence(fact for fact in facts_of(payer) if from_us < fact.at_us <= to_us)
    return _ordered(
        rows,
        [row.payer for row in rows],
        lambda row: {
            "per_ten": per_ten,
            "beside": beside[row.payer],
            "there": _there(row, presence[row.payer]),
            "markers": markers,
        },
    )


@dataclass(frozen=True, slots=True)
class _Fans:
    """Who pays a receiver, with 1 where nothing tied them last; and how often every ten of the untied ones pay."""

    untied: Mapping[str, int]
    count: int
    per_ten: int

    def peers(self, payer: str) -> tuple[int, int]:
        """Return a payer's peers and `per_ten`; one whom the receiver's latest no longer show has neither."""
        own = self.untied.get(payer)
        return (0, 0) if own is None else (min(MOST_PEERS, self.count - own), self.per_ten)


def _fans(receipts: Iterable[Send]) -> _Fans:
    marks: dict[str, int] = {}
    times: Counter[str] = Counter()
    for receipt in receipts:
        mark = receipt.at_us * 2 + (receipt.untied != 0)
        marks[receipt.payer] = max(marks.get(receipt.payer, mark), mark)
        times[receipt.payer] += 1
    untied = {payer: mark % 2 for payer, mark in marks.items()}
    count = sum(untied.values())
    paid = sum(times[payer] for payer, one in untied.items() if one)
    return _Fans(untied, count, (paid + 1) * 10 // (count + 1))


def _presence(facts: Iterable[Fact]) -> list[Fact]:
    return [fact for fact in facts if fact.role == "presence"]


def _there(row: Send, presence: Iterable[Fact]) -> int:
    """Return 1 if the payer's card was used in the country near the payment's time."""
    return int(any(one.country == row.country and abs(one.at_us - row.at_us) <= NEAR_US for one in presence))


def _ordered(
    rows: Sequence[Send], others: Sequence[str], more: Callable[[Send], dict[str, int]]
) -> list[Row]:
    """Return rows with what their order says: nth, first, gap, equal, known, rise."""
    rise = _rise(rows)
    begun: dict[str, Send] = {}
    last: dict[str, Send] = {}
    found = []
    for nth, (row, other) in enumerate(zip(rows, others, strict=True), 1):
        before = last.get(other)
        begin = begun.setdefault(other, row)
        found.append(
            Row(
                at_us=row.at_us,
                payment=row.payment,
                other=other,
                ref=row.ref,
                round=row.round,
                hour=row.hour,
                untied=row.untied,
                everyday=row.everyday,
                handle=row.handle,
                invoice=row.invoice,
                rail=row.rail,
                first=int(before is None),
                gap=UNKNOWN if before is None else (row.at_us - before.at_us) // DAY_US,
                equal=int(
                    before is not None
                    and (row.amount_minor, row.currency) == (before.amount_minor, before.currency)
                ),
                known=(row.at_us - begin.at_us) // DAY_US,
                nth=nth,
                rise=rise,
                **more(row),
            )
        )
        last[other] = row
    return found


def _rise(rows: Sequence[Send]) -> int:
    """Return whether later rows are larger, and faster, by an eighth."""
    n = len(rows)
    if n < 4:
        return UNKNOWN
    early, late = rows[: n // 2], rows[n // 2 :]
    larger = sum(row.ref for row in late) * len(early) * 8 > sum(row.ref for row in early) * len(late) * 9
    begin, middle, end = rows[0].at_us, late[0].at_us, rows[-1].at_us
    faster = (end - middle) * len(early) * 9 < (middle - begin) * (len(late) - 1) * 8
    return int(larger) + int(faster)


def moment(
    outs: Sequence[Out],
    markers: int,
    at: Out,
    children: Callable[[Out], AbstractSet[str]],
    passes: Callable[[Out], int],
) -> Moment | None:
    """Return what had left a child's account when one payment left it, None if that one is not fresh.

    Parameters
    ----------
    outs
        In order of time, :data:`lightship.payments.lane.HISTORY_DAYS` back at least.
    children
        Returns the other children's accounts from which the same person was paid shortly before.
    passes
        Returns from how many others the same person took money and passed some on, as :func:`passed_on` has it.
    """
    if not _fresh(outs, at):
        return None
    recent = [row for row in outs if at.at_us - BURST_US <= row.at_us <= at.at_us]
    fresh = [row for row in recent if _fresh(outs, row)]
    opener = min(fresh, key=lambda row: (row.at_us // 1_000_000, row.ref))
    spent, later = sum(row.ref for row in fresh), len(fresh) - 1
    year = [row for row in outs if at.at_us - NEVER_US <= row.at_us <= at.at_us]
    known_us = at.at_us - year[0].at_us
    days = max(MONTH_DAYS, known_us // DAY_US)
    usual = (sum(row.ref for row in year) - sum(row.ref for row in recent)) * MONTH_DAYS // days
    return Moment(
        at_us=at.at_us,
        payment=at.payment,
        other=at.other,
        ref=at.ref,
        burst=len(fresh),
        spent=spent,
        opener=opener.ref,
        least=min(row.ref for row in fresh),
        growth=(spent - opener.ref) * 1000 // (later * opener.ref) if later and opener.ref else UNKNOWN,
        rush=sum(row.at_us >= at.at_us - RUSH_US for row in fresh),
        same=sum(row.other == at.other for row in fresh),
        nights=sum(row.night for row in fresh),
        gifts=sum(row.gift for row in fresh),
        coins=sum(row.crypto for row in fresh),
        games=sum(row.game for row in fresh),
        children=len(children(at)),
        passes=passes(at),
        abroad=sum(row.abroad for row in fresh),
        depletion=spent * 1000 // usual if usual > 0 and known_us >= (MONTH_DAYS + 2) * DAY_US else UNKNOWN,
        markers=markers,
    )


def _fresh(outs: Sequence[Out], at: Out) -> bool:
    """Return whether nothing went to the same other for long before the first of the last 48 hours."""
    if not at.risky:
        return False
    same = [row.at_us for row in outs if row.other == at.other and row.at_us <= at.at_us]
    begin = min(at_us for at_us in same if at_us >= at.at_us - BURST_US)
    quiet_us = QUIET_US if at.voucher else NEVER_US
    return not any(begin - quiet_us < at_us < begin for at_us in same)


def passed_on(passing: Sequence[Passing], subject: str, at_us: int) -> int:
    """Return how many others' money an account took shortly before a moment, 0 where none was soon passed on."""
    rows = [row for row in passing if at_us - PASSING_US < row.at_us < at_us]
    credits_us = [row.at_us for row in rows if row.credit]
    soon = any(
        not row.credit and any(0 <= row.at_us - credit_us <= BURST_US for credit_us in credits_us)
        for row in rows
    )
    return len({row.other for row in rows if row.credit} - {subject}) if soon else 0


def flow_rows(passing: Sequence[Passing], window: Window) -> list[Flow]:
    """Return the mule's view of one account; none without a credit."""
    rows = [row for row in passing if window.from_us < row.at_us <= window.to_us]
    year = window.day.year - YOUNG
    if not any(row.credit for row in rows):
        return []
    seen: set[tuple[str, int]] = set()
    found = []
    for row in rows:
        first = (row.other, row.credit) not in seen
        seen.add((row.other, row.credit))
        prompt = not row.credit and any(one.credit and 0 <= row.at_us - one.at_us <= BURST_US for one in rows)
        flags = int(prompt), int(first), int(row.born > year)
        found.append(Flow(row.at_us, row.payment, row.other, row.ref, row.credit, *flags))
    return found
