"""What the law is owed, on a deployment: following the watch, keeping what was reported, proving its destruction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

from lightship import packs
from lightship.app_platform import Deployment, ledger_of, store_of
from lightship.console.settings import utc_now
from lightship.core.canonical import digest
from lightship.core.cases import Exhibit
from lightship.core.duties import Duty
from lightship.core.errors import InputError, LightshipError, StoreError
from lightship.core.notes import SigningKey
from lightship.core.ports import ReadableLedger
from lightship.core.retention import Retention
from lightship.duties import certificates, desk, keeping
from lightship.duties.follow import Follower
from lightship.duties.law import Kept as Keepable
from lightship.duties.law import Law
from lightship.duties.provider import Provider, read_provider
from lightship.infra import orphans
from lightship.infra.keys import load_or_create_key
from lightship.infra.orphans import Orphans
from lightship.infra.retention import Expired, expire
from lightship.infra.store import SqlStore
from lightship.infra.vault import FileVault
from lightship.infra.whole_file import whole
from lightship.watch.chores import Chores

FOLLOW_S = 2.0
BY = "retention"


@dataclass(frozen=True, slots=True)
class Kept:
    """What a run of retention did.

    Parameters
    ----------
    secured, proved
        Duties of which all that is to be kept was sealed, and those of which all was destroyed; each has a certificate.
    failed
        Duties of which something could not be sealed, and why; they are tried again.
    orphans
        What a crash had left in the vault.
    """

    secured: tuple[str, ...]
    expired: Expired
    proved: tuple[str, ...]
    failed: dict[str, str]
    orphans: Orphans


def provider_of(folder: Path) -> Provider:
    """Return the provider that a deployment states in ``provider.toml``.

    Raises
    ------
    PolicyError
        If it states what is unknown.
    """
    return read_provider(folder / "provider.toml")


def follow(chores: Chores, store: SqlStore, ledger: ReadableLedger, provider: Provider) -> None:
    """Begin to make detections of the watch's cases, in the process that writes the ledger."""
    follower = Follower(store, ledger, provider.law, provider.facts)
    chores.every("the duties", FOLLOW_S, lambda: follower.follow(utc_now()))


def retain(
    store: SqlStore,
    vault: FileVault,
    folder: Path,
    law: Law,
    terms: Retention,
    now: datetime,
    *,
    recover: bool = False,
) -> Kept:
    """Seal what was filed, let expire what is past its time, and certify both; it may be killed and run again.

    Parameters
    ----------
    folder
        The deployment's: ``certificates/`` gets them, ``duties.key`` signs them.
    recover
        As for :func:`lightship.infra.orphans.sweep`.

    Raises
    ------
    StoreError
        If the store seems not to be the vault's; nothing was done.
    LightshipError
        If store, key or folder cannot be used.
    """
    left = orphans.sweep(store, vault, now, recover=recover)
    key = load_or_create_key(folder / "duties.key", "lightship-duties")
    _date(store, law, left.recovered, now)
    secured, failed = [], {}
    for duty in keeping.unsecured(store):
        try:
            keeping.secure(store, vault, duty.id, law, keeping.own_look_back, now)
            secured.append(duty.id)
        except LightshipError as error:
            failed[duty.id] = str(error)
    _certify_kept(store, folder, key, law, now)
    under = f"{terms.name} {terms.version} {terms.digest}"
    expired = expire(store, vault, now, terms.on(law.day(now)), by=BY, under=under)
    proved = tuple(_prove(store, vault, folder, key, law, duty, now) for duty in keeping.spent(store))
    return Kept(tuple(secured), expired, proved, failed, left)


def _date(store: SqlStore, law: Law, recovered: Iterable[str], now: datetime) -> None:
    """Give what was put on record again the day that everything of its report has."""
    with store.look() as work:
        cases = {one.case_id for id_ in recovered if (one := work.get(Exhibit, id_)) is not None}
        filed = [
            duty for case in sorted(cases) for duty in work.find(Duty, {"case_id": case, "state": "filed"})
        ]
    for duty in filed:
        keeping.date_kept(store, duty, law, now)


def _certify_kept(store: SqlStore, folder: Path, key: SigningKey, law: Law, now: datetime) -> None:
    """Write a certificate for each filed duty that has none: on record first, so that none is without its entry."""
    with store.look() as work:
        filed = work.find(Duty, {"state": "filed"})
    for duty in filed:
        path = _path(folder, duty, "retention")
        if path.exists():
            continue
        with store.begin() as work:
            kept, stand = keeping.held_for(work, duty)
            if not kept:
                continue
            fields = certificates.of_retention(duty, kept, stand, law.digests["keep"], now)
            note = certificates.signed(certificates.RETENTION, fields, key)
            entry = {"kind": "retention-certified", "duty": duty.id, "case": duty.case_id}
            work.record({"at": now.isoformat(), **entry, "digest": digest(note), "exhibits": len(kept)})
        _write(path, note)


