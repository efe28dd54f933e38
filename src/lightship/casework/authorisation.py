"""An authorisation as a state machine: each step a pure function that names the law it went by, or refuses.

States: applied → (refused | awaiting_jc | granted) → cancelled. Whether a granted one is active at a moment is the
clock's to say (:func:`~lightship.casework.authorisation_clocks.standing`); nothing that awaits a Commissioner ever is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from lightship.casework.authorisation_clocks import (
    authorised_days,
    days_of,
    hours_end,
    is_long_term,
    next_period_start,
    period_end,
    standing,
)
from lightship.casework.authorisation_rules import Rules
from lightship.core.errors import AccessDenied, InputError
from lightship.core.undercover import (
    Act,
    Application,
    Authorisation,
    Form,
    Review,
    Span,
    State,
    Waiting,
)

TEXTS = ("conduct", "necessity", "proportionality", "collateral", "confidential")
_PEOPLE = ("source", "investigation", "operation_id", "applicant", "handler", "cover", "controller")


def apply_for(
    id_: str, asked: Application, at: datetime, rules: Rules, *, oral: bool = False
) -> Authorisation:
    """Return a new authorisation, applied for and without effect.

    Parameters
    ----------
    oral
        Whether it is asked for by mouth: its texts then follow with :func:`write_down`.

    Raises
    ------
    InputError
        If somebody is not named, or a text is missing.
    AccessDenied
        If the source is under 18, or the handler would be their own controller.
    """
    _check(asked, at, rules, texts=not oral)
    new = Authorisation(id_, asked, "applied", ())
    return _step(
        new, "apply", asked.applicant, at, "applied", ("application", "roles", "grounds", "juvenile"), rules
    )


def refuse(one: Authorisation, by: str, why: str, at: datetime, rules: Rules) -> Authorisation:
    """Return it refused.

    Raises
    ------
    AccessDenied
        If it is not applied for, or by somebody who is part of it.
    InputError
        If no reason is given.
    """
    _in_state(one, "applied")
    _separate(one, by)
    _words(why, "why")
    return _step(one, "refuse", by, at, "refused", ("separation",), rules, why)


def grant(
    one: Authorisation,
    by: str,
    rank: str,
    at: datetime,
    review_due: date,
    earlier: Iterable[Authorisation],
    rules: Rules,
    *,
    oral: bool = False,
    urgent: str = "",
) -> Authorisation:
    """Return it granted; long term, and it waits for a Judicial Commissioner instead.

    Parameters
    ----------
    rank
        Of the authorising officer, as the table of ranks has it.
    earlier
        The source's other authorisations, of any investigation.
    urgent
        Why it is too urgent for the ordinary way; must be given for an oral grant, and by a rank for urgent cases only.

    Raises
    ------
    AccessDenied
        If the law does not let this person grant this.
    InputError
        If something is missing.
    """
    _in_state(one, "applied")
    _separate(one, by)
    form, used = _form(rank, at, rules, oral=oral, urgent=urgent)
    if not oral:
        _check(one.application, at, rules, texts=True)
    _review_day(review_due, at, rules)
    ends, clock = _end(form, at, rules)
    total = _days(one, earlier, at, rules) | days_of(at, ends, rules.zone)
    ids = (*used, clock, "separation", "ranks", "review", "long-term")
    act: Act = "grant-oral" if oral else "grant"
    if is_long_term(total, rules.on(_day(at, rules), "long-term").number("months")):
        _long_term_rank(form, rank, at, rules)
        waiting = Waiting(by, rank, at, review_due, len(total), renewal=False)
        return _step(
            replace(one, waiting=waiting), act, by, at, "awaiting_jc", (*ids, "judicial-approval"), rules
        )
    span = Span(form, at, ends, by, rank, at, None if oral else at)
    granted = replace(one, spans=(span,), review_due=review_due)
    return _step(granted, act, by, at, "granted", (*ids, *(("oral-record",) if oral else ())), rules, urgent)


def write_down(one: Authorisation, asked: Application, by: str, at: datetime, rules: Rules) -> Authorisation:
    """Return an orally granted one with its written record: the same people, now with the texts.

    Raises
    ------
    AccessDenied
        If it was not granted orally, has its record, or the record names other people.
    InputError
        If a text is missing.
    """
    _in_state(one, "granted")
    last = one.spans[-1]
    if last.form != "oral_urgent" or last.written_down_at is not None:
        raise AccessDenied("There is no oral grant that still needs its record.", one.id, "")
    _check(asked, at, rules, texts=True)
    if any(getattr(asked, name) != getattr(one.application, name) for name in (*_PEOPLE, "source_kind")):
        raise AccessDenied(
            "The written record names others than were granted orally.", one.id, "Apply for those anew."
        )
    written = replace(last, written_down_at=at)
    kept = replace(one, application=asked, spans=(*one.spans[:-1], written))
    return _step(kept, "write-down", by, at, "granted", ("oral-record", "application"), rules)


def approve_jc(
    one: Authorisation, reference: str, notice: Iterable[str], at: datetime, rules: Rules
) -> Authorisation:
    """Return it with the Commissioner's approval: a grant has effect from now, a renewal when the old one ends.

    Parameters
    ----------
    reference
        The approval's own, as the Commissioner's office gave it.
    notice
        The headings of which the Commissioner was given notice.

    Raises
    ------
    AccessDenied
        If nothing waits, what waited has lapsed meanwhile, or the notice was incomplete.
    InputError
        If there is no reference.
    """
    waiting = one.waiting
    if waiting is None:
        raise AccessDenied("Nothing here waits for a Judicial Commissioner.", one.id, "")
    _words(reference, "reference")
    lacking = set(rules.on(_day(at, rules), "judicial-approval").names("notice")) - set(notice)
    if lacking:
        raise AccessDenied(
            f"The notice lacks {', '.join(sorted(lacking))}.",
            one.id,
            "Send it whole; then record the approval.",
        )
    start = at
    if waiting.renewal:
        _active(one, at)
        start = next_period_start(one.spans[-1], rules.zone)
    ends, clock = _end("written", start, rules)
    span = Span("written", start, ends, waiting.authoriser, waiting.rank, waiting.asked_at, waiting.asked_at)
    granted = replace(one, spans=(*one.spans, span), waiting=None, review_due=waiting.review_due)
    return _step(granted, "approve-jc", reference, at, "granted", ("judicial-approval", clock), rules)


def refuse_jc(one: Authorisation, reference: str, why: str, at: datetime, rules: Rules) -> Authorisation:
    """Return it as a Judicial Commissioner's refusal leaves it: refused, or running to its own end.

    Raises
    ------
    AccessDenied
        If nothing waits.
    InputError
        If there is no reference.
    """
    if one.waiting is None:
        raise AccessDenied("Nothing here waits for a Judicial Commissioner.", one.id, "")
    _words(reference, "reference")
    after: State = "granted" if one.waiting.renewal else "refused"
    return _step(
        replace(one, waiting=None), "refuse-jc", reference, at, after, ("judicial-approval",), rules, why
    )


def review(one: Authorisation, done: Review, rules: Rules) -> Authorisation:
    """Return it reviewed, with the next review's day.

    Raises
    ------
    AccessDenied
        If it is not in force.
    InputError
        If a part of the review is empty, or the next day is too far off.
    """
    _active(one, done.at)
    for name in ("by", "use", "tasks", "information"):
        _words(getattr(done, name), name)
    _review_day(done.next_due, done.at, rules)
    kept = replace(one, reviews=(*one.reviews, done), review_due=done.next_due)
    return _step(kept, "review", done.by, done.at, "granted", ("review",), rules)


def renew(
    one: Authorisation,
    by: str,
    rank: str,
    at: datetime,
    review_due: date,
    earlier: Iterable[Authorisation],
    rules: Rules,
    *,
    oral: bool = False,
    urgent: str = "",
) -> Authorisation:
    """Return it renewed from the moment at which it would have ended; long term, it waits and runs on meanwhile.

    Parameters
    ----------
    rank, earlier, urgent
        As for :func:`grant`.

    Raises
    ------
    AccessDenied
        If it has ended, has not been reviewed since it was last granted, or the law does not let this person.
    InputError
        If something is missing.
    """
    _active(one, at)
    _separate(one, by)
    last = one.spans[-1]
    if one.waiting is not None:
        raise AccessDenied("A renewal waits for the Judicial Commissioner already.", one.id, "")
    if last.written_down_at is None:
        raise AccessDenied("The oral grant has no written record yet.", one.id, "Write it down first.")
    if not any(done.at >= last.granted_at for done in one.reviews):
        raise AccessDenied(
            "It has not been reviewed since it was last granted or renewed.",
            one.id,
            "Review use, tasks and information first (RIPA 2000 s.43(6)).",
        )
    form, used = _form(rank, at, rules, oral=oral, urgent=urgent)
    _review_day(review_due, at, rules)
    start = next_period_start(last, rules.zone)
    ends, clock = _end(form, start, rules)
    total = _days(one, earlier, at, rules) | days_of(start, ends, rules.zone)
    ids = (*used, "renewal", clock, "separation", "ranks", "review", "long-term")
    if is_long_term(total, rules.on(_day(at, rules), "long-term").number("months")):
        _long_term_rank(form, rank, at, rules)
        waiting = Waiting(by, rank, at, review_due, len(total), renewal=True)
        return _step(
            replace(one, waiting=waiting), "renew", by, at, "granted", (*ids, "judicial-approval"), rules
        )
    span = Span(form, start, ends, by, rank, at, None if oral else at)
    renewed = replace(one, spans=(*one.spans, span), review_due=review_due)
    return _step(renewed, "renew", by, at, "granted", ids, rules, urgent)


def cancel(one: Authorisation, by: str, why: str, at: datetime, rules: Rules) -> Authorisation:
    """Return it cancelled from now on; nobody's rank stands in the way of ending one.

    Raises
    ------
    AccessDenied
        If it was neither granted nor waits, or is cancelled.
    InputError
        If no reason is given.
    """
    _in_state(one, "granted", "awaiting_jc")
    _words(why, "why")
    ended = replace(one, cancelled_at=at, waiting=None, review_due=None)
    return _step(ended, "cancel", by, at, "cancelled", ("cancellation",), rules, why)


# What every step asks -------------------------------------------------------------------------


def _step(
    one: Authorisation,
    act: Act,
    by: str,
    at: datetime,
    after: State,
    ids: tuple[str, ...],
    rules: Rules,
    words: str = "",
) -> Authorisation:
    _words(by, "by")
    if at.tzinfo is None:
        raise InputError("A step's time has no offset.", one.id, "Give an aware time, such as UTC.")
    if one.transitions and at < one.transitions[-1].at:
        raise AccessDenied(
            "A step cannot be dated before the one it follows.", one.id, f"That was {one.transitions[-1].at}."
        )
    before = one.state if one.transitions else None
    step = rules.transition(at.astimezone(UTC), act, by, before, after, ids, words)
    return replace(one, state=after, transitions=(*one.transitions, step))


def _check(asked: Application, at: datetime, rules: Rules, *, texts: bool) -> None:
    day = _day(at, rules)
    if asked.source_kind == "juvenile":
        rule = rules.on(day, "juvenile")
        raise AccessDenied(f"{rule.says} ({rule.section})", asked.source, "Ask the force's lawyers.")
    for name in (*_PEOPLE, "record_keeper", *(TEXTS if texts else ())):
        _words(getattr(asked, name), name)
    if asked.handler == asked.controller:
        raise AccessDenied(
            "The handler cannot be their own controller.", asked.source, rules.on(day, "roles").section
        )
    allowed = rules.on(day, "grounds").names("allowed")
    if asked.ground not in allowed:
        raise InputError(
            f"{asked.ground!r} is no ground of necessity.", asked.source, f"One of: {', '.join(allowed)}."
        )


def _words(value: str, name: str) -> None:
    if not value.strip():
        raise InputError(f"{name!r} is empty.", "authorisation", "Fill it in: the law asks for it.")


def _in_state(one: Authorisation, *states: State) -> None:
    if one.state not in states:
        raise AccessDenied(
            f"This authorisation is {one.state}; that can only follow {' or '.join(states)}.", one.id, ""
        )


def _active(one: Authorisation, at: datetime) -> None:
    now = standing(one, at)
    if now != "active":
        raise AccessDenied(f"This authorisation is {now}, not in force.", one.id, "Apply for a new one.")


def _separate(one: Authorisation, by: str) -> None:
    asked = one.application
    part = {asked.applicant, asked.handler, asked.cover, asked.controller, asked.source}
    if by.strip().casefold() in {name.strip().casefold() for name in part}:
        raise AccessDenied(
            f"{by} is part of this application and cannot decide on it.",
            one.id,
            "Ask another authorising officer.",
        )


def _form(rank: str, at: datetime, rules: Rules, *, oral: bool, urgent: str) -> tuple[Form, tuple[str, ...]]:
    table = rules.on(_day(at, rules), "ranks")
    ordinary = rank in (*table.names("full"), *table.names("long_term"))
    if not ordinary and rank not in table.names("urgent"):
        raise AccessDenied(f"The table of ranks does not have {rank!r}.", table.section, "Ask who it has.")
    if oral and not ordinary:
        raise AccessDenied(
            "Who may act only in urgent cases cannot grant orally.",
            rules.on(_day(at, rules), "form").section,
            "",
        )
    if (oral or not ordinary) and not urgent.strip():
        raise InputError(
            "Why it is urgent is not said.", "urgent", "Give the reason; it is part of the record."
        )
    if oral:
        return "oral_urgent", ("form",)
    return ("written" if ordinary else "written_urgent_only"), ("form",)


def _end(form: Form, effect: datetime, rules: Rules) -> tuple[datetime, str]:
    """Return when a period ends, and the clock by which."""
    day = _day(effect, rules)
    if form == "written":
        months = rules.on(day, "written-period").number("months")
        return period_end(effect, months, rules.zone), "written-period"
    clock = "oral-period" if form == "oral_urgent" else "urgent-period"
    return hours_end(effect, rules.on(day, clock).number("hours")), clock


def _days(one: Authorisation, earlier: Iterable[Authorisation], at: datetime, rules: Rules) -> set[date]:
    """Return the days already counted for this source on this investigation; for others than officers, none."""
    if one.application.source_kind != "officer":
        return set()
    without = rules.on(_day(at, rules), "long-term").names("excluded_forms")
    same = [
        other
        for other in earlier
        if other.id != one.id
        and other.application.source == one.application.source
        and other.application.investigation == one.application.investigation
    ]
    return set[date]().union(*(authorised_days(other, rules.zone, without) for other in (*same, one)))


def _long_term_rank(form: Form, rank: str, at: datetime, rules: Rules) -> None:
    if form != "written":
        raise AccessDenied(
            "This would be long term, and there is no urgent way to that.",
            rules.on(_day(at, rules), "long-term").section,
            "Ask for the Judicial Commissioner's approval in writing.",
        )
    table = rules.on(_day(at, rules), "ranks")
    if rank not in table.names("long_term"):
        raise AccessDenied(
            f"This would be long term: more than twelve months on the investigation. {rank!r} cannot grant that.",
            table.section,
            f"One of: {', '.join(table.names('long_term'))}.",
        )


def _review_day(due: date, at: datetime, rules: Rules) -> None:
    today = _day(at, rules)
    most = rules.on(today, "review").number("most_days")
    if not today < due <= today + timedelta(days=most):
        raise InputError(
            f"The next review's day, {due}, is not within {most} days.",
            "review",
            "Set a day; it is mandatory.",
        )


def _day(at: datetime, rules: Rules) -> date:
    if at.tzinfo is None:
        raise InputError("A time has no offset.", "authorisation", "Give an aware time, such as UTC.")
    return at.astimezone(rules.zone).date()
