"""From a decision to a case with its effects, and from a person's verdict to what follows: each one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from lightship.core.cases import Case, Effect, EffectKind, Judgement, Stream, Verdict
from lightship.core.errors import AccessDenied, StoreError
from lightship.core.identity import identity
from lightship.core.ports import Work
from lightship.core.values import Decision, Rung
from lightship.detect.matcher import Flood
from lightship.watch import effects, likeness, priority, words
from lightship.watch.effects import GRAVE, WINDOWS, Windows

RESPONSES: Mapping[Rung, tuple[EffectKind, ...]] = {
    "observe": (),
    "blur": ("cover",),
    "pause": ("cover",),
    "end": ("stop-stream",),
}
"""What each rung orders. To look more often is no act upon anybody, and opens no case."""

_MATCHED = 200
"""Entries that a case names at most."""

NO_CLAUSE = "none"
"""The clause of what is against no rule."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A decision of the watch, with what a person needs to understand it.

    Parameters
    ----------
    run
        The lease's fencing number: stream seconds begin anew with each.
    from_s
        When evidence was first seen, stream seconds.
    still
        PDQ hash of the picture that decided, hexadecimal; empty where it is too flat.
    versions
        Of the detectors, by name.
    details
        What a detector says of it.
    basis
        On which the stream is looked at.
    matched
        Entries of lists that the picture matched, as ``list/reference``.
    """

    stream: Stream
    decision: Decision
    run: int
    from_s: float
    still: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    details: str = ""
    basis: str = ""
    matched: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Filed:
    """What a sighting led to.

    Parameters
    ----------
    case
        Opened or joined; None where nothing is asked of anybody.
    ordered
        Its effects in force.
    """

    case: Case | None
    ordered: tuple[Effect, ...] = ()


def file(work: Work, sighting: Sighting, now: datetime, windows: Windows = WINDOWS) -> Filed:
    """Put a decision in force: record it, open or join the stream's case, order the effects. Filed twice, it is one."""
    decision, stream = sighting.decision, sighting.stream
    case = open_case(work, stream.id)
    by = f"policy {decision.policy}"
    record_decision(work, sighting)
    if decision.rung is None:
        if case is not None and decision.by == "benign":
            cover = effects.in_force(work, stream.id, "cover")
            if cover is not None and cover.ordered_by.startswith("policy "):
                effects.undo(work, cover.id, by=by, now=now)
        return Filed(case)
    acts = RESPONSES[decision.rung]
    if not acts:
        return Filed(case)
    case = _opened(work, sighting, now) if case is None else _joined(work, case, sighting)
    ordered = tuple(
        effects.order(work, case, act, by=by, now=now, window_s=windows.machine_s) for act in acts
    )
    return Filed(case, ordered)


def open_case(work: Work, stream_id: str) -> Case | None:
    """Return the stream's case that waits for a verdict."""
    found = work.find(Case, {"stream_id": stream_id, "state": "open"}, order=("opened_at",), limit=1)
    return found[0] if found else None


def record_decision(work: Work, sighting: Sighting) -> None:
    """Put a decision with its reasons on the ledger."""
    decision = sighting.decision
    work.record(
        {
            "kind": "decision",
            "stream": sighting.stream.id,
            "run": sighting.run,
            "at_s": round(decision.at_s, 3),
            "rung": decision.rung,
            "before": decision.before,
            "by": decision.by,
            "policy_digest": decision.policy,
            "basis": sighting.basis or sighting.stream.basis,
            "reasons": [
                {"detector": one.detector, "label": one.label, "weight_db": round(one.weight_db, 3)}
                for one in decision.reasons
            ],
        }
    )


def _opened(work: Work, sighting: Sighting, now: datetime) -> Case:
    decision, stream = sighting.decision, sighting.stream
    weight_db = max(0.0, min(decision.total_db, 999.0))
    place = _parts(stream, decision, weight_db)
    near = likeness.nearest(work, sighting.still, stream.id)
    case = Case(
        id=identity(stream.id, str(sighting.run), f"{decision.at_s:.3f}", str(decision.rung)),
        stream_id=stream.id,
        opened_by="machine",
        opened_at=now,
        aware_at=now,
        words=_words(sighting),
        weight_db=weight_db,
        rung=decision.rung or "",
        reach=place.reach,
        severity=place.severity,
        likelihood=place.likelihood,
        place=priority.together(place.reach, place.severity, place.likelihood),
        near_of=near.id if near is not None else "",
        still=sighting.still,
        detectors=_detectors(decision),
        matched=sighting.matched,
    )
    work.save(case)
    work.record(
        {
            "kind": "case-opened",
            "case": case.id,
            "stream": stream.id,
            "opened_by": "machine",
            "aware_at": now.isoformat(),
            "reach": place.reach,
            "severity": place.severity,
            "likelihood": place.likelihood,
            "why": list(place.why),
            "near_of": case.near_of,
            "detectors": list(case.detectors),
            "matched": list(case.matched),
            **priority.placed(case),
        }
    )
    return case


