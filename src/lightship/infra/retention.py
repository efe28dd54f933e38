"""What is past its time is destroyed, and its destruction is on the ledger. One job; it may be killed and run again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lightship.core.canonical import digest
from lightship.core.cases import Case, Effect, Exhibit, Judgement, Report, Stream
from lightship.core.duties import Clock, Detection, Duty, Filing
from lightship.core.errors import VaultError
from lightship.core.people import Look, Shift
from lightship.core.ports import Identified, Vault
from lightship.core.retention import Term
from lightship.infra.store import SqlStore, where_equal

_ROWS = 500  # removed in one transaction, so that nobody waits long


_KEPT_BY: Mapping[type[Identified], tuple[tuple[type[Identified], str], ...]] = {
    Case: (
        *((kind, "case_id") for kind in (Report, Judgement, Effect, Look)),
        (Case, "near_of"),
    ),
    Stream: ((Case, "stream_id"), (Report, "stream_id"), (Effect, "stream_id")),
    Shift: ((Look, "shift_id"),),
    Detection: ((Duty, "id"),),
    Duty: ((Filing, "duty_id"), (Clock, "about")),
}
"""What stays as long as something points to it, and by which field."""


@dataclass(frozen=True, slots=True)
class Expired:
    """What a run of the job did.

    Parameters
    ----------
    destroyed
        Exhibits whose keys were destroyed.
    failed
        Exhibits whose keys were not, and why; these are on the ledger too, and are tried again.
    held
        How many exhibits are past their time and on hold.
    forgotten
        How many values of each kind were removed.
    """

    destroyed: tuple[str, ...]
    failed: Mapping[str, str]
    held: int
    forgotten: Mapping[str, int]


def expire(
    store: SqlStore,
    vault: Vault,
    now: datetime,
    terms: Iterable[Term] = (),
    by: str = "retention",
    under: str = "",
) -> Expired:
    """Destroy every exhibit past its time that is not on hold, and remove what is past its term.

    What belongs to a case or a stream with an exhibit in the vault stays as long as that exhibit, and a case or stream
    as long as anything that belongs to it. What a run did is on the ledger; a run that did nothing is not.

    Parameters
    ----------
    under
        Names the terms, for the record.

    Raises
    ------
    StoreError
        If the store cannot be used.
    """
    destroyed, failed = [], {}
    for exhibit in _due(store, now):
        try:
            if _destroy(store, vault, exhibit, now, by):
                destroyed.append(exhibit.id)
        except VaultError as error:
            failed[exhibit.id] = error.what
            with store.begin() as work:
                work.record(
                    {"at": now.isoformat(), "kind": "expiry-failed", "exhibit": exhibit.id, "why": error.what}
                )
    terms = tuple(terms)
    forgotten = {term.kind.__name__.lower(): 0 for term in terms}
    for term in terms:
        while count := _forget(store, term, now, by):
            forgotten[term.kind.__name__.lower()] += count
    done = Expired(tuple(destroyed), failed, _held(store, now), forgotten)
    if destroyed or failed or any(forgotten.values()):
        entry = {"kind": "retention-run", "under": under, "by": by, "destroyed": len(destroyed)}
        numbers = {"failed": len(failed), "held": done.held, "forgotten": forgotten}
        with store.begin() as work:
            work.record({"at": now.isoformat(), **entry, **numbers})
    return done


def _held(store: SqlStore, now: datetime) -> int:
    table = store.schema.of[Exhibit]
    query = sa.select(sa.func.count()).where(
        table.c.destroyed_at.is_(None), table.c.hold != "", table.c.expires_at <= now
    )
    with store.look() as work:
        return int(work.connection.execute(query).scalar_one())


def _due(store: SqlStore, now: datetime) -> list[Exhibit]:
    table = store.schema.of[Exhibit]
    past = sa.select(table.c.id).where(
        table.c.destroyed_at.is_(None), table.c.hold == "", table.c.expires_at <= now
    )
    with store.look() as work:
        ids = tuple(work.connection.execute(past).scalars())
        return [one for id_ in ids if (one := work.get(Exhibit, id_)) is not None]


def _destroy(store: SqlStore, vault: Vault, exhibit: Exhibit, now: datetime, by: str) -> bool:
    """Destroy an exhibit within the transaction that says so: a hold comes before it or too late, never between."""
    unchanged = {"hold": "", "destroyed_at": None, "expires_at": exhibit.expires_at}
    with store.begin() as work:
        if work.change(Exhibit, exhibit.id, unchanged, destroyed_at=now) is None:
            return False
        record = vault.destroy(exhibit, by=by, reason="its time is over", now=now)
        entry = {"kind": "exhibit-expired", "exhibit": exhibit.id, "case": exhibit.case_id, "record": record}
        work.record({"at": now.isoformat(), **entry, "by": by})
    return True


def _forget(store: SqlStore, term: Term, now: datetime, by: str) -> int:
    """Remove some values that are past their term; returns how many."""
    table, exhibits = store.schema.of[term.kind], store.schema.of[Exhibit]
    owner = {Case: "id", Stream: "id"}.get(term.kind, "case_id")
    before = now - timedelta(days=term.days)
    past = (
        sa.select(table.c.id)
        .where(table.c[term.since] <= before, *where_equal(table, term.where))
        .order_by(table.c.id)
        .limit(_ROWS)
    )
    if owner in table.c:
        kept = exhibits.c.stream_id if term.kind is Stream else exhibits.c.case_id
        past = past.where(~sa.exists().where(kept == table.c[owner], exhibits.c.destroyed_at.is_(None)))
    for kind, name in _KEPT_BY.get(term.kind, ()):
        other = store.schema.of[kind].alias()
        past = past.where(~sa.exists().where(other.c[name] == table.c.id))
    if term.kind is Exhibit:
        past = past.where(table.c.destroyed_at.is_not(None))
    with store.begin() as work:
        ids = list(work.connection.execute(past).scalars())
        if ids:
            work.connection.execute(sa.delete(table).where(table.c.id.in_(ids)))
            entry = {"kind": "forgotten", "of": table.name, "count": len(ids), "term": term.id, "by": by}
            # Who kept a list of the ids can check that these went; the ledger itself names none.
            work.record(
                {"at": now.isoformat(), **entry, "before": before.isoformat(), "ids_digest": digest(ids)}
            )
    return len(ids)
