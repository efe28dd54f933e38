"""Who may do what, for which purpose, and how much of it they may be shown. Pure; denies what nothing allows.

Every answer carries its reasons, so that a person who is refused learns why, and the record says what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from lightship.core.cases import Case, Judgement
from lightship.core.people import Shift

Actor = Literal["moderator", "lead", "auditor", "administrator", "analyst", "platform", "reporter"]
Purpose = Literal[
    "review",
    "second-opinion",
    "appeal",
    "oversight",
    "audit",
    "administration",
    "own-shift",
    "platform",
    "casework",
]
Act = Literal[
    "see-queue",
    "see-item",
    "reveal",
    "claim",
    "take-over",
    "judge",
    "second",
    "appeal",
    "reverse",
    "undo",
    "see-wall",
    "see-subject",
    "see-health",
    "see-audit",
    "export-audit",
    "see-record-book",
    "see-holds",
    "hold",
    "see-duties",
    "decide-duty",
    "surge",
    "manage-accounts",
    "own-shift",
    "register-streams",
    "report",
    "list-cases",
    "list-decisions",
    "see-cases",
    "work-cases",
    "read-narrative",
    "disseminate",
    "see-interests",
    "ask-interests",
    "see-knowledge",
]

_ALLOWED: Mapping[Actor, Mapping[Act, frozenset[Purpose]]] = {
    "moderator": {
        "see-queue": frozenset({"review"}),
        "see-item": frozenset({"review", "second-opinion"}),
        "reveal": frozenset({"review", "second-opinion"}),
        "claim": frozenset({"review"}),
        "judge": frozenset({"review"}),
        "second": frozenset({"second-opinion"}),
        "appeal": frozenset({"appeal"}),
        "undo": frozenset({"review"}),
        "see-wall": frozenset({"review"}),
        "see-subject": frozenset({"review"}),
        "see-health": frozenset({"review"}),
        "own-shift": frozenset({"own-shift"}),
    },
    "lead": {
        "see-queue": frozenset({"review", "oversight"}),
        "see-item": frozenset({"review", "second-opinion", "appeal", "oversight"}),
        "reveal": frozenset({"review", "second-opinion", "appeal"}),
        "claim": frozenset({"review"}),
        "take-over": frozenset({"review", "oversight"}),
        "judge": frozenset({"review"}),
        "second": frozenset({"second-opinion"}),
        "appeal": frozenset({"appeal"}),
        "reverse": frozenset({"appeal"}),
        "undo": frozenset({"review", "oversight"}),
        "see-wall": frozenset({"review", "oversight"}),
        "see-subject": frozenset({"review", "oversight"}),
        "see-health": frozenset({"review", "oversight"}),
        "see-audit": frozenset({"oversight"}),
        "see-holds": frozenset({"oversight"}),
        "hold": frozenset({"oversight"}),
        "see-duties": frozenset({"oversight"}),
        "decide-duty": frozenset({"oversight"}),
        "surge": frozenset({"oversight"}),
        "own-shift": frozenset({"own-shift"}),
    },
    "auditor": {
        "see-item": frozenset({"audit"}),
        "see-subject": frozenset({"audit"}),
        "see-health": frozenset({"audit"}),
        "see-audit": frozenset({"audit"}),
        "export-audit": frozenset({"audit"}),
        "see-record-book": frozenset({"audit"}),
        "see-holds": frozenset({"audit"}),
        "see-duties": frozenset({"audit"}),
        "see-cases": frozenset({"audit"}),
        "see-interests": frozenset({"audit"}),
        "see-knowledge": frozenset({"audit"}),
        "own-shift": frozenset({"own-shift"}),
    },
    "administrator": {
        "see-health": frozenset({"administration"}),
        "manage-accounts": frozenset({"administration"}),
        "see-duties": frozenset({"administration"}),
        "see-knowledge": frozenset({"administration"}),
        "own-shift": frozenset({"own-shift"}),
    },
    "analyst": {
        "see-cases": frozenset({"casework"}),
        "work-cases": frozenset({"casework"}),
        "read-narrative": frozenset({"casework"}),
        "disseminate": frozenset({"casework"}),
        "see-interests": frozenset({"casework"}),
        "ask-interests": frozenset({"casework"}),
        "see-knowledge": frozenset({"casework"}),
        "own-shift": frozenset({"own-shift"}),
    },
    "platform": {
        "register-streams": frozenset({"platform"}),
        "report": frozenset({"platform"}),
        "list-cases": frozenset({"platform"}),
        "list-decisions": frozenset({"platform"}),
    },
    "reporter": {"report": frozenset({"platform"})},
}

_TRAINED: frozenset[Act] = frozenset(
    {"see-item", "reveal", "claim", "take-over", "judge", "second", "reverse", "undo", "hold", "decide-duty"}
)
_WITH_PICTURES: frozenset[Actor] = frozenset({"moderator", "lead"})


@dataclass(frozen=True, slots=True)
class Permission:
    """An answer to "may I?", and why.

    Parameters
    ----------
    reasons
        Each a sentence; the first is the one to show.
    """

    allowed: bool
    reasons: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.allowed

    @property
    def why(self) -> str:
        """The first reason."""
        return self.reasons[0]


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Parameters
    ----------
    trained_until
        None where no training is asked for, as of an interface.
    """

    name: str
    role: Actor
    active: bool = True
    trained_until: datetime | None = None