def _detectors(decision: Decision, known: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the detectors whose evidence a case rests on."""
    return tuple(dict.fromkeys([*known, *(one.detector for one in decision.reasons)]))


def _joined(work: Work, case: Case, sighting: Sighting) -> Case:
    decision = sighting.decision
    weight_db = max(case.weight_db, min(decision.total_db, 999.0))
    place = _parts(sighting.stream, decision, weight_db, danger_now=case.danger_now)
    severity, likelihood = max(case.severity, place.severity), max(case.likelihood, place.likelihood)
    changed = work.change(
        Case,
        case.id,
        {},
        words=_words(sighting) if case.opened_by == "machine" else f"{case.words} {_words(sighting)}"[:4000],
        weight_db=weight_db,
        rung=decision.rung or case.rung,
        reach=place.reach,
        severity=severity,
        likelihood=likelihood,
        place=priority.together(place.reach, severity, likelihood),
        still=case.still or sighting.still,
        detectors=_detectors(decision, case.detectors),
        matched=tuple(dict.fromkeys([*case.matched, *sighting.matched]))[:_MATCHED],
    )
    case = changed or case
    work.record(
        {
            "kind": "case-placed",
            "case": case.id,
            "stream": case.stream_id,
            "why": list(place.why),
            "detectors": list(case.detectors),
            "matched": list(case.matched),
            **priority.placed(case),
        }
    )
    return case


def _parts(
    stream: Stream, decision: Decision, weight_db: float, *, danger_now: bool = False
) -> priority.Parts:
    return priority.parts(
        viewers=stream.viewers,
        labels=[one.label for one in decision.reasons],
        weight_db=weight_db,
        child_host=stream.child_host,
        danger_now=danger_now,
    )


def _words(sighting: Sighting) -> str:
    return words.of_decision(sighting.decision, sighting.versions, sighting.from_s, sighting.details)


def decide(
    work: Work,
    case_id: str,
    *,
    by: str,
    verdict: Verdict,
    clause: str,
    reason: str,
    now: datetime,
    acts: Iterable[EffectKind] = (),
    windows: Windows = WINDOWS,
    reused_of: str = "",
) -> Judgement:
    """Take in a person's verdict on an open case.

    ``"abuse"`` stops the stream if it runs, and orders the acts asked for, grave ones held for a second person;
    ``"not-abuse"`` undoes what the machine did; ``"unsure"`` leaves the case open for somebody else.

    Raises
    ------
    StoreError
        If the case is not open: somebody else was quicker.
    AccessDenied
        If clause or reason is missing, verdict and clause contradict each other, or acts are asked for without the
        verdict for them.
    """
    where = f"case {case_id}"
    if not clause.strip() or not reason.strip():
        raise AccessDenied("A decision needs its clause and its reason.", where, "Write both.")
    if said := contradiction(verdict, clause):
        raise AccessDenied(said, where, "Change one of the two.")
    acts = tuple(acts)
    if acts and verdict != "abuse":
        raise AccessDenied("Acts follow only from the verdict of abuse.", where, "Take them out.")
    state = "open" if verdict == "unsure" else "decided"
    # One number per verdict that was given, so that no two of one case share an id.
    number = len(work.find(Judgement, {"case_id": case_id}))
    case = work.change(Case, case_id, {"state": "open"}, state=state, claimed_by="", claimed_until=None)
    if case is None:
        raise StoreError("This case is not open.", where, "Reload it: somebody else may have decided.")
    judgement = Judgement(
        identity(case_id, "verdict", str(number)),
        case_id,
        by,
        now,
        verdict,
        words.plain(clause),
        words.plain(reason),
        reused_of=reused_of,
    )
    work.save(judgement)
    work.record(
        {
            "kind": "verdict",
            "case": case_id,
            "by": by,
            "verdict": verdict,
            "clause": judgement.clause,
            "reason": judgement.reason,
            "seen": case.seen,
            "reused_of": reused_of,
            **priority.placed(case),
        }
    )
    if verdict == "abuse":
        wanted = dict.fromkeys((*(("stop-stream",) if case.live else ()), "preserve", *acts))
        for act in wanted:
            effects.order(work, case, act, by=by, now=now, window_s=windows.person_s, held=act in GRAVE)
    elif verdict == "not-abuse":
        effects.undo_all(work, case, by=by, now=now)
    return judgement


def contradiction(verdict: Verdict, clause: str) -> str:
    """Return in what a verdict and a clause contradict each other; empty where they do not.

    Who is unsure may name the clause that they have in mind, or none.
    """
    if verdict == "abuse" and clause == NO_CLAUSE:
        return "The verdict is abuse, but no clause of the policy is named."
    if verdict == "not-abuse" and clause != NO_CLAUSE:
        return "The verdict is “not abuse”, but a clause against abuse is named."
    return ""


def reuse(work: Work, case_id: str, *, by: str, now: datetime, windows: Windows = WINDOWS) -> Judgement:
    """Decide a near-duplicate as people decided of its group before; nobody has to look.

    Raises
    ------
    StoreError
        If there is no earlier verdict that stands, or the case is not open.
    """
    case = work.get(Case, case_id)
    found = likeness.earlier(work, case) if case is not None else None
    if found is None:
        raise StoreError(
            "No earlier verdict stands that could be used again.", f"case {case_id}", "Decide it."
        )
    return decide(
        work,
        case_id,
        by=by,
        verdict=found.verdict,
        clause=found.clause,
        reason=found.reason,
        now=now,
        windows=windows,
        reused_of=found.id,
    )


def second(work: Work, judgement_id: str, *, by: str, agrees: bool, now: datetime) -> Judgement:
    """Take in the second person's answer to a verdict's grave acts; without agreement they never happen.

    Raises
    ------
    AccessDenied
        If it is the first person.
    StoreError
        If no act of the verdict waits for a second person.
    """
    judgement = work.get(Judgement, judgement_id)
    where = f"judgement {judgement_id}"
    if judgement is None:
        raise StoreError("There is no such judgement.", where, "Check its id.")
    if by == judgement.by:
        raise AccessDenied("The second person must be another.", where, "Ask a colleague.")
    held = work.find(Effect, {"case_id": judgement.case_id, "state": "waiting", "due_at": effects.HELD})
    changed = work.change(Judgement, judgement_id, {"second_by": ""}, second_by=by, second_at=now)
    if not held or changed is None:
        raise StoreError("Nothing waits for a second person here.", where, "Reload it.")
    for one in held:
        if agrees:
            effects.agree(work, one.id, by=by, now=now)
        else:
            effects.undo(work, one.id, by=by, now=now)
    return changed


def appeal(work: Work, case_id: str, *, text: str, now: datetime) -> Case:
    """Take in an appeal against a decided or closed case.

    Raises
    ------
    StoreError
        If nothing was decided, or an appeal is under way or was answered.
    """
    changed = work.change(Case, case_id, {"state": ("decided", "closed")}, state="appealed")
    if changed is None:
        raise StoreError("There is no decision to appeal here.", f"case {case_id}", "Reload it.")
    entry = {"kind": "appeal", "case": case_id, "at": now.isoformat(), "text": words.plain(text)}
    work.record({**entry, **priority.placed(changed)})
    return changed


def answer(work: Work, case_id: str, *, by: str, overturn: bool, reason: str, now: datetime) -> Case:
    """Answer an appeal; to overturn really undoes every effect of the case.

    Raises
    ------
    AccessDenied
        If the person decided the case before, or gives no reason.
    StoreError
        If no appeal is open.
    """
    where = f"case {case_id}"
    before = work.find(Judgement, {"case_id": case_id})
    if any(by in {one.by, one.second_by} for one in before):
        raise AccessDenied("An appeal is answered by somebody who did not decide.", where, "Ask a colleague.")
    if not reason.strip():
        raise AccessDenied("The answer needs a reason.", where, "Write it.")
    case = work.change(Case, case_id, {"state": "appealed"}, state="reversed" if overturn else "closed")
    if case is None:
        raise StoreError("No appeal is open here.", where, "Reload it.")
    work.record(
        {
            "kind": "appeal-answered",
            "case": case_id,
            "by": by,
            "overturned": overturn,
            "reason": words.plain(reason),
            **priority.placed(case),
        }
    )
    if overturn:
        effects.undo_all(work, case, by=by, now=now)
    return case


def set_aside(flood: Flood, work: Work) -> None:
    """Take in that the brake set an entry aside: on the ledger, and in the words of the open cases that rest on it."""
    named = f"{flood.bank}/{flood.reference}"
    streams = tuple(one.id for one in work.find(Stream, {"host": flood.within}))
    cases = work.find(Case, {"stream_id": streams, "state": "open"}) if streams else []
    doubted = [one for one in cases if named in one.matched]
    for case in doubted:
        work.change(Case, case.id, {}, words=f"{case.words} {flood}"[:4000])
    entry = {"kind": "entry-set-aside", "list": flood.bank, "entry": flood.reference}
    work.record({**entry, "places": flood.subjects, "cases": [one.id for one in doubted]})


def ended(work: Work, stream_id: str, now: datetime) -> None:
    """Take in that a stream is over: its cases are no longer live."""
    work.change(Stream, stream_id, {"ended_at": None}, ended_at=now)
    over = [
        work.change(Case, case.id, {}, live=False) or case
        for case in work.find(Case, {"stream_id": stream_id, "live": True})
    ]
    entry = {"kind": "stream-ended", "stream": stream_id, "at": now.isoformat()}
    work.record({**entry, **priority.placed(*over)})
