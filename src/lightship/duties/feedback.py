"""What a list's owner is told: which entries people confirmed, and which matched what they should not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lightship.core.cases import Case, Judgement
from lightship.core.ports import Work

Said = Literal["confirmed", "false-positive"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be told of one entry.

    Parameters
    ----------
    list_name, reference
        The entry, by its owner's reference; never its hash.
    cases
        How many cases it rests on.
    """

    list_name: str
    reference: str
    said: Said
    cases: int
    last_at: datetime


def remarks(work: Work, told: Mapping[tuple[str, str], Iterable[str]]) -> list[Remark]:
    """Return what people's verdicts say of entries and their owners were not told yet.

    An entry is false where any verdict that stands says so: a confirmed case beside it does not make the false match
    right, and the owner should know of both, the false one first. A verdict that was overturned says the contrary.

    Parameters
    ----------
    told
        By list and reference, what was told before.
    """
    found: dict[tuple[str, str, Said], list[datetime]] = {}
    for case in work.find(Case, {"state": ("decided", "reversed", "closed")}):
        if not case.matched or (verdict := _stands(case, work)) is None:
            continue
        said, at = verdict
        for one in case.matched:
            name, _, reference = one.partition("/")
            found.setdefault((name, reference, said), []).append(at)
    return [
        Remark(name, reference, said, len(times), max(times))
        for (name, reference, said), times in sorted(
            found.items(), key=lambda one: (one[0][2] == "confirmed", one[0])
        )
        if said not in told.get((name, reference), ())
    ]


def _stands(case: Case, work: Work) -> tuple[Said, datetime] | None:
    """Return what the last closing verdict says, or its contrary where an appeal overturned it."""
    closing = [
        one
        for one in work.find(Judgement, {"case_id": case.id}, order=("-at",))
        if one.verdict in {"abuse", "not-abuse"}
    ]
    if not closing:
        return None
    abuse = (closing[0].verdict == "abuse") is not (case.state == "reversed")
    return ("confirmed" if abuse else "false-positive"), closing[0].at


def told_of(feedback: Mapping[str, Iterable[Any]]) -> dict[tuple[str, str], set[str]]:
    """Return what the ledger of the lists says was told, by list and reference.

    Parameters
    ----------
    feedback
        The acts of each list; see :class:`lightship.core.governance.Listed`.
    """
    found: dict[tuple[str, str], set[str]] = {}
    for name, acts in feedback.items():
        for act in acts:
            found.setdefault((name, act.reference), set()).add(act.what)
    return found
