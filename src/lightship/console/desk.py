"""The desk of the console: claims, and verdicts with what follows from them by the rules of :mod:`lightship.watch`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from lightship.core.cases import Case, Effect, EffectKind, Judgement, Report, ReportKind, Verdict
from lightship.core.errors import AccessDenied, InputError, StoreError
from lightship.core.identity import identity
from lightship.core.ports import Bus, Store, Work
from lightship.watch import desk, effects, reports
from lightship.watch.desk import NO_CLAUSE
from lightship.watch.effects import HELD, WINDOWS, Windows
from lightship.watch.priority import ORDER, placed

CASES = "cases"
"""Topic on which pages are told that a case changed, never how."""

ENDS_USE: tuple[EffectKind, ...] = ("revoke-key",)
"""What the verdict of abuse orders beside stopping the stream; it waits for the second person."""


@dataclass(frozen=True)
class WatchDesk:
    """Claims, verdicts and what follows from them; see :class:`lightship.console.desk_port.Desk`.

    Parameters
    ----------
    lease_s
        How long a claim lasts without a sign of life.
    windows
        How long what a person orders can be taken back.
    """

    store: Store
    bus: Bus
    lease_s: float = 60.0
    windows: Windows = WINDOWS

    def queue(self, where: Mapping[str, object], *, limit: int, after: str = "") -> Sequence[Case]:
        """Return the next cases in their order; changes nothing."""
        with self.store.look() as work:
            return work.find(Case, where, order=ORDER, limit=limit, after=after)

    def open_next(self, by: str, now: datetime, where: Mapping[str, object]) -> Case | None:
        """Claim the first open case that nobody has, and note its reports as seen; None if there is none."""
        wanted = {**where, "state": "open"}
        after = ""
        while page := self.queue(wanted, limit=50, after=after):
            for case in page:
                if _free(case, by, now):
                    with suppress(AccessDenied):  # somebody was quicker: the next one
                        return self.claim(case.id, by, now)
            after = page[-1].id
        return None

    def claim(self, case_id: str, by: str, now: datetime, *, take_over: bool = False) -> Case:
        """Claim a case, or keep one's claim alive; ``take_over`` takes it from whoever has it, on the record."""
        with self._acting(case_id) as work:
            case = _case(work, case_id)
            free = _free(case, by, now)
            if not (free or take_over):
                raise AccessDenied("Somebody else has the case.", f"case {case_id}", "Take another.")
            changed = work.change(
                Case,
                case_id,
                {"claimed_by": case.claimed_by, "claimed_until": case.claimed_until},
                claimed_by=by,
                claimed_until=now + timedelta(seconds=self.lease_s),
            )
            if changed is None:
                raise AccessDenied("Somebody else was quicker.", f"case {case_id}", "Take another.")
            if case.claimed_by != by or not free:
                kind = "claim" if free else "take-over"
                work.record({"kind": kind, "at": now.isoformat(), "by": by, "case": case_id})
            reports.shown(work, case_id, now)
            return changed

    def release(self, case_id: str, by: str, now: datetime) -> None:
        """Give a case back."""
        with self._acting(case_id) as work:
            if work.change(Case, case_id, {"claimed_by": by}, claimed_by="", claimed_until=None) is not None:
                work.record({"kind": "release", "at": now.isoformat(), "by": by, "case": case_id})

    def needs_second(self, judgement: Judgement) -> bool:
        """Return whether it waits for a second person before its grave acts are done."""
        held = {"case_id": judgement.case_id, "state": "waiting", "due_at": HELD}
        with self.store.look() as work:
            return judgement.verdict == "abuse" and bool(work.find(Effect, held, limit=1))

    def judge(
        self,
        case_id: str,
        by: str,
        now: datetime,
        *,
        verdict: Verdict,
        clause: str,
        reason: str,
        reused_of: str = "",
    ) -> Judgement:
        """Decide a case."""
        with self._acting(case_id) as work:
            _case(work, case_id)
            return desk.decide(
                work,
                case_id,
                by=by,
                verdict=verdict,
                clause=clause,
                reason=reason,
                now=now,
                acts=ENDS_USE if verdict == "abuse" else (),
                windows=self.windows,
                reused_of=reused_of,
            )

    def second(self, judgement_id: str, by: str, now: datetime, *, agrees: bool) -> Judgement:
        """Agree to a decision as its second person, or send the case back to be decided anew."""
        with self._acting(judgement_id) as work:
            judgement = desk.second(work, judgement_id, by=by, agrees=agrees, now=now)
            if not agrees:
                again = work.change(Case, judgement.case_id, {"state": "decided"}, state="open")
                declined = {"kind": "second-person-declined", "at": now.isoformat(), "by": by}
                work.record({**declined, "case": judgement.case_id, **(placed(again) if again else {})})
            return judgement

    def appeal(self, case_id: str, by: str, now: datetime, *, words: str) -> Case:
        """Appeal a decision."""
        with self._acting(case_id) as work:
            changed = desk.appeal(work, case_id, text=words, now=now)
            work.record({"kind": "appeal-entered", "at": now.isoformat(), "by": by, "case": case_id})
            return changed

    def reverse(self, case_id: str, by: str, now: datetime, *, reason: str) -> Judgement:
        """Reverse a decision that was appealed: what it did is undone by effects of its own."""
        with self._acting(case_id) as work:
            desk.answer(work, case_id, by=by, overturn=True, reason=reason, now=now)
            judgement = Judgement(
                identity(case_id, "reversal", by), case_id, by, now, "not-abuse", NO_CLAUSE, reason
            )
            work.save(judgement)
            return judgement

    def uphold(self, case_id: str, by: str, now: datetime, *, reason: str) -> Case:
        """Let a decision that was appealed stand."""
        with self._acting(case_id) as work:
            return desk.answer(work, case_id, by=by, overturn=False, reason=reason, now=now)

    def undo(self, case_id: str, by: str, now: datetime) -> Sequence[Effect]:
        """Take back a decision whose effects still wait; returns those that will not happen."""
        with self._acting(case_id) as work:
            waiting = work.find(Effect, {"case_id": case_id, "state": "waiting"})
            if not self._undoable(work, case_id, now):
                raise AccessDenied("The undo window is over.", f"case {case_id}", "Reverse the decision.")
            for one in waiting:
                effects.undo(work, one.id, by=by, now=now)
            again = work.change(Case, case_id, {"state": "decided"}, state="open")
            undone = {"kind": "decision-undone", "at": now.isoformat(), "by": by, "case": case_id}
            work.record({**undone, **(placed(again) if again else {})})
            return waiting

    def may_undo(self, case_id: str, now: datetime) -> bool:
        """Return whether a decision can be taken back now."""
        with self.store.look() as work:
            return self._undoable(work, case_id, now)

    def _undoable(self, work: Work, case_id: str, now: datetime) -> bool:
        """Return whether something of a decision still waits, or it is as young as that and did nothing outside."""
        found = work.find(Judgement, {"case_id": case_id}, order=("-at",), limit=1)
        case = work.get(Case, case_id)
        if not found or case is None or case.state != "decided":
            return False
        own = [one for one in work.find(Effect, {"case_id": case_id}) if one.ordered_at >= found[0].at]
        young = (now - found[0].at).total_seconds() < self.windows.person_s
        return any(one.state == "waiting" and now < one.due_at < HELD for one in own) or (young and not own)

    def report(
        self, report_id: str, stream_id: str, now: datetime, *, kind: ReportKind, words: str
    ) -> Report:
        """Take in a report: evidence is pinned, a case opened or joined. The same id again returns what was kept."""
        with self._acting(report_id) as work:
            _, report = reports.receive(work, stream_id, kind=kind, text=words, report_id=report_id, now=now)
        self.bus.publish(reports.PIN, {"stream": stream_id, "case": report.case_id})
        return report

    @contextmanager
    def _acting(self, what: str) -> Iterator[Work]:
        """Begin a transaction; what the state of things does not allow is a refusal, not a store that fails."""
        with self.store.begin() as work:
            try:
                yield work
            except StoreError as error:
                raise AccessDenied(error.what, error.where, error.todo) from error
        self.bus.publish(CASES, {"id": what})


def _free(case: Case, by: str, now: datetime) -> bool:
    return case.claimed_by in {"", by} or case.claimed_until is None or case.claimed_until <= now


def _case(work: Work, case_id: str) -> Case:
    case = work.get(Case, case_id)
    if case is None:
        raise InputError("There is no such case.", f"case {case_id}", "Check its id.")
    return case
