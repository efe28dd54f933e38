"""What casework runs on: a store of its own with its ledger, opened in a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lightship.app_platform import Deployment, add_account, ledger_of, store_of
from lightship.casework import intake as intake_room
from lightship.casework.desk import Offices
from lightship.casework.door import received
from lightship.casework.intake import Taken, take_in
from lightship.casework.urgency import shipped
from lightship.core.cases import Case, Stream
from lightship.core.casework import Original, Referral
from lightship.core.errors import InputError, LightshipError, StoreError
from lightship.core.people import Role
from lightship.exchange.referrals import Mapped, parse_mapping, platform_referral, reader_of
from lightship.exchange.referrals.collection import bundles_of
from lightship.exchange.whole import write_whole
from lightship.infra.migrate import upgrade
from lightship.infra.sealer import Sealer
from lightship.infra.store import SqlStore
from lightship.settings import state_folder
from lightship.watch import handover

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@contextmanager
def open_casework(folder: Path, say: Callable[[str], None]) -> Iterator[SqlStore]:
    """Open casework's store; what was recorded goes to its ledger when the block ends, or waits for the next time.

    Raises
    ------
    LightshipError
        If it cannot be used.
    """
    with SqlStore(ready(folder)) as store:
        try:
            yield store
        finally:
            try:
                with (
                    ledger_of(folder / "casework.ledger", "lightship-casework") as ledger,
                    Sealer(store, ledger) as sealer,
                ):
                    while sealer.seal():
                        pass
            except LightshipError as error:
                say(f"The journal waits in the store for the next time: {error}")


def shared_from(
    folder: Path | None, database: str, say: Callable[[str], None]
) -> AbstractContextManager[SqlStore]:
    """Open what inquiries are shared from: casework's store, unless a platform's folder or a database is named.

    Raises
    ------
    LightshipError
        If it cannot be used.
    """
    if folder is not None or database:
        return store_of(folder, database)
    return open_casework(state_folder() / "cases", say)


def ready(folder: Path) -> str:
    """Return the address of casework's database in a folder, which is made and brought up to this release."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"The folder cannot be made: {error.strerror}.", str(folder), "Name another."
        ) from error
    url = f"sqlite:///{folder / 'casework.db'}"
    upgrade(url)
    return url


def account(folder: Path, name: str, shown_as: str, role: Role, password: str) -> str:
    """Make an account of the body's console; returns the secret of its one-time codes.

    Raises
    ------
    LightshipError
        If there is one of that name, or the name or password cannot be used.
    """
    return add_account(Deployment(folder, ready(folder)), name, shown_as, role, password)


def intake(
    store: SqlStore,
    files: Sequence[Path],
    *,
    form: str,
    sender: str,
    by: str,
    now: datetime,
    mapping: Path | None = None,
    calling_code: str = "",
) -> Iterator[Taken]:
    """Take the referrals of files in, and yield each one's receipt once it is on disk.

    Raises
    ------
    InputError
        If a file cannot be opened, is empty or carries a picture, or the form or mapping is none: before anything is
        taken in.
    """
    mapped = None if mapping is None else read_mapping(mapping)
    batches = [received(form, sender, read_file(path), now, mapped) for path in files]
    for batch in batches:
        yield from take_in(
            store, shipped(), batch, now=now, offices=Offices(), by=by, calling_code=calling_code
        )


