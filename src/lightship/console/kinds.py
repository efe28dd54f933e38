"""What the console keeps in a platform's store beside what every store keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lightship.core.people import Account, Look, Session, Shift

KINDS = (Account, Session, Shift, Look)

INDEXES: Mapping[type, Sequence[tuple[str, ...]]] = {
    Account: [],
    Session: [("account", "ended_at")],
    Shift: [("account", "ended_at"), ("began_at",)],
    Look: [("shift_id", "case_id"), ("case_id",)],
}
"""The questions that pages ask of them."""
