"""A case's place in the queue, in the three named parts of measure C5: reach, severity, likelihood, each 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lightship.core.cases import Case

SEVERITY = {"known-media": 1.0, "exposed": 0.7, "test-card": 0.7}
"""By label: known abuse material is the gravest, and stays so on every stream."""

_MANY_VIEWERS = 100_000
_SURE_DB = 60.0
_REPORTED = 0.5


@dataclass(frozen=True, slots=True)
class Parts:
    """The three parts, with what each rests on."""

    reach: float
    severity: float
    likelihood: float
    why: tuple[str, str, str]


def parts(
    *,
    viewers: int,
    labels: Iterable[str],
    weight_db: float,
    child_host: bool | None,
    reports: int = 0,
    danger_now: bool = False,
) -> Parts:
    """Weigh a case.

    Parameters
    ----------
    viewers
        Who can be harmed by it now: one gives 0.06, a hundred thousand or more give 1.
    labels
        What was seen.
    weight_db
        Evidence; 60 dB and more count as sure.
    child_host
        A child who streams is a child who may be harmed.
    reports
        What viewers say counts as likelihood too: the first as much as an even chance.

    Examples
    --------
    >>> parts(viewers=99, labels=["known-media"], weight_db=30.0, child_host=None).why
    ('99 viewers', 'known-media', '30 dB')
    """
    reach = min(1.0, math.log1p(max(viewers, 0)) / math.log1p(_MANY_VIEWERS))
    found = sorted(labels, key=lambda one: -SEVERITY.get(one, 0.3))
    severity = max((SEVERITY.get(one, 0.3) for one in found), default=0.3)
    severity = 1.0 if danger_now else max(severity, 0.8 if child_host else 0.0)
    said = 1.0 - _REPORTED**reports
    finite_db = min(max(weight_db, 0.0), _SURE_DB)
    likelihood = 1.0 - (1.0 - finite_db / _SURE_DB) * (1.0 - said)
    grave = "a child is said to be in danger now" if danger_now else "a child hosts" if child_host else ""
    evidence = [f"{finite_db:.0f} dB"] if finite_db else []
    evidence += [f"{reports} report{'s' if reports != 1 else ''}"] if reports else []
    return Parts(
        round(reach, 4),
        severity,
        round(likelihood, 4),
        (
            f"{viewers} viewer{'s' if viewers != 1 else ''}",
            ", ".join([*found[:1], *([grave] if grave else [])]) or "not known",
            " and ".join(evidence) or "nothing yet",
        ),
    )


ORDER = ("-live", "-danger_now", "-place", "opened_at")
"""The order of the queue: what runs now first, then where a child is said to be in danger, then by place and age."""


def together(reach: float, severity: float, likelihood: float) -> float:
    """Return a case's place: the parts multiplied after a floor of a tenth each, so that none makes it vanish.

    Examples
    --------
    >>> together(0.0, 1.0, 0.5)
    0.05
    """
    return round(math.prod(max(0.1, part) for part in (reach, severity, likelihood)), 6)


QUEUE = "queue"
"""The part of an entry that says where cases stand from then on, by their ids."""


def placed(*cases: Case) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what an entry says of cases whose place may have changed: all that decides the order, and its parts."""
    return {
        QUEUE: {
            one.id: {
                "state": one.state,
                "live": one.live,
                "danger_now": one.danger_now,
                "place": one.place,
                "opened_at": one.opened_at.isoformat(),
                "parts": [one.reach, one.severity, one.likelihood],
            }
            for one in cases
        }
    }


def replayed(entries: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the open cases in the order of the queue, from entries of the ledger alone.

    Examples
    --------
    >>> place = {"state": "open", "danger_now": False, "place": 0.2, "opened_at": "2026-11-24T12:00:00+00:00"}
    >>> replayed([{"queue": {"a": {**place, "live": False}}}, {"queue": {"b": {**place, "live": True}}}])
    ['b', 'a']
    """
    found: dict[str, Mapping[str, Any]] = {}
    for entry in entries:
        found.update(entry.get(QUEUE, {}))
    waiting = [id_ for id_, one in found.items() if one["state"] == "open"]

    def key(id_: str) -> tuple[bool, bool, float, datetime, str]:
        one = found[id_]
        opened_at = datetime.fromisoformat(one["opened_at"])
        return not one["live"], not one["danger_now"], -one["place"], opened_at, id_

    return sorted(waiting, key=key)
