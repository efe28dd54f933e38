"""Files reports, once: step by step, each step marked before it is taken and booked after.

What may not happen is that a report is filed twice, or not at all. A step that is marked and not booked (``finish?``)
is one of which nobody knows whether it was taken: the process died, or the answer was lost. What then is done depends
on the step, and is the adapter's own knowledge (:mod:`lightship.duties.filing_cybertip`); nothing is assumed. Where
even the authority's answer leaves it open, a person is asked, and the report waits, seen by everybody.

Several processes may work: whoever takes a filing raises its ``attempts``, and books only while these are still its
own. A sender that was taken for dead and comes back books nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Protocol

from lightship.core.cases import Exhibit
from lightship.core.duties import Duty, Filing
from lightship.core.errors import AccessDenied, FilingError, LightshipError, StoreError
from lightship.core.exhibits import put_on_record
from lightship.core.ports import Store, Work
from lightship.duties.desk import file as put_on_duty
from lightship.duties.filing_snapshot import Snapshot, from_bytes

OPEN_STATES = ("building", "refused", "ready", "sending", "waiting")
"""States of a filing that may still become final."""

_PAGE = 100


@dataclass(frozen=True, slots=True)
class Retry:
    """How a step that failed is tried again.

    Parameters
    ----------
    first_s, most_s
        The first wait, doubled each time up to the longest: well below an authority's time-outs.
    lease_s
        A sender that says nothing for so long is taken for dead.
    """

    first_s: float = 1.0
    most_s: float = 300.0
    lease_s: float = 90.0

    def wait_s(self, attempts: int) -> float:
        """Return the wait after so many attempts, seconds."""
        return float(min(self.first_s * 2.0 ** min(attempts - 1, 20), self.most_s))


RETRY = Retry()


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a step.

    Parameters
    ----------
    step
        The last step that is completed now.
    remote, files
        The authority's numbers of the report and its files, as they are now.
    reference
        What stands for the report from now on: it is filed.
    waits
        Why it now waits for a person, in words.
    facts
        For the record: no content.
    """

    step: str
    remote: str = ""
    files: tuple[str, ...] = ()
    reference: str = ""
    waits: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


class Stopped(FilingError):
    """A step that was not completed, and what that means.

    Parameters
    ----------
    undone
        Whether it certainly did not happen; otherwise nobody knows.
    held
        Whether a person must act before it is tried again.
    refused
        Whether the authority says that the report is wrong.
    """

    def __init__(
        self, cause: LightshipError, *, undone: bool = False, held: bool = False, refused: bool = False
    ) -> None:
        super().__init__(cause.what, cause.where, cause.todo)
        self.undone, self.held, self.refused = undone, held, refused


class Bytes(Protocol):
    """A vault whose exhibits are read in pieces."""

    def open(self, exhibit: Exhibit, *, by: str, purpose: str) -> bytes:
        """Return an exhibit's bytes; the look is logged."""

    def open_pieces(self, exhibit: Exhibit, *, by: str, purpose: str) -> Iterator[bytes]:
        """Yield an exhibit's bytes; the look is logged."""


Open = Callable[[str], Iterator[bytes]]
"""Yields the bytes of a file of the report, by its exhibit."""


class Carrier(Protocol):
    """Brings reports of one kind to one authority."""

    def next(self, filing: Filing, snapshot: Snapshot) -> str:
        """Return the step that comes now, in its own words; also where the last one is not known to be completed."""

    def take(self, step: str, filing: Filing, snapshot: Snapshot, pieces: Open) -> Taken:
        """Take a step.

        Parameters
        ----------
        filing
            As it was before the step was marked: a step that ends in ``?`` was marked earlier and not booked.

        Raises
        ------
        Stopped
            If it was not completed.
        """

    def retract(self, filing: Filing) -> str:
        """Take back what is open; returns the reference if it is final already, else an empty string.

        Raises
        ------
        Stopped
            If it was not taken back.
        """


