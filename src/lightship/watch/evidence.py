"""Pinning: the pictures around a decision or a report go from the ring to the vault, and nothing else ever does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from lightship.core.cases import Case, Exhibit
from lightship.core.exhibits import put_on_record
from lightship.core.ports import Store, Vault
from lightship.watch.ring import Still

KEEP = timedelta(days=365)
"""How long an exhibit is kept unless somebody holds it: a year, as reports of such content are (SI 2026/268, reg 8)."""


def keep(
    store: Store, vault: Vault, stills: Iterable[Still], case_id: str, now: datetime
) -> tuple[Exhibit, ...]:
    """Seal stills as exhibits of a case; those that are there already, and not destroyed, are left as they are.

    Raises
    ------
    VaultError
        If one cannot be written.
    """
    kept = []
    for still in stills:
        id_ = hashlib.sha256(still.jpeg).hexdigest()
        with store.begin() as work:
            case = work.get(Case, case_id)
            found = work.get(Exhibit, id_)
            if case is None or (found is not None and found.destroyed_at is None):
                continue
            exhibit = Exhibit(
                id_,
                case_id,
                case.stream_id,
                still.at_s,
                still.at_s,
                "image/jpeg",
                len(still.jpeg),
                now,
                now + KEEP,
            )
            put_on_record(work, exhibit, now)
            vault.seal(still.jpeg, exhibit)  # before the transaction ends: what is on record can be opened
            work.record(
                {
                    "kind": "pinned",
                    "exhibit": id_,
                    "case": case_id,
                    "at_s": round(still.at_s, 3),
                    "size": exhibit.size,
                    "expires_at": exhibit.expires_at.isoformat(),
                }
            )
        kept.append(exhibit)
    return tuple(kept)
