"""Finding inquiries by a sender's reference, an inquiry's own id, or an identifier in any spelling.

A reader finds what they may see: what is above their clearance is no hit, and an answer without it is the answer of one
that found nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from lightship.casework.clearance import closed_to, found_by, may_read
from lightship.casework.desk import log_use
from lightship.casework.normal import normalise
from lightship.casework.sight import markings_of
from lightship.core.casework import Identifier, IdentifierKind, Inquiry, Marking, Referral
from lightship.core.errors import InputError
from lightship.core.ports import Work
from lightship.core.release import Partner

MOST = 50
"""Inquiries that one search shows, and so many times as many rows that it looks at of each kind."""

KINDS: tuple[IdentifierKind, ...] = get_args(IdentifierKind)


@dataclass(frozen=True, slots=True)
class Hit:
    """An inquiry that was found.

    Parameters
    ----------
    by
        By what, in words.
    """

    inquiry: Inquiry
    by: tuple[str, ...]


def search(
    work: Work, words: str, *, reader: Partner, own: Marking, by: str, now: datetime
) -> tuple[Sequence[Hit], bool]:
    """Return what a reader may know to be there, the most urgent first, and whether there is more than is shown.

    Logged as a consultation with what was sought, and as one of each inquiry that is shown.
    """
    log_use(work, "consultation", "search", by, now, reason=words)
    limit = MOST * MOST
    referrals = {one.id: one for one in work.find(Referral, {"reference": words}, limit=limit)}
    told = {one.id: f"reference {one.reference}" for one in referrals.values()}
    named: list[Identifier] = []
    for kind in KINDS:
        try:
            value = normalise(kind, words)
        except InputError:  # it cannot be one of this kind
            continue
        named += work.find(Identifier, {"kind": kind, "value": value}, limit=limit)
    missing = tuple({one.referral_id for one in named} - referrals.keys())
    referrals |= {one.id: one for one in work.find(Referral, {"id": missing})}
    found: dict[str, dict[str, None]] = {}
    for referral, what in found_by(referrals, told, named, reader, own):
        found.setdefault(referral.inquiry_id, {})[what] = None
    itself = work.get(Inquiry, words)
    while itself is not None and itself.merged_into:
        itself = work.get(Inquiry, itself.merged_into)
    if itself is not None and may_read(markings_of(work, [itself.id]).get(itself.id, ()), reader, own):
        found.setdefault(itself.id, {})["its own id"] = None
    inquiries = sorted(
        work.find(Inquiry, {"id": tuple(found)}),
        key=lambda one: (one.state == "filed-away", one.urgency, -one.urgency_db, one.due_at),
    )
    shown = inquiries[:MOST]
    markings = markings_of(work, [one.id for one in shown])
    for one in shown:
        log_use(work, "consultation", one.id, by, now, reason="search")
    hits = [Hit(closed_to(one, markings.get(one.id, ()), reader, own), tuple(found[one.id])) for one in shown]
    return hits, len(inquiries) > len(shown)
