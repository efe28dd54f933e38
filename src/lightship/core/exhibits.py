"""Putting on record what the vault has sealed, also where the same bytes were destroyed before."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime

from lightship.core.cases import Exhibit
from lightship.core.errors import StoreError
from lightship.core.ports import Work


def put_on_record(work: Work, exhibit: Exhibit, now: datetime) -> None:
    """Put an exhibit on record; a row of the same bytes that says they were destroyed is this exhibit's from now on.

    What was destroyed, and for which case, stays on the ledger. Whoever calls this before the bytes are sealed, in one
    transaction, keeps others from destroying them meanwhile.

    Raises
    ------
    StoreError
        If these bytes are on record and were not destroyed.
    """
    found = work.get(Exhibit, exhibit.id)
    if found is None:
        work.save(exhibit)
        return
    values = {one.name: getattr(exhibit, one.name) for one in fields(exhibit) if one.name != "id"}
    gone = found.destroyed_at
    if gone is None or work.change(Exhibit, exhibit.id, {"destroyed_at": gone}, **values) is None:
        raise StoreError("This exhibit is on record already.", f"exhibit {exhibit.id}", "Use the one there.")
    entry = {"kind": "exhibit-met-again", "exhibit": exhibit.id, "case": exhibit.case_id}
    before = {"destroyed_at": gone.isoformat(), "case_before": found.case_id}
    work.record({"at": now.isoformat(), **entry, **before})
