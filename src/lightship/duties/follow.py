"""From the watch's cases to detections: whoever follows the ledger looks at each case that an entry names as it is now.

An entry only says which case to look at; what is done follows from the store. So the ledger may be followed from its
beginning as often as one likes, by several at once, and after being killed at any point: nothing happens twice, and
nothing is left out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lightship.core.cases import Case, Judgement, Report, Stream
from lightship.core.duties import Detection, Duty, FoundBy
from lightship.core.errors import LightshipError
from lightship.core.identity import identity
from lightship.core.ports import ReadableLedger, Store, Work
from lightship.duties import clocks, desk
from lightship.duties.chooser import Choice
from lightship.duties.law import Law

NAMES_A_CASE = frozenset(
    {
        *("verdict", "report", "decision-undone", "second-person-declined", "appeal-answered", "effect-done"),
        "report-retracted",
    }
)
"""Entries after which a case may have become, or ceased to be, a detection."""

BY = "the law's rules"
_AT_ONCE = 1_000
_STANDS = ("decided", "appealed", "closed")
_OTHER = "csea-other"


class Follower:
    """Follows a ledger; one call takes in what was written since the last.

    Parameters
    ----------
    provider
        What holds of the provider, as facts of the chooser.
    """

    def __init__(self, store: Store, ledger: ReadableLedger, law: Law, provider: tuple[str, ...]) -> None:
        self._store, self._ledger, self._law, self._provider = store, ledger, law, provider
        self._seen, self._again = 0, dict[str, None]()

    def follow(self, now: datetime) -> int:
        """Look at each case that new entries name; returns how many.

        Raises
        ------
        LightshipError
            If store or ledger cannot be used; or if a case could not be looked at: the others were, and it is tried
            again next time.
        """
        looked, failed = 0, None
        size = self._ledger.size
        while self._seen < size or (self._again and not looked):
            stop = min(size, self._seen + _AT_ONCE)
            cases = self._again | dict.fromkeys(
                str(one["case"])
                for one in self._ledger.entries(self._seen, stop)
                if one.get("kind") in NAMES_A_CASE and one.get("case")
            )
            self._seen, self._again = stop, cases
            for id_ in tuple(cases):
                looked += 1
                try:
                    with self._store.begin() as work:
                        reconcile(work, id_, self._law, self._provider, now)
                except LightshipError as error:
                    failed = error
                else:
                    del cases[id_]
        if failed is not None:
            raise failed
        return looked


def reconcile(work: Work, case_id: str, law: Law, provider: tuple[str, ...], now: datetime) -> Duty | None:
    """Make a case's duty what the case asks for now: a detection that a person confirmed, or live danger before that.

    A verdict against it makes a duty that was not filed one that is not owed; one that was filed, or of which a report
    is under way, starts the clock of its correction.

    Raises
    ------
    LightshipError
        If the store cannot be used, or the provider's facts are none.
    """
    case = work.get(Case, case_id)
    if case is None:
        return None
    verdict = _standing(work, case)
    danger = case.danger_now and (verdict is None or verdict.verdict != "not-abuse")
    confirmed = verdict is not None and verdict.verdict == "abuse"
    id_ = identity(case_id, "detection")
    duty = work.get(Duty, id_)
    if not (confirmed or danger):
        return _withdrawn(work, duty, law, verdict, now) if duty is not None else None
    if duty is None:
        duty = desk.detect(work, _detection(work, case, verdict, law), now)
    elif duty.reference or desk.under_way(work, id_):
        return duty
    elif (
        verdict is not None
    ):  # what was filed for danger alone, or was not yet, gets its kind with the verdict
        work.change(Detection, id_, {}, label=_label(verdict, law))
    return desk.decide(work, id_, law, provider=provider, by=BY, now=now)[0]


def _standing(work: Work, case: Case) -> Judgement | None:
    """Return the verdict that stands on a case: its last, where it is decided; a reversal is "not abuse"."""
    if case.state not in {*_STANDS, "reversed"}:
        return None
    found = work.find(Judgement, {"case_id": case.id}, order=("-at",), limit=1)
    if found and case.state == "reversed":
        return replace(found[0], verdict="not-abuse")
    return found[0] if found else None


def _label(verdict: Judgement | None, law: Law) -> str:
    return law.labels.get(verdict.clause, _OTHER) if verdict is not None else _OTHER


def _withdrawn(work: Work, duty: Duty, law: Law, verdict: Judgement | None, now: datetime) -> Duty:
    under_way = not duty.reference and desk.under_way(work, duty.id)
    if duty.reference or under_way:
        if verdict is not None:
            words = (
                "The decision behind a report that is under way was reversed. Take it back, or tell the authority."
                if under_way
                else "The decision behind a filed report was reversed. Tell the authority, or retract the report."
            )
            about = {"about": duty.id, "reference": duty.reference}
            clocks.begin(work, law, "correction", **about, began_at=verdict.at, by=BY, words=words)
        return duty
    reason = (
        f"A person decided that it is no abuse: {verdict.reason}"
        if verdict is not None
        else "The decision that it is abuse was taken back, and nobody is said to be in danger."
    )
    choice = Choice(False, "", "withdrawn", law.digest, reason, duty.facts)
    return desk.put(work, duty, choice, by=verdict.by if verdict else BY, now=now)


def _detection(work: Work, case: Case, verdict: Judgement | None, law: Law) -> Detection:
    stream = work.get(Stream, case.stream_id)
    found_by: FoundBy = "machine" if case.opened_by == "machine" else "report"
    return Detection(
        id=identity(case.id, "detection"),
        case_id=case.id,
        stream_id=case.stream_id,
        label=_label(verdict, law),
        found_by=found_by,
        basis=stream.basis if stream is not None else "",
        aware_at=_aware(work, case),
        facts=("csea=yes", "reported-to=nobody", "live=yes"),
        live_danger=case.danger_now,
    )


def _aware(work: Work, case: Case) -> datetime:
    """Return when the provider became aware: with the case, or with a report that came to it before."""
    told = work.find(Report, {"case_id": case.id}, order=("received_at",), limit=1)
    return min([case.aware_at, *(one.received_at for one in told)])
