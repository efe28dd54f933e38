"""Which case a new one is a near-duplicate of, by its still's PDQ hash: what was seen once need not be seen again."""

from __future__ import annotations

from lightship.core.cases import Case, Judgement
from lightship.core.ports import Work
from lightship.detect.pdq import MATCH_BITS

NEWEST = 500
"""Cases that a new one is compared with."""


def nearest(work: Work, still: str, stream_id: str) -> Case | None:
    """Return the first case of the group that a still belongs to, or None.

    Cases of the same stream are no near-duplicates of each other: a person looks at a stream again.
    """
    if not still:
        return None
    asked = int(still, 16)
    near = [
        (bits, case)
        for case in work.find(Case, order=("-opened_at",), limit=NEWEST)
        if case.still and case.stream_id != stream_id
        for bits in [(int(case.still, 16) ^ asked).bit_count()]
        if bits <= MATCH_BITS
    ]
    if not near:
        return None
    _, case = min(near, key=lambda one: (one[0], one[1].opened_at))
    return (work.get(Case, case.near_of) or case) if case.near_of else case


def earlier(work: Work, case: Case) -> Judgement | None:
    """Return what people last decided of the case's group; None where nothing was, or they were not sure."""
    if not case.near_of:
        return None
    group = [case.near_of, *(one.id for one in work.find(Case, {"near_of": case.near_of}))]
    found = work.find(Judgement, {"case_id": tuple(one for one in group if one != case.id)}, order=("-at",))
    standing = [one for one in found if one.verdict != "unsure" and _stands(work, one)]
    return standing[0] if standing else None


def _stands(work: Work, judgement: Judgement) -> bool:
    case = work.get(Case, judgement.case_id)
    return case is not None and case.state in {"decided", "closed"}
