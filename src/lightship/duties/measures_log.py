"""What the ledger tells of a period, taken in by one pass over its entries however many figures are made of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lightship.core.entry_time import at_of
from lightship.duties.measures_period import Period
from lightship.duties.measures_source import Source

EARLIER = timedelta(days=92)
"""How long before the period something may have begun that ends in it: an appeal, a claim, a time of crisis."""

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any ledger."""

_MINUTE_S = 60.0

_RULES = frozenset({"controls"})

_BEGUN = _RULES | {
    "appeal",
    "appeal-answered",
    "surge-began",
    "surge-ended",
    "claim",
    "effect-not-confirmed",
}
"""Kinds that are looked for before the period as well."""

_WITHIN = frozenset(
    {"coverage", "gap", "scans", "watch-began", "audit-verified", "effect-failed", "second-person-declined"}
)


@dataclass(slots=True)
class Log:
    """What was found.

    Parameters
    ----------
    minutes, gaps, gap_s
        Minutes of streams that were accounted for, parts that stopped, and seconds that were not looked at.
    pictures, bases
        Pictures by visibility and detector; the bases of each visibility.
    acts
        Appeals, their answers, crisis mode on and off, and the rules for livestreams, in their order. The rules that
        were in use last are among them, however long before they were set.
    claimed
        When a case was first claimed.
    unconfirmed
        How often an act of a case was not confirmed.
    declined
        Cases of which a second person did not agree.
    """

    minutes: int = 0
    gaps: int = 0
    gap_s: float = 0.0
    failed: int = 0
    verified: int = 0
    pictures: Counter[tuple[str, str]] = field(default_factory=Counter)
    bases: dict[str, set[str]] = field(default_factory=dict)
    policies: Counter[str] = field(default_factory=Counter)
    policy_digests: set[str] = field(default_factory=set)
    acts: list[Mapping[str, Any]] = field(default_factory=list)
    claimed: dict[str, datetime] = field(default_factory=dict)
    unconfirmed: Counter[str] = field(default_factory=Counter)
    declined: set[str] = field(default_factory=set)

    def take(self, entry: Mapping[str, Any]) -> None:
        """Take in an entry."""
        match entry["kind"]:
            case "coverage":
                self.minutes += 1
                self.gap_s += min(_MINUTE_S, float(entry["gap_s"]))
            case "gap":
                self.gaps += 1
            case "scans":
                self.pictures[str(entry["visibility"]), str(entry["detector"])] += int(entry["pictures"])
                self.bases.setdefault(str(entry["visibility"]), set()).add(str(entry["basis"]))
            case "watch-began":
                self.policies[str(entry["policy"])] += 1
                self.policy_digests.add(str(entry["policy_digest"]))
            case "audit-verified":
                self.verified += 1
            case "effect-failed":
                self.failed += 1
            case "claim":
                self.claimed.setdefault(str(entry["case"]), at_of(entry))
            case "effect-not-confirmed":
                self.unconfirmed[str(entry["case"])] += 1
            case "second-person-declined":
                self.declined.add(str(entry["case"]))
            case _:
                self.acts.append(entry)


def read_log(source: Source, period: Period) -> Log:
    """Return what the ledger tells of a period, and of what began before it and belongs to it."""
    found = Log()
    for entry in source.entries(_BEGUN, period.begins - EARLIER, period.begins):
        found.take(entry)
    for entry in source.entries(_BEGUN | _WITHIN, period.begins, period.ends):
        found.take(entry)
    if not any(one["kind"] in _RULES for one in found.acts):  # rules stay in use until others are set
        found.acts[:0] = deque(source.entries(_RULES, _FIRST, period.begins - EARLIER), maxlen=1)
    return found
