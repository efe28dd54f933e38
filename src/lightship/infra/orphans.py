"""Exhibits that a crash left in the vault and nobody has on record: none stays in the dark.

An exhibit is sealed before it is on record, so that what is on record can be opened. Who dies between the two leaves
bytes that no page shows and no retention ends; who dies before the key has its name, bytes that the vault does not list
either: such a key is given its name. They are put on record as the vault's log tells of them, with their day, and the
ledger says so. Nothing is destroyed because the store does not know it: the store may be an older copy, or another one.
So what is put on record is on hold until a person lifts it, and where the store knows less than half of the keys that
the vault has, nothing is done. What the store says was destroyed, and has a key again, loses it again; unless the
vault's log tells that the same bytes were sealed since: they were met again, and are put on record like the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from lightship.core import holds
from lightship.core.cases import Exhibit
from lightship.core.errors import StoreError
from lightship.core.exhibits import put_on_record
from lightship.core.ports import Store
from lightship.infra.vault import FileVault

GRACE = timedelta(hours=1)
"""How old an orphan is at least: whoever seals something now is given the time to put it on record."""

BY = "the sweep of the vault"
BASIS = "recovered: a person decides"
UNKNOWN = "application/octet-stream"
YEAR = timedelta(days=365)
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a sweep found.

    Parameters
    ----------
    recovered, destroyed
        Exhibits that were put on record, and those that were destroyed before and are again.
    removed
        Files that were never finished.
    left
        Keys that lack their name and open nothing: of another master key, or of damaged data.
    """

    recovered: tuple[str, ...] = ()
    destroyed: tuple[str, ...] = ()
    removed: int = 0
    left: int = 0


def sweep(store: Store, vault: FileVault, now: datetime, *, recover: bool = False) -> Orphans:
    """Put on record what is in the vault and on no record; it may be killed and run again.

    Parameters
    ----------
    recover
        Whether a person said that the store is the vault's, though it knows less than half of what the vault has.

    Raises
    ------
    StoreError
        If it knows less than half, and nobody said so; nothing was done.
    LightshipError
        If store or vault cannot be used.
    """
    lost, known, keys = _lost(store, vault, now - GRACE)
    if 2 * known < keys and not recover:
        raise StoreError(
            f"This store knows {known} of the {keys} exhibits in the vault, as another deployment's would; "
            "nothing was done.",
            str(vault.folder),
            "Check --database. If it is the right one, as after it was restored: "
            "lightship duties retention run --recover.",
        )
    finished, removed, left = vault.clear(now - GRACE)
    if removed:
        with store.begin() as work:
            work.record({"at": now.isoformat(), "kind": "vault-cleared", "by": BY, "files": removed})
    lost += finished
    told = vault.told(frozenset(lost))
    recovered, destroyed = [], []
    for id_ in lost:
        done = _settled(store, vault, id_, told.get(id_), now)
        if done == "recovered":
            recovered.append(id_)
        elif done:
            destroyed.append(id_)
    return Orphans(tuple(recovered), tuple(destroyed), removed, left)


def _lost(store: Store, vault: FileVault, before: datetime) -> tuple[list[str], int, int]:
    """Return what has a key and is on no record, how many keys the store knows of, and how many there are."""
    lost, known, keys = [], 0, 0
    sealed = vault.sealed(before)
    while page := tuple(islice(sealed, _PAGE)):
        with store.look() as work:
            found = {one.id: one for one in work.find(Exhibit, {"id": page})}
        known, keys = known + len(found), keys + len(page)
        lost += [id_ for id_ in page if (one := found.get(id_)) is None or one.destroyed_at is not None]
    return lost, known, keys


def _settled(store: Store, vault: FileVault, id_: str, told: Exhibit | None, now: datetime) -> str:
    """Settle one in the transaction that says so: ``"recovered"``, ``"destroyed"``, or empty if it is on record."""
    exhibit = told or Exhibit(id_, "", "", 0.0, 0.0, UNKNOWN, 0, now, now + YEAR)
    with store.begin() as work:
        row = work.get(Exhibit, id_)
        gone = row.destroyed_at if row is not None else None
        if row is not None and (
            gone is None or work.change(Exhibit, id_, {"destroyed_at": gone}, destroyed_at=gone) is None
        ):  # written to, it is ours till the end: who meets the bytes again meanwhile waits
            return ""
        entry = {"at": now.isoformat(), "exhibit": exhibit.id, "case": exhibit.case_id, "by": BY}
        if gone is None or (told is not None and told.sealed_at > gone):
            put_on_record(work, exhibit, now)
            work.record({**entry, "kind": "exhibit-recovered", "media": exhibit.media, "size": exhibit.size})
            holds.place(work, id_, basis=BASIS, reason="It was on no record.", by=BY, now=now)
            return "recovered"
        record = vault.destroy(exhibit, by=BY, reason="it was destroyed before", now=now)
        work.record({**entry, "kind": "orphan-destroyed", "record": record})
    return "destroyed"