def _prove(
    store: SqlStore, vault: FileVault, folder: Path, key: SigningKey, law: Law, duty: Duty, now: datetime
) -> str:
    """Certify that all that was kept for a report is destroyed, and close its duty."""
    with store.look() as work:
        gone = work.find(Exhibit, {"case_id": duty.case_id})
    records = [(one, vault.record_of(one)) for one in gone]
    note = certificates.signed(
        certificates.DESTRUCTION,
        certificates.of_destruction(duty, records, law.digests["keep"], now),
        key,
    )
    _write(_path(folder, duty, "destruction"), note)
    with store.begin() as work:
        desk.close(work, duty.id, by=BY, now=now)
        entry = {"kind": "destruction-certified", "duty": duty.id, "case": duty.case_id}
        work.record({"at": now.isoformat(), **entry, "digest": digest(note), "exhibits": len(records)})
    return duty.id


def _path(folder: Path, duty: Duty, what: str) -> Path:
    return folder / "certificates" / f"{duty.id}.{what}.txt"


def _write(path: Path, note: str) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with whole(path, 0o600) as file:
            file.write(note.encode())
    except OSError as error:
        what = f"A certificate cannot be written: {error.strerror}."
        raise StoreError(what, str(path), "Check the disk and permissions.") from error


@contextmanager
def vault_beside(deployment: Deployment) -> Iterator[tuple[SqlStore, FileVault]]:
    """Open the store and the vault of a deployment that is there already.

    Raises
    ------
    LightshipError
        If there is none, or it cannot be used.
    """
    folder = deployment.folder
    with (
        store_of(folder, deployment.database) as store,
        ledger_of(folder / "looks.ledger", "lightship-vault") as seen,
    ):
        yield store, FileVault(folder / "vault", seen)


def run_retention(deployment: Deployment, say: Callable[[str], None], *, recover: bool = False) -> Kept:
    """Run retention once on a deployment, now.

    Parameters
    ----------
    recover
        As for :func:`retain`.

    Raises
    ------
    LightshipError
        Whatever cannot be used.
    """
    law, terms = provider_of(deployment.folder).law, packs.retention(deployment.retention)
    with vault_beside(deployment) as (store, vault):
        done = retain(store, vault, deployment.folder, law, terms, utc_now(), recover=recover)
    told(done, say)
    return done


def keep_file(deployment: Deployment, duty: str, file: Path, what: str, media: str) -> Exhibit:
    """Seal a file of a report.

    Raises
    ------
    LightshipError
        If it cannot be read or sealed, or what it is of a report is unknown.
    """
    known = next((one for one in get_args(Keepable) if one == what), None)
    if known is None:
        raise InputError(
            f"“{what}” is nothing of a report.", "--what", "Use look-back, basis, submission or content."
        )
    try:
        data = file.read_bytes()
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(file), "Check the path."
        ) from error
    if known in keeping.MEDIA and not media:
        media = keeping.MEDIA[known] + keeping.GIVEN
    with vault_beside(deployment) as (store, vault):
        return keeping.seal(store, vault, duty, data, what=known, media=media, now=utc_now())


def erase_asked(deployment: Deployment, request: str, by: str) -> keeping.Erasure:
    """Answer a request to erase.

    Raises
    ------
    LightshipError
        As :func:`lightship.duties.keeping.erase`.
    """
    law = provider_of(deployment.folder).law
    with vault_beside(deployment) as (store, vault):
        return keeping.erase(store, vault, request, law, by=by, now=utc_now())


def told(done: Kept, say: Callable[[str], None]) -> None:
    """Say what a run of retention could not do, and what it found that a crash had left."""
    left = done.orphans
    if left.recovered or left.destroyed or left.removed:
        say(
            f"The vault held what was on no record: {len(left.recovered)} exhibits were put on record and on hold, "
            f"{len(left.destroyed)} destroyed again; {left.removed} unfinished files were removed."
        )
    if left.left:
        say(
            f"{left.left} unfinished keys in the vault open nothing and were left: they are of another master key, or "
            "their data is damaged."
        )
    for duty, why in done.failed.items():
        say(f"What was reported under the duty {duty} is not all sealed: {why}")
    for exhibit, why in done.expired.failed.items():
        say(f"The exhibit {exhibit} is past its time and was not destroyed: {why}")