def allowed_purposes(role: Actor, act: Act) -> frozenset[Purpose]:
    """Return the purposes for which a role may do something; none: it may not at all."""
    return _ALLOWED.get(role, {}).get(act, frozenset())


def permit(
    person: Person,
    act: Act,
    *,
    purpose: Purpose,
    now: datetime,
    case: Case | None = None,
    judgement: Judgement | None = None,
) -> Permission:
    """Return whether somebody may do something now, and why.

    Parameters
    ----------
    case
        What it concerns, where it concerns one.
    judgement
        What is to be seconded or reversed.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> permit(Person("a", "auditor"), "reveal", purpose="audit", now=datetime(2026, 1, 1, tzinfo=UTC)).why
    'No auditor may do this (reveal).'
    """
    general = permit_in_general(person, act, purpose=purpose, now=now)
    return general and _of_case(person, act, purpose, now, case, judgement)


def permit_in_general(person: Person, act: Act, *, purpose: Purpose, now: datetime) -> Permission:
    """Return whether somebody may do something of some case or other; :func:`permit` says of which."""
    known = allowed_purposes(person.role, act)
    if not known:
        return _no(f"No {person.role} may do this ({act}).")
    if not person.active:
        return _no("The account is closed.")
    if purpose not in known:
        return _no(f"A {person.role} may do this ({act}), but not for this purpose ({purpose}).")
    if person.role in _WITH_PICTURES and act in _TRAINED:
        if person.trained_until is None:
            return _no("No training is on record.")
        if person.trained_until <= now:
            return _no(f"The training ran out on {person.trained_until:%-d %B %Y}. Renew it first.")
    return Permission(True, (f"A {person.role} may do this ({act}) for this purpose ({purpose}).",))


def _of_case(
    person: Person,
    act: Act,
    purpose: Purpose,
    now: datetime,
    case: Case | None,
    judgement: Judgement | None,
) -> Permission:
    mine = case is not None and holds(person.name, case, now)
    made_it = judgement is None or judgement.by == person.name
    had_part = made_it or (judgement is not None and judgement.second_by == person.name)
    checks = (
        (
            act in {"judge", "reveal"} and purpose == "review" and not mine,
            "The case is not claimed by you. Claim it first.",
        ),
        (
            act == "reveal" and purpose == "appeal" and (case is None or case.state != "appealed"),
            "No appeal of this case is open.",
        ),
        (
            act in {"judge", "claim"} and case is not None and case.state != "open",
            "The case is not open any more.",
        ),
        (act == "second" and made_it, "A second person is needed: you made this decision yourself."),
        (
            act == "second" and judgement is not None and judgement.second_by != "",
            "Somebody has been the second person already.",
        ),
        (
            act == "reverse" and had_part,
            "You had a part in this decision, so somebody else must review it.",
        ),
    )
    wrong = tuple(said for stands, said in checks if stands)
    if wrong:
        return _no(*wrong)
    return Permission(True, (f"A {person.role} may do this ({act}) for this purpose ({purpose}).",))