@dataclass(frozen=True)
class Desk:
    """What filing needs of a deployment.

    Parameters
    ----------
    carriers
        By the name that a filing gives as its adapter.
    keep
        Until when what was sent is kept, from when it was sent.
    """

    store: Store
    vault: Bytes
    carriers: Mapping[str, Carrier]
    clock: Callable[[], datetime]
    keep: Callable[[datetime], datetime]
    retry: Retry = RETRY

    def carrier(self, filing: Filing) -> Carrier:
        """Return who carries a filing.

        Raises
        ------
        FilingError
            If nobody does.
        """
        try:
            return self.carriers[filing.adapter]
        except KeyError:
            known = ", ".join(sorted(self.carriers)) or "none"
            raise FilingError(
                f"Nothing here carries reports by {filing.adapter!r}.",
                f"filing {filing.id}",
                f"There is: {known}.",
            ) from None


# Beginning and ending ---------------------------------------------------------------------------


def identity(duty_id: str, number: int) -> str:
    """Return the id of a duty's report: the first is 1, its supplements follow."""
    return f"{duty_id}.{number}"


def begin(work: Work, duty: Duty, adapter: str, now: datetime, *, supplement: bool = False) -> Filing:
    """Begin a duty's report, or a supplement to the one that was filed; what is begun already is returned.

    A duty has one first report: its id is made of the duty's, so that two who begin at once begin the same.

    Raises
    ------
    AccessDenied
        If the duty is owed to nobody, or a supplement is asked for before the first report is filed.
    """
    mine = sorted(work.find(Filing, {"duty_id": duty.id}), key=lambda one: int(one.id.rpartition(".")[2]))
    first = next((one for one in mine if one.state == "filed" and not one.supplement_of), None)
    for one in mine:
        if one.state in OPEN_STATES and bool(one.supplement_of) is supplement:
            return one
    if not supplement and first is not None:
        raise AccessDenied(
            f"This duty was filed under {first.reference}.",
            f"duty {duty.id}",
            "What is new goes in a supplement.",
        )
    if supplement and first is None:
        raise AccessDenied(
            "There is no filed report to supplement.", f"duty {duty.id}", "File the first report before."
        )
    if not duty.authority or (duty.state != "owed" and not supplement):
        raise AccessDenied(
            f"Nothing is owed here: the duty is {duty.state}.", f"duty {duty.id}", "Decide it before."
        )
    id_ = identity(duty.id, int(mine[-1].id.rpartition(".")[2]) + 1 if mine else 1)
    of = first.id if first is not None and supplement else ""
    filing = Filing(id_, duty.id, duty.authority, adapter, "building", now, now, supplement_of=of)
    try:
        work.save(filing)
    except StoreError:  # somebody else was quicker
        found = work.get(Filing, id_)
        if found is None:
            raise
        return found
    _record(work, "report-begun", filing, now)
    return filing


def refuse(work: Work, filing: Filing, problem: str, now: datetime) -> Filing:
    """Put on a report what is wrong with it; nothing leaves."""
    return _change(work, filing, state="refused", problem=problem[:2000], changed_at=now)


def declare(
    work: Work, filing: Filing, exhibit: Exhibit, entry: Mapping[str, Any], *, by: str, now: datetime
) -> Filing:
    """Let a report go: a person stands for the snapshot that is sealed, and for no other.

    Parameters
    ----------
    entry
        Of the declaration (:func:`lightship.duties.filing_snapshot.declaration`).

    Raises
    ------
    AccessDenied
        If it is on its way or final, nobody declares, or somebody else changed it meanwhile.
    """
    if filing.state not in {"building", "refused", "ready"} or not by.strip():
        raise AccessDenied(
            f"A report that is {filing.state} is not declared anew."
            if by.strip()
            else "Nobody declares this report.",
            f"filing {filing.id}",
            "What is on its way goes on by `report send`; what waits, by `report resume`; a new one has a declarer.",
        )
    found = work.get(Exhibit, exhibit.id)
    if found is None or found.destroyed_at is not None:
        put_on_record(work, exhibit, now)
    # What was open at the authority under an earlier snapshot is never finished: it is dropped there.
    fresh = {"step": "", "remote": "", "files": ()}
    after = _change(
        work, filing, **fresh, state="ready", snapshot=exhibit.id, declared_by=by, declared_at=now,
        changed_at=now, next_at=now, problem="",
    )  # fmt: skip
    work.record({"at": now.isoformat(), **entry, "case": exhibit.case_id})
    return after


