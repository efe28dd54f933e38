"""Exhibits that a crash left in the vault and nobody has on record: none stays in the dark.

An exhibit is sealed before it is on record, so that what is on record can be opened. Who dies between the two leaves
bytes that no page shows and no retention ends. Pictures, and what the platform gave, cannot be had again: they are put
on record as the vault's log tells of them. What the program made from its store is made again by whoever needed it:
that is destroyed. Either is said on the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from lightship.core.cases import Case, Exhibit
from lightship.core.ports import Store
from lightship.infra.vault import FileVault

GRACE = timedelta(hours=1)
"""How old an orphan is at least: whoever seals something now is given the time to put it on record."""

BY = "the sweep of the vault"
_OWN = "application/vnd.lightship."
_GIVEN = ";by=platform"
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a sweep found.

    Parameters
    ----------
    recovered, destroyed
        Exhibits that were put on record, and those that were destroyed.
    removed
        Files whose sealing never ended.
    """

    recovered: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()
    removed: int = 0


def sweep(store: Store, vault: FileVault, now: datetime) -> Orphans:
    """Put on record, or destroy, what is in the vault and on no record; it may be killed and run again.

    Raises
    ------
    LightshipError
        If store or vault cannot be used.
    """
    lost = list(_lost(store, vault, now - GRACE))
    told = vault.told(frozenset(lost))
    recovered, destroyed = [], []
    for id_ in lost:
        exhibit = told.get(id_) or Exhibit(id_, "", "", 0.0, 0.0, _OWN, 0, now, now)
        done = _settled(store, vault, exhibit, now)
        if done == "recovered":
            recovered.append(id_)
        elif done:
            destroyed.append(id_)
    removed = vault.clear(now - GRACE)
    if removed:
        with store.begin() as work:
            work.record({"at": now.isoformat(), "kind": "vault-cleared", "by": BY, "files": removed})
    return Orphans(tuple(recovered), tuple(destroyed), removed)


def _lost(store: Store, vault: FileVault, before: datetime) -> Iterator[str]:
    sealed = vault.sealed(before)
    while page := tuple(islice(sealed, _PAGE)):
        with store.look() as work:
            known = {one.id for one in work.find(Exhibit, {"id": page, "destroyed_at": None})}
        yield from (id_ for id_ in page if id_ not in known)


def _settled(store: Store, vault: FileVault, exhibit: Exhibit, now: datetime) -> str:
    """Settle one in the transaction that says so: ``"recovered"``, ``"destroyed"``, or empty if it is on record."""
    with store.begin() as work:
        row = work.get(Exhibit, exhibit.id)
        if row is not None and row.destroyed_at is None:
            return ""
        entry = {"at": now.isoformat(), "exhibit": exhibit.id, "case": exhibit.case_id, "by": BY}
        own = exhibit.media.startswith(_OWN) and not exhibit.media.endswith(_GIVEN)
        if row is None and not own and work.get(Case, exhibit.case_id) is not None:
            work.save(exhibit)
            work.record({**entry, "kind": "exhibit-recovered", "media": exhibit.media, "size": exhibit.size})
            return "recovered"
        record = vault.destroy(exhibit, by=BY, reason="it is on no record", now=now)
        work.record({**entry, "kind": "orphan-destroyed", "record": record})
    return "destroyed"
