"""The live path: payments come in, are scored one at a time, and are on disk with their alerts before anyone is told.

One thread takes whatever waits, steps through it in order, and commits it at once with the alerts it began (group
commit); only then do accounts change and answers go out. So a kill at any moment loses no payment that was answered,
and an alert is kept exactly once: with the payment that began it. A payment that comes again changes nothing and gets
the answer it got before. Now and then a second thread saves the accounts that changed, so that a start reads those and
steps through the few payments since. A payment of the history that the accounts began with is known too.
"""

from __future__ import annotations

import threading
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Generic, Literal, Protocol, TypeVar

from lightship.core.errors import LightshipError, StoreError
from lightship.core.payments import Alert, Payment
from lightship.core.ports import PaymentJournal

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)
MOST = 2000
"""Payments of one commit; more would make the first of them wait for the last."""

WAITING = 50_000
"""Payments that may wait; who comes then is told to come again."""

SAVE_EVERY = 50_000
"""Payments between two savings of accounts."""


class Stepped(Protocol[A_co]):
    """What one payment changed."""

    @property
    def accounts(self) -> Mapping[str, A_co]:
        """Accounts by party."""

    @property
    def alerts(self) -> Sequence[Alert]:
        """Alerts that begin."""


@dataclass(frozen=True, slots=True)
class Scoring(Generic[A]):
    """How payments are scored and written down.

    Parameters
    ----------
    step
        Pure: what a payment changes.
    payment_bytes, payment_of, account_bytes, account_of, alert_bytes
        Values to bytes and back.
    """

    step: Callable[[Mapping[str, A], Payment], Stepped[A]]
    payment_bytes: Callable[[Payment], bytes]
    payment_of: Callable[[bytes], Payment]
    account_bytes: Callable[[A], bytes]
    account_of: Callable[[bytes], A]
    alert_bytes: Callable[[Alert], bytes]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a payment.

    Parameters
    ----------
    status
        ``accepted``; ``known`` if it had been before, or is in the history that accounts began with; ``conflict`` if
        another with its id had been.
    alerts
        Those that it began, as bytes.
    """

    payment: str
    status: Literal["accepted", "known", "conflict"]
    alerts: tuple[bytes, ...] = ()


@dataclass(slots=True)
class _Ticket:
    payments: Sequence[Payment]
    done: Future[list[Outcome]] = field(default_factory=Future)


class Busy(LightshipError):
    """More payments wait than may."""


class Intake(Generic[A]):
    """Takes payments in.

    Parameters
    ----------
    journal
        Keeps them.
    begin
        Accounts before the journal's first payment, where nothing is saved yet.
    told
        Called after each commit that began alerts.

    Raises
    ------
    StoreError
        If the journal cannot be read.
    """

    def __init__(
        self,
        journal: PaymentJournal,
        scoring: Scoring[A],
        *,
        begin: Callable[[], Mapping[str, A]] = dict,
        told: Callable[[], None] = lambda: None,
        save_every: int = SAVE_EVERY,
    ) -> None:
        self._journal, self._scoring, self._told, self._save_every = journal, scoring, told, save_every
        self._queue: SimpleQueue[_Ticket | None] = SimpleQueue()
        self._gate = threading.Lock()
        self._waiting, self._closed, self._again = 0, False, 0
        self._dirty: set[str] = set()
        self._saving: threading.Thread | None = None
        self.trouble = ""
        self.accounts, self._through = self._stand(begin)
        self._saved_through = self._through
        if self._dirty:
            self._save_beside()  # so that the next start is a short one
        self._thread = threading.Thread(target=self._run, name="payments", daemon=True)
        self._thread.start()

    def _stand(self, begin: Callable[[], Mapping[str, A]]) -> tuple[dict[str, A], int]:
        """Return the accounts as they stand after the journal's last payment, and its number."""
        through, saved = self._journal.saved()
        accounts = {party: self._scoring.account_of(body) for party, body in saved}
        if not accounts and not through:
            accounts = dict(begin())
            self._dirty |= accounts.keys()
        for number, body in self._journal.payments(through):
            changed = self._scoring.step(accounts, self._scoring.payment_of(body)).accounts
            accounts.update(changed)
            self._dirty |= changed.keys()
            through = number
        return accounts, through

    def put(self, payments: Sequence[Payment]) -> Future[list[Outcome]]:
        """Hand payments over; the future is done when they are on disk.

        Raises
        ------
        Busy
            If too many wait.
        StoreError
            If it is closed.
        """
        ticket = _Ticket(payments)
        with self._gate:
            if self._closed:
                raise StoreError("The intake of payments is closed.", "", "Start the service again.")
            if self._waiting + len(payments) > WAITING:
                raise Busy("Too many payments wait.", "", "Send them again in a moment.")
            self._waiting += len(payments)
            self._queue.put(ticket)
        return ticket.done

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, count, over = [first], len(first.payments), False
            while count < MOST:
                try:
                    more = self._queue.get_nowait()
                except Empty:
                    break
                if more is None:
                    over = True
                    break
                group.append(more)
                count += len(more.payments)
            self._answer(group)
            with self._gate:
                self._waiting -= count
            if self._through - self._saved_through >= self._save_every:
                self._save_beside()
            if over:
                return

    def _answer(self, group: list[_Ticket]) -> None:
        try:
            outcomes = self._take([payment for ticket in group for payment in ticket.payments])
        except StoreError as error:
            self.trouble = str(error)
            for ticket in group:
                ticket.done.set_exception(error)
            return
        except Exception as error:  # noqa: BLE001 - who waits is told, whatever it was
            if len(group) == 1:
                group[0].done.set_exception(error)
            else:  # only whoever sent what cannot be scored is to suffer
                for ticket in group:
                    self._answer([ticket])
            return
        self.trouble = ""
        place = 0
        for ticket in group:
            ticket.done.set_result(outcomes[place : place + len(ticket.payments)])
            place += len(ticket.payments)

    def _take(self, payments: Sequence[Payment]) -> list[Outcome]:
        """Score what is new of some payments, keep it, and return what became of each."""
        scoring = self._scoring
        before = self._journal.known([one.payment for one in payments])
        begun = self._journal.begun([one.payment for one in payments])
        again = self._journal.alerts_of(list(before)) if before else {}
        new: dict[str, bytes] = {}
        raised: dict[str, tuple[bytes, ...]] = {}
        rows: list[tuple[str, str, bytes]] = []
        changed: dict[str, A] = {}
        view: Mapping[str, A] = ChainMap(changed, self.accounts)
        outcomes = []
        for one in payments:
            if one.payment in begun:
                outcomes.append(Outcome(one.payment, "known"))
                continue
            body = scoring.payment_bytes(one)
            known = before.get(one.payment) or new.get(one.payment)
            if known is not None:
                told = again.get(one.payment) or raised.get(one.payment, ())
                same = known == body
                outcomes.append(Outcome(one.payment, "known" if same else "conflict", told if same else ()))
                continue
            stepped = scoring.step(view, one)
            changed.update(stepped.accounts)
            new[one.payment] = body
            alerts = tuple(scoring.alert_bytes(alert) for alert in stepped.alerts)
            raised[one.payment] = alerts
            rows += [
                (alert.alert, one.payment, body) for alert, body in zip(stepped.alerts, alerts, strict=True)
            ]
            outcomes.append(Outcome(one.payment, "accepted", alerts))
        if new:
            self._through, _ = self._journal.append(list(new.items()), rows)
            self.accounts.update(changed)
            self._dirty |= changed.keys()
        self._again += len(payments) - len(new)
        if rows:
            self._told()
        return outcomes

    def _save_beside(self) -> None:
        """Save the accounts that changed, in a thread of its own; what they hold cannot change meanwhile."""
        if self._saving is not None and self._saving.is_alive():
            return
        through, dirty, self._dirty = self._through, self._dirty, set()
        self._saved_through = through
        held = [(party, self.accounts[party]) for party in dirty]
        self._saving = threading.Thread(
            target=self._save, args=(through, held), name="payments-save", daemon=True
        )
        self._saving.start()

    def _save(self, through: int, held: list[tuple[str, A]]) -> None:
        try:
            self._journal.save(through, ((party, self._scoring.account_bytes(one)) for party, one in held))
        except StoreError as error:
            self.trouble = str(error)
            self._dirty |= {party for party, _ in held}  # the next saving takes them along

    def close(self) -> None:
        """Take in what waits, save the accounts, and end. Closing twice does nothing."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        if self._saving is not None:
            self._saving.join()
        if self._dirty:
            self._save(self._through, [(party, self.accounts[party]) for party in self._dirty])

    def state(self) -> dict[str, Any]:
        """Return how it stands: payments taken in, accounts held, payments that wait or came again, trouble."""
        return {
            "payments": self._through,
            "accounts": len(self.accounts),
            "waiting": self._waiting,
            "told_again": self._again,
            "trouble": self.trouble,
        }