def reference(desk: Desk, filing_id: str, given: str, *, by: str) -> Filing:
    """Take in the reference that an authority gave to a person; the same again changes nothing.

    Raises
    ------
    AccessDenied
        If the report does not wait for one, or has another.
    """
    given = given.strip()
    with desk.store.begin() as work:
        filing = filing_of(work, filing_id)
        if filing.reference == given and given:
            return filing
        if filing.state != "waiting" or filing.reference or not given:
            raise AccessDenied(
                f"This report has the reference {filing.reference}."
                if filing.reference
                else f"A report that is {filing.state} takes no reference."
                if given
                else "The reference is empty.",
                f"filing {filing_id}",
                "Check which report it belongs to.",
            )
        return _filed(work, desk, filing, Taken(filing.step, filing.remote, filing.files, given), by)


def resume(work: Work, filing_id: str, *, by: str, why: str, anew: bool, now: datetime) -> Filing:
    """Let a report that waits for a person go on.

    Parameters
    ----------
    anew
        The person found out that the authority has no such report: it is opened from the start.

    Raises
    ------
    AccessDenied
        If it does not wait, or nobody says why.
    """
    filing = filing_of(work, filing_id)
    if filing.state != "waiting" or not why.strip() or not by.strip():
        raise AccessDenied(
            f"This report is {filing.state}." if filing.state != "waiting" else "Somebody must say why.",
            f"filing {filing_id}",
            "Give who decides and why.",
        )
    fresh: dict[str, Any] = {"step": "", "remote": "", "files": ()} if anew else {}
    after = _change(work, filing, **fresh, state="ready", next_at=now, problem="", changed_at=now)
    _record(work, "report-resumed", after, now, by=by, why=why, anew=anew)
    return after


def retract(desk: Desk, filing_id: str, *, by: str, why: str) -> Filing:
    """Take a report back before it is final. Where it turns out to be final, it is booked as filed.

    Raises
    ------
    AccessDenied
        If it is final, or nobody says why.
    Stopped
        If the authority could not be asked: the report waits, and goes nowhere; ask again.
    """
    with desk.store.begin() as work:
        filing = filing_of(work, filing_id)
        if filing.state not in OPEN_STATES or not why.strip() or not by.strip():
            raise AccessDenied(
                f"This report is {filing.state}: it cannot be taken back."
                if filing.state not in OPEN_STATES
                else "Somebody must say why.",
                f"filing {filing_id}",
                "What is wrong with a filed report goes in a supplement that says so.",
            )
        mine = _change(work, filing, attempts=filing.attempts + 1, state="waiting", next_at=None,
                       problem="It is being taken back.")  # fmt: skip
    final = desk.carrier(mine).retract(mine) if mine.remote else ""
    now = desk.clock()
    with desk.store.begin() as work:
        if final:
            return _filed(work, desk, mine, Taken("finish", mine.remote, mine.files, final), by)
        after = _change(work, mine, state="retracted", changed_at=now, problem=why[:2000])
        case = {"case": duty.case_id} if (duty := work.get(Duty, filing.duty_id)) is not None else {}
        _record(work, "report-retracted", after, now, by=by, why=why, **case)
        return after


def filing_of(work: Work, filing_id: str) -> Filing:
    """Return a filing.

    Raises
    ------
    FilingError
        If there is none of that id.
    """
    filing = work.get(Filing, filing_id)
    if filing is None:
        raise FilingError("There is no such report.", f"filing {filing_id}", "List them with `report list`.")
    return filing


# Sending ----------------------------------------------------------------------------------------


def due(store: Store, now: datetime, limit: int = _PAGE) -> list[Filing]:
    """Return what is to be sent now, oldest first."""
    with store.look() as work:
        found = [one for state in ("ready", "sending") for one in islice(_until(work, state, now), limit)]
    return sorted(found, key=lambda one: (one.next_at or now, one.id))[:limit]