def holds(name: str, case: Case, now: datetime) -> bool:
    """Return whether a case is claimed by somebody now."""
    return case.claimed_by == name and case.claimed_until is not None and case.claimed_until > now


def _no(*reasons: str) -> Permission:
    return Permission(False, reasons)


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a person may be shown in a shift.

    Parameters
    ----------
    seconds, items, severity
        Of clear pictures: time, different cases, and the sum of their severities (each 0 to 1).
    stretch_s, break_s
        After so many seconds a break of so many is due.
    grant_s
        A picture is opened for so long at a time at most.
    """

    seconds: float = 1_200.0
    items: int = 60
    severity: float = 30.0
    stretch_s: float = 300.0
    break_s: float = 600.0
    grant_s: float = 10.0


def may_be_shown(shift: Shift, budget: Budget, now: datetime) -> Permission:
    """Return whether any item may be opened to this person now."""
    resting = shift.break_until is not None and shift.break_until > now
    checks = (
        (shift.ended_at is not None, "Your shift has ended."),
        (shift.opted_out, "You chose to see no more items this shift. Nobody asks why."),
        (resting, f"You are on a break until {shift.break_until or now:%H:%M} UTC."),
        (
            budget.seconds - shift.seconds < 1.0,
            f"You have seen {budget.seconds:g} seconds this shift, which is the limit.",
        ),
        (
            shift.items >= budget.items,
            f"You have opened {budget.items} items this shift, which is the limit.",
        ),
        (
            shift.severity >= budget.severity,
            "What you have seen this shift was grave enough. The limit is reached.",
        ),
    )
    wrong = tuple(said for stands, said in checks if stands)
    return _no(*wrong) if wrong else Permission(True, ("The exposure budget allows it.",))


def grant(
    shift: Shift, budget: Budget, *, severity: float, seen_before: bool, now: datetime
) -> tuple[Shift, float, Permission]:
    """Charge a picture that is about to be opened; returns the shift, the seconds granted (0: none), and why.

    The whole grant is charged at once, so that no number of requests together gets more than the budget;
    :func:`covered` gives back what was not used.

    Parameters
    ----------
    severity
        The case's, 0 to 1.
    seen_before
        Whether this person opened the same case's pictures in this shift: then it is no new item.
    """
    allowed = may_be_shown(shift, budget, now)
    if not allowed:
        return shift, 0.0, allowed
    if not seen_before and shift.severity + severity > budget.severity:
        return shift, 0.0, _no("This item is graver than what is left of your limit. Somebody else takes it.")
    granted_s = min(budget.grant_s, budget.seconds - shift.seconds)
    charged = replace(
        shift,
        seconds=shift.seconds + granted_s,
        items=shift.items + (not seen_before),
        severity=shift.severity + (0.0 if seen_before else severity),
        stretch_s=shift.stretch_s + granted_s,
        break_until=None,
    )
    if charged.stretch_s >= budget.stretch_s:
        charged = begin_break(charged, budget, now + timedelta(seconds=granted_s))
    return charged, granted_s, allowed


def covered(shift: Shift, *, granted_s: float, used_s: float) -> Shift:
    """Give back the seconds of a grant that were not used; time is the server's, so none can be made up."""
    unused_s = max(0.0, granted_s - max(0.0, used_s))
    return replace(
        shift,
        seconds=max(0.0, shift.seconds - unused_s),
        stretch_s=max(0.0, shift.stretch_s - unused_s),
    )


def begin_break(shift: Shift, budget: Budget, now: datetime) -> Shift:
    """Begin a break, due or wanted."""
    return replace(shift, stretch_s=0.0, break_until=now + timedelta(seconds=budget.break_s))


ROLES: tuple[Actor, ...] = get_args(Actor)
"""All roles."""

_SAME_DAY = timedelta(hours=12)


def next_shift(id_: str, account: str, last: Shift | None, now: datetime) -> Shift:
    """Return a new shift; one that begins within twelve hours of the last one's begin goes on with its exposure."""
    if last is None or now - last.began_at >= _SAME_DAY:
        return Shift(id_, account, now)
    return replace(last, id=id_, ended_at=None, handover="", decided=0, unseen=0)
