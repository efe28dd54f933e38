"""Reviews of what police hold (management of police information): when each report is looked at again, by dated data.

A review is a person's, with a rationale; nothing is erased here. What the rules leave unverified is entered.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lightship.casework.desk import log_use
from lightship.core.casework import IntelligenceReport
from lightship.core.errors import InputError
from lightship.core.ports import Work


@dataclass(frozen=True, slots=True)
class Group:
    """How soon a group of records is reviewed.

    Parameters
    ----------
    first_days, then_days
        From the last event to the first review, and from each review to the next.
    tbv
        What a person must verify before relying on it; empty for nothing.
    """

    id: str
    says: str
    first_days: int
    then_days: int
    source: str
    grade: str
    tbv: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The groups of one country, dated, and what is pointed out with each review."""

    version: str
    since: date
    groups: Mapping[str, Group]
    care: str

    def group(self, name: str) -> Group:
        """Return a group.

        Raises
        ------
        InputError
            If there is none of this name.
        """
        if name not in self.groups:
            raise InputError("There is no such review group.", name, f"One of: {', '.join(self.groups)}.")
        return self.groups[name]


@dataclass(frozen=True, slots=True)
class Due:
    """A report whose review is due, and what to mind."""

    report_id: str
    inquiry_id: str
    due_at: datetime
    late: timedelta
    care: str


def parse_rules(text: str, where: str) -> Rules:
    """Return the rules of a pack's text.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    try:
        table = tomllib.loads(text)
        groups = {one["id"]: Group(**{"tbv": "", **one}) for one in table["groups"]}
        return Rules(table["version"], table["from"], groups, table["care"])
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"The review rules cannot be read: {error}.", where, "Restore them.") from error


def schedule_review(
    work: Work, rules: Rules, report_id: str, group: str, last_event: datetime, *, by: str, now: datetime
) -> datetime:
    """Put a report into a review group, a person's judgement; returns when its first review is.

    Raises
    ------
    InputError
        If there is no such report or group.
    """
    chosen = rules.group(group)
    return _set(
        work, rules, chosen, report_id, last_event + timedelta(days=chosen.first_days), "scheduled", by, now
    )


def reviewed(
    work: Work, rules: Rules, report_id: str, group: str, *, rationale: str, by: str, now: datetime
) -> datetime:
    """Keep a report after its review, with the rationale; returns when the next one is.

    Raises
    ------
    InputError
        If there is no such report or group, or no rationale.
    """
    if not rationale.strip():
        raise InputError("A review is kept with its rationale.", f"report {report_id}", "Write it.")
    chosen = rules.group(group)
    return _set(
        work, rules, chosen, report_id, now + timedelta(days=chosen.then_days), rationale.strip(), by, now
    )


def queue(work: Work, rules: Rules, *, by: str, now: datetime) -> tuple[Due, ...]:
    """Return the reports whose review is due, longest overdue first; looking at each is logged."""
    held = work.find(IntelligenceReport, order=("review_at", "id"))
    due = [one for one in held if one.review_at is not None and one.review_at <= now]
    for one in due:
        log_use(work, "consultation", one.id, by, now, reason="review queue")
    return tuple(
        Due(one.id, one.inquiry_id, one.review_at, now - one.review_at, rules.care)
        for one in due
        if one.review_at is not None
    )


def _set(
    work: Work, rules: Rules, group: Group, report_id: str, at: datetime, why: str, by: str, now: datetime
) -> datetime:
    changed = work.change(IntelligenceReport, report_id, {}, review_at=at)
    if changed is None:
        raise InputError("There is no such report.", f"report {report_id}", "Check its id.")
    work.record({
        "kind": "review-set", "report": report_id, "group": group.id, "rules": rules.version, "tbv": group.tbv,
        "why": why, "review_at": at.isoformat(), "by": by, "at": now.isoformat(),
    })  # fmt: skip
    log_use(work, "alteration", report_id, by, now, reason=why)
    return at
