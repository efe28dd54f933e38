"""Whom a detection is owed to, how urgently, and what to do beside: pure, reproducible from the facts and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from lightship.core.duties import Detection, Duty
from lightship.core.errors import InputError
from lightship.duties.law import DANGER, Conditions, Criterion, Law, Prompt, holding


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer, with all that it rests on.

    Parameters
    ----------
    owed
        None where it hangs on facts that nobody has told: a person must.
    authority
        Empty where nothing is owed, or that is open.
    rule
        The id of the rule that decided.
    digest
        Of all rules.
    facts
        The facts used, ``name=value``.
    missing
        Facts without which it cannot be decided.
    """

    owed: bool | None
    authority: str
    rule: str
    digest: str
    reason: str
    facts: tuple[str, ...]
    missing: tuple[str, ...] = ()


def facts_of(told: Iterable[str], law: Law) -> dict[str, str]:
    """Return facts by name, of ``name=value`` each.

    Raises
    ------
    InputError
        If one is no fact here, has a value that it cannot have, or is told twice with different values.
    """
    found: dict[str, str] = {}
    for one in told:
        name, _, value = one.partition("=")
        known = law.facts.get(name)
        if known is None or not value or (known and value not in known):
            todo = f"Values: {', '.join(known)}." if known else f"Facts: {', '.join(law.facts)}."
            raise InputError(f"This is no fact: {one!r}.", "facts of a detection", todo)
        if found.setdefault(name, value) != value:
            raise InputError(
                f"The fact {name!r} is told twice: {found[name]} and {value}.", "facts of a detection"
            )
    return found


def facts_for(detection: Detection, provider: Iterable[str], law: Law) -> dict[str, str]:
    """Return what is known of a detection: the provider's facts, overruled by its own; danger as it was found.

    Raises
    ------
    InputError
        As :func:`facts_of`.
    """
    danger = {DANGER: "yes"} if detection.live_danger else {}
    return {DANGER: "no", **facts_of(provider, law), **facts_of(detection.facts, law), **danger}


def choose(facts: Mapping[str, str], law: Law, day: date) -> Choice:
    """Return whom it is owed to on a day: the first rule that holds decides.

    A rule that may hold, for all that is told, stands in the way of those after it: the answer is then open, and names
    the facts that are missing. So nothing is reported twice, nor left unreported, because a fact was taken for granted.
    """
    used: set[str] = set()
    for rule in law.owed:
        if not rule.on(day):
            continue
        used |= set(rule.when)
        holds = holding(rule.when, facts)
        if holds is None:
            missing = tuple(sorted(set(rule.when) - set(facts)))
            reason = f"Not decided: {_named(missing)} must be told. It may be that: {rule.says}"
            return Choice(None, "", rule.id, law.digest, reason, _told(facts, used), missing)
        if holds:
            owed = bool(rule.authority)
            return Choice(owed, rule.authority, rule.id, law.digest, rule.says, _told(facts, used))
    reason = f"Not decided: no rule was in force on {day}."
    return Choice(None, "", "", law.digest, reason, _told(facts, used))


def urgency(facts: Mapping[str, str], law: Law, day: date) -> Criterion | None:
    """Return the first criterion that is known to hold; None where no rule was in force."""
    return next((one for one in law.criteria if one.on(day) and holding(one.when, facts)), None)


def prompts(
    duty: Duty, facts: Mapping[str, str], law: Law, now: datetime, *, registered: bool
) -> tuple[Prompt, ...]:
    """Return what a person is to do now, beside filing.

    Parameters
    ----------
    facts
        Of the detection.
    registered
        Whether the provider is registered with the authority.
    """
    holds = {
        "priority": duty.priority,
        "danger": facts.get(DANGER, "no"),
        "office": law.calendar.office(now),
        "registered": "yes" if registered else "no",
        "authority": duty.authority,
    }
    if duty.state not in {"open", "owed"}:
        return ()
    return tuple(one for one in law.prompts if one.on(law.day(now)) and _all(one.when, holds))


def _all(when: Conditions, holds: Mapping[str, str]) -> bool:
    return holding(when, holds) is True


def _told(facts: Mapping[str, str], used: set[str]) -> tuple[str, ...]:
    return tuple(f"{name}={facts[name]}" for name in sorted(used) if name in facts)


def _named(names: tuple[str, ...]) -> str:
    return " and ".join(f"“{one}”" for one in names)
