"""What the console asks of whoever decides: the desk of the room :mod:`lightship.watch`, as a protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from lightship.core.cases import Case, Effect, Judgement, Report, ReportKind, Verdict


class Desk(Protocol):
    """Claims, verdicts and what follows from them; each act is on the ledger when it returns.

    Every method raises :class:`~lightship.core.errors.InputError` for a case, judgement, effect or stream that is not
    there, and :class:`~lightship.core.errors.AccessDenied` for an act that the state of things does not allow (somebody
    else has the case, the undo window is over). Who may ask at all is the console's to decide, before.
    """

    @property
    def lease_s(self) -> float:
        """How long a claim lasts without a sign of life, seconds."""

    def queue(self, where: Mapping[str, object], *, limit: int, after: str = "") -> Sequence[Case]:
        """Return the next cases in their order, of those whose fields equal ``where``; changes nothing."""

    def open_next(self, by: str, now: datetime, where: Mapping[str, object]) -> Case | None:
        """Claim the first case that nobody has, and note its reports as seen; None if there is none."""

    def claim(self, case_id: str, by: str, now: datetime, *, take_over: bool = False) -> Case:
        """Claim a case, or keep one's claim alive; ``take_over`` takes it from whoever has it, on the record."""

    def release(self, case_id: str, by: str, now: datetime) -> None:
        """Give a case back."""

    def needs_second(self, judgement: Judgement) -> bool:
        """Return whether it waits for a second person before its grave acts are done."""

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

    def second(self, judgement_id: str, by: str, now: datetime, *, agrees: bool) -> Judgement:
        """Agree to a decision as its second person, or send the case back to be decided anew."""

    def appeal(self, case_id: str, by: str, now: datetime, *, words: str) -> Case:
        """Appeal a decision."""

    def reverse(self, case_id: str, by: str, now: datetime, *, reason: str) -> Judgement:
        """Reverse a decision: what it did is undone by effects of its own."""

    def uphold(self, case_id: str, by: str, now: datetime, *, reason: str) -> Case:
        """Let a decision that was appealed stand."""

    def undo(self, case_id: str, by: str, now: datetime) -> Sequence[Effect]:
        """Take back a decision whose effects still wait; returns those that will not happen."""

    def may_undo(self, case_id: str, now: datetime) -> bool:
        """Return whether a decision can be taken back now."""

    def report(
        self, report_id: str, stream_id: str, now: datetime, *, kind: ReportKind, words: str
    ) -> Report:
        """Take in a report: evidence is pinned, a case opened or joined. The same id again returns what was kept."""