def intake_taxii(
    store: SqlStore, folder: Path, collection: str, token: Path, *, sender: str, by: str, now: datetime
) -> Iterator[Taken]:
    """Take in what was added to a partner's TAXII collection since it was last read, and yield each one's receipt.

    Parameters
    ----------
    folder
        Casework's; how far each collection was read is kept in it, and only once what was read is on disk.
    token
        The file with the bearer token, or ``name:password``, that the partner gave.

    Raises
    ------
    InputError
        If the address is none, the token cannot be read, the server refuses, or an object carries a picture.
    SourceLost
        If the server cannot be reached.
    """
    from lightship.exchange.taxii_client import TaxiiClient

    if not collection.startswith("https://") and urlsplit(collection).hostname not in LOOPBACK:
        raise InputError(
            "A partner is asked by https: the token would be read along the way.",
            collection,
            "Use the https address.",
        )
    address = collection.rstrip("/") + "/"
    secret = read_file(token).decode(errors="replace").strip()
    read_to = folder / "taxii" / f"{hashlib.sha256(address.encode()).hexdigest()[:24]}.txt"
    since = read_to.read_text().strip() if read_to.is_file() else ""
    objects: list[Mapping[str, Any]] = []
    last = since
    with TaxiiClient(address, secret) as client:
        for page, added in client.pages(address, since):
            objects += page
            last = added or last
    batch = [one for data in bundles_of(objects) for one in received("stix-json", sender, data, now)]
    yield from take_in(store, shipped(), batch, now=now, offices=Offices(), by=by)
    if last != since:
        write_whole(read_to, last.encode())


def read_again(
    store: SqlStore,
    referral_id: str,
    *,
    form: str,
    by: str,
    now: datetime,
    mapping: Path | None = None,
    calling_code: str = "",
) -> tuple[Referral, tuple[str, ...]]:
    """Read a referral that named nobody as another form, from the bytes that came.

    Raises
    ------
    InputError
        If it is not there or was read already, or the form or mapping is none.
    """
    reader = reader_of(form, None if mapping is None else read_mapping(mapping))
    with store.begin() as work:
        referral = work.get(Referral, referral_id)
        original = None if referral is None else work.get(Original, referral.original)
        if referral is None or original is None:
            raise InputError("There is no such referral.", f"referral {referral_id}", "Check its id.")
        parsed = reader(original.data, referral.received_at)
        return intake_room.read_again(
            work, shipped(), referral_id, parsed, form=form, by=by, now=now, calling_code=calling_code
        )


def refer(folder: Path, case_id: str, platform: str, *, by: str, now: datetime, send: bool = False) -> bytes:
    """Return the bytes by which a platform refers a case of its watch; that it did is on the platform's record.

    Parameters
    ----------
    send
        Order the platform's running service to hand it over.

    Raises
    ------
    InputError
        If there is no such case.
    StoreError
        If the platform's store cannot be used.
    """
    if not (folder / "platform.db").is_file():
        raise InputError(
            "There is no platform's store.", str(folder), "Name the folder of `lightship serve`."
        )
    with SqlStore(Deployment(folder).url) as store, store.begin() as work:
        case = work.get(Case, case_id)
        stream = None if case is None else work.get(Stream, case.stream_id)
        if case is None or stream is None:
            raise InputError("There is no such case with its stream.", f"case {case_id}", "Check its id.")
        data = platform_referral(case, stream, platform)
        digest = hashlib.sha256(data).hexdigest()
        work.record(
            {"kind": "case-referred", "case": case_id, "by": by, "at": now.isoformat(), "digest": digest}
        )
        if send:
            handover.order(work, case, digest, by=by, now=now)
        return data


def mapping_of(folder: Path, sender: str) -> Mapped | None:
    """Return what the columns of a sender's tables mean, as ``mappings/SENDER.toml`` says; None where nobody has.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    path = folder / "mappings" / f"{sender}.toml"
    return read_mapping(path) if path.is_file() else None


def read_file(path: Path) -> bytes:
    """Return a file's bytes.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"The file cannot be read: {error.strerror}.", str(path), "Check the path."
        ) from error


def read_mapping(path: Path) -> Mapped:
    """Return the mapping of a table's columns.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return parse_mapping(read_file(path).decode(), str(path))
    except UnicodeDecodeError as error:
        raise InputError("The mapping is not UTF-8 text.", str(path), "Save it as UTF-8.") from error