def _until(work: Work, state: str, now: datetime) -> Iterator[Filing]:
    after = ""
    while page := work.find(Filing, {"state": state}, order=("next_at",), limit=_PAGE, after=after):
        for one in page:
            if one.next_at is None or one.next_at > now:
                return
            yield one
        after = page[-1].id


def send_due(desk: Desk) -> int:
    """Send what is due, one after the other; returns how many were filed.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    return sum(send(desk, one).state == "filed" for one in due(desk.store, desk.clock()))


def send(desk: Desk, filing: Filing) -> Filing:
    """Take one report as far as it goes now: filed, waiting for somebody, or to be tried again later.

    Raises
    ------
    StoreError
        If the store cannot be used: it is taken up again when its lease is over.
    """
    now = desk.clock()
    with desk.store.begin() as work:
        mine = work.change(
            Filing, filing.id, {"state": filing.state, "attempts": filing.attempts}, state="sending",
            attempts=filing.attempts + 1, next_at=now + timedelta(seconds=desk.retry.lease_s),
        )  # fmt: skip
    if mine is None:  # another one has it
        with desk.store.look() as work:
            return filing_of(work, filing.id)
    sender = _Sender(desk, mine)
    try:
        while sender.mine.state == "sending":
            sender.step()
    except _Lost:  # it was taken over: it is the other's to book
        with desk.store.look() as work:
            return filing_of(work, filing.id)
    return sender.mine


class _Lost(Exception):
    """Another sender has the filing: this one was taken for dead."""


class _Sender:
    """One sender with one filing."""

    def __init__(self, desk: Desk, mine: Filing) -> None:
        self.desk, self.mine = desk, mine
        self._snapshot: Snapshot | None = None

    def step(self) -> None:
        """Take the next step, or say why not."""
        before = self.mine
        try:
            snapshot = self._opened()
            carrier = self.desk.carrier(before)
            name = carrier.next(before, snapshot)
            with self.desk.store.begin() as work:
                self._set(work, step=f"{name}?", next_at=self._lease())
            taken = carrier.take(name, before, snapshot, self._pieces(snapshot))
        except Stopped as stopped:
            self._stop(before, stopped)
        except _Lost:
            raise
        except StoreError:
            raise
        except (
            LightshipError
        ) as error:  # a file that is gone, a schema that cannot be read: a person's matter
            self._stop(before, Stopped(error, undone=True, held=True))
        except Exception as error:  # noqa: BLE001 - a defect in an adapter must not lose a report
            cause = FilingError(f"The adapter failed: {type(error).__name__}.", before.adapter)
            self._stop(before, Stopped(cause))
        else:
            self._book(taken)

    def _opened(self) -> Snapshot:
        if self._snapshot is None:
            data = self.desk.vault.open(
                self._exhibit(self.mine.snapshot), by="filing", purpose="report to an authority"
            )
            self._snapshot = from_bytes(data)
        return self._snapshot

    def _exhibit(self, id_: str) -> Exhibit:
        with self.desk.store.look() as work:
            found = work.get(Exhibit, id_)
        if found is None:
            raise FilingError("An exhibit of this report is not in the store.", id_, "Build the report anew.")
        return found

    def _pieces(self, snapshot: Snapshot) -> Open:
        known = {one.exhibit for one in snapshot.files}

        def pieces(id_: str) -> Iterator[bytes]:
            assert id_ in known
            until = self.mine.next_at
            found = self._exhibit(id_)
            for piece in self.desk.vault.open_pieces(found, by="filing", purpose="report to an authority"):
                half = timedelta(seconds=self.desk.retry.lease_s / 2)
                if until is None or self.desk.clock() > until - half:  # a long upload shows signs of life
                    with self.desk.store.begin() as work:
                        until = self._set(work, next_at=self._lease()).next_at
                yield piece

        return pieces

    def _lease(self) -> datetime:
        return self.desk.clock() + timedelta(seconds=self.desk.retry.lease_s)

    def _set(self, work: Work, **fields: Any) -> Filing:
        same = {"state": "sending", "attempts": self.mine.attempts}
        after = work.change(Filing, self.mine.id, same, **fields)
        if after is None:
            raise _Lost
        self.mine = after
        return after

    def _book(self, taken: Taken) -> None:
        now = self.desk.clock()
        with self.desk.store.begin() as work:
            mine = self._set(work, next_at=self._lease())
            if taken.reference:
                self.mine = _filed(work, self.desk, mine, taken, "filing")
                return
            waits = (
                {"state": "waiting", "problem": taken.waits, "next_at": None}
                if taken.waits
                else {"problem": ""}
            )
            opened = {"opened_at": now} if taken.remote and not mine.remote else {}
            after = self._set(work, step=taken.step, remote=taken.remote, files=taken.files, changed_at=now,
                              **opened, **waits)  # fmt: skip
            _record(work, "report-step", after, now, step=taken.step, remote=taken.remote, **taken.facts)

    def _stop(self, before: Filing, stopped: Stopped) -> None:
        now, problem = self.desk.clock(), str(stopped)[:2000]
        step = before.step if stopped.undone else self.mine.step
        state, next_at = "sending", now + timedelta(seconds=self.desk.retry.wait_s(before.attempts))
        if stopped.refused or stopped.held:
            state = "refused" if stopped.refused else "waiting"
        with self.desk.store.begin() as work:
            # `waiting` and `refused` are a person's; what is tried again stays `sending`, and is due later.
            after = self._set(work, state=state, step=step, problem=problem,
                              next_at=None if state != "sending" else next_at)  # fmt: skip
            kind = {
                "sending": "report-not-confirmed",
                "waiting": "report-waits",
                "refused": "report-refused",
            }[state]
            _record(work, kind, after, now, step=step, attempts=before.attempts, why=type(stopped).__name__)
        if state == "sending":
            raise _Later


class _Later(_Lost):
    """It is tried again later."""


# Booking ----------------------------------------------------------------------------------------


def _filed(work: Work, desk: Desk, filing: Filing, taken: Taken, by: str) -> Filing:
    now, problem = desk.clock(), taken.waits
    duty = work.get(Duty, filing.duty_id)
    if not filing.supplement_of:
        try:
            put_on_duty(work, filing.duty_id, reference=taken.reference, by=by, now=now)
        except (
            AccessDenied
        ) as error:  # the authority has it, whatever became of the duty: that is kept, and shown
            problem = f"{problem} It is filed, and its duty does not show it: {error}".strip()
    after = _change(
        work, filing, state="filed", step=taken.step, remote=taken.remote, files=taken.files,
        reference=taken.reference, filed_at=now, changed_at=now, next_at=None, problem=problem,
    )  # fmt: skip
    if (sent := work.get(Exhibit, filing.snapshot)) is not None:
        work.change(Exhibit, sent.id, {"destroyed_at": None}, expires_at=max(sent.expires_at, desk.keep(now)))
    late = {} if duty is None else {"aware_at": duty.aware_at.isoformat(), "priority": duty.priority}
    _record(
        work, "report-filed", after, now, by=by, reference=after.reference, snapshot=after.snapshot,
        files=len(after.files), filed_at=now.isoformat(), **late, **taken.facts,
    )  # fmt: skip
    return after


def _change(work: Work, filing: Filing, **fields: Any) -> Filing:
    after = work.change(Filing, filing.id, {"state": filing.state, "attempts": filing.attempts}, **fields)
    if after is None:
        raise AccessDenied("Somebody else changed this report.", f"filing {filing.id}", "Look at it again.")
    return after


def _record(work: Work, kind: str, filing: Filing, now: datetime, **more: Any) -> None:
    entry = {
        "kind": kind,
        "filing": filing.id,
        "duty": filing.duty_id,
        "authority": filing.authority,
        "adapter": filing.adapter,
        "supplement_of": filing.supplement_of,
    }
    work.record({"at": now.isoformat(), **entry, **more})


def unknown(step: str) -> bool:
    """Return whether nobody knows if a step was completed."""
    return step.endswith("?")
