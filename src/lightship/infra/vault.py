"""The vault in a folder: each exhibit under a key of its own, every act on a log, two people for an export.

To destroy an exhibit is to destroy its key. The log comes first: no look without its entry, no key destroyed before the
record of it is on disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.canonical import digest
from lightship.core.cases import Exhibit
from lightship.core.errors import InputError, LedgerError, VaultError
from lightship.core.ports import ReadableLedger
from lightship.infra import exhibit_file
from lightship.infra.exhibit_file import PIECE
from lightship.infra.secret_file import KEY_BYTES, secret_of
from lightship.infra.whole_file import PART, sync, whole

APPROVAL_S = 24 * 3600.0
"""How long an approval counts: a working day and its night."""

_NAME = re.compile(r"[0-9a-f]{64}")
_NONCE = 12
_KEY_PART = re.compile(rf"{re.escape(PART)}([0-9a-f]{{64}})-[0-9a-f]+")
_WRAPPED = _NONCE + KEY_BYTES + 16  # bytes of a key's file
_PAGE = 500  # log entries read at a time, from the end


class FileVault:
    """Exhibits in a folder: ``data/`` holds their bytes, ``keys/`` their keys, wrapped by the master key.

    Parameters
    ----------
    folder
        Made when first needed, for its owner alone.
    log
        Where every act goes: a ledger, so that nobody can take one back.
    master
        The master key's file; made if there is none. Best on another medium than the folder.

    Raises
    ------
    VaultError
        If the folder or the master key cannot be used, or others can read the key.
    """

    def __init__(self, folder: Path, log: ReadableLedger, master: Path | None = None) -> None:
        self.folder, self._log = folder, log
        with self._usable():
            for one in (folder, folder / "data", folder / "keys"):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._master = AESGCM(secret_of(master or folder / "master.key", VaultError))

    def check(self) -> None:
        """Find out whether something could be sealed now.

        Raises
        ------
        VaultError
            If the folder cannot be written to, or its disk is full.
        """
        part = self.folder / "data" / f".check.{secrets.token_hex(4)}"
        with self._usable():
            try:
                part.write_bytes(bytes(4096))
            finally:
                part.unlink(missing_ok=True)

    # Keeping -----------------------------------------------------------------------------------

    def seal(self, data: bytes, exhibit: Exhibit) -> None:
        """Keep an exhibit's bytes; to seal the same bytes again does nothing.

        Raises
        ------
        VaultError
            If its id is not the data's SHA-256, or it cannot be written.
        """
        self.seal_pieces((data[start : start + PIECE] for start in range(0, len(data), PIECE)), exhibit)

    def seal_pieces(self, pieces: Iterable[bytes], exhibit: Exhibit) -> None:
        """Keep an exhibit's bytes, which come in pieces and never all at once.

        Raises
        ------
        VaultError
            If its id is not the data's SHA-256, its size not theirs, or it cannot be written.
        """
        key, wrapped = self._new_key(exhibit)
        data = self._data(exhibit)
        part = data.with_name(f".{data.name}.{secrets.token_hex(4)}")
        with self._usable():
            data.parent.mkdir(mode=0o700, exist_ok=True)
            try:
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    size = exhibit_file.seal(pieces, file, key, exhibit.id)
                    file.flush()
                    os.fsync(file.fileno())
                if size != exhibit.size:
                    raise VaultError(
                        f"An exhibit says it has {exhibit.size} bytes; {size} came.",
                        exhibit.id,
                        "Give its true size.",
                    )
                with self._alone():
                    if self._key(exhibit).exists():
                        return
                    self._put("exhibit-sealed", exhibit, size=size, **_told(exhibit))
                    self._tombstone(exhibit).unlink(missing_ok=True)  # the same bytes, met again after all
                    part.replace(data)
                    sync(data.parent)
                    self._write(self._key(exhibit), wrapped)
            finally:
                part.unlink(missing_ok=True)

    def _new_key(self, exhibit: Exhibit) -> tuple[bytes, bytes]:
        """Return a key, and what of it goes on disk."""
        key, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(_NONCE)
        return key, nonce + self._master.encrypt(nonce, key, _name(exhibit).encode())

    # What a crash left ---------------------------------------------------------------------------

    def sealed(self, before: datetime) -> Iterator[str]:
        """Yield the ids of all exhibits that can be opened and were sealed before a moment.

        Raises
        ------
        VaultError
            If the folder cannot be read.
        """
        with self._usable():
            for one in os.scandir(self.folder / "keys"):
                if _NAME.fullmatch(one.name) and one.stat().st_mtime <= before.timestamp():
                    yield one.name

    def told(self, ids: Collection[str]) -> dict[str, Exhibit]:
        """Return what the log says of exhibits from when they were last sealed; it reads all of the log."""
        found = {}
        for entry in self._log.entries() if ids else ():
            if entry.get("kind") == "exhibit-sealed" and entry.get("exhibit") in ids:
                found[str(entry["exhibit"])] = _of_entry(entry)
        return found

    def clear(self, before: datetime) -> tuple[tuple[str, ...], int, int]:
        """Finish keys that were written before a moment and lack their name, and remove what else was not finished.

        A key is finished that opens its exhibit, has no other beside it, and was not destroyed. One that would be, but
        opens nothing, is left: with another master key, or a copy of the data, it may.

        Returns the ids of the exhibits whose keys were finished, how many files were removed, and how many left.

        Raises
        ------
        VaultError
            If the folder cannot be used, or the log not be written.
        """
        finished, removed, left = [], 0, 0
        with self._usable(), self._alone():
            for path in (self.folder / "data").glob("*/.*"):
                if path.stat().st_mtime <= before.timestamp():
                    path.unlink()
                    removed += 1
            for path in (self.folder / "keys").glob(f"{PART}*"):
                if path.stat().st_mtime > before.timestamp():
                    continue
                fits = self._fits(path)
                if fits:
                    self._finish(path)
                    finished.append(_part_of(path))
                elif fits is None:
                    left += 1
                else:
                    _shred(path)
                    removed += 1
        return tuple(finished), removed, left

    def _fits(self, part: Path) -> bool | None:
        """Return whether a file is the key that an exhibit lacks; None where one is lacking and this opens nothing."""
        name, wrapped = _part_of(part), part.read_bytes()
        data, key = self.folder / "data" / name[:2] / name, part.with_name(name)
        if not name or len(wrapped) != _WRAPPED or not data.exists():
            return False
        if key.exists() or part.with_name(f"{name}.destroyed").exists():
            return False
        try:
            opened = self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], name.encode())
            with data.open("rb") as file:
                next(exhibit_file.pieces(file, opened, name))  # the first piece is enough to tell
        except (InvalidTag, VaultError):
            return None
        return True

    def _finish(self, part: Path) -> None:
        name, at = _part_of(part), datetime.now(UTC).isoformat()
        self._append({"at": at, "kind": "exhibit-key-finished", "exhibit": name})
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(part.with_name(name))
        sync(part.parent)

    # Looking -----------------------------------------------------------------------------------

    def open(self, exhibit: Exhibit, *, by: str, purpose: str) -> bytes:
        """Return an exhibit's bytes; the look is itself put on the access log first.

        Raises
        ------
        VaultError
            If it was destroyed, damaged, or its log cannot be written.
        """
        whole = io.BytesIO()
        for piece in self.open_pieces(exhibit, by=by, purpose=purpose):
            whole.write(piece)
        return whole.getvalue()

    def open_pieces(self, exhibit: Exhibit, *, by: str, purpose: str) -> Iterator[bytes]:
        """Yield an exhibit's bytes in pieces, each checked; whoever needs the whole checked reads to the end.

        Raises
        ------
        VaultError
            As :meth:`open`: of the key and the log at once, of the bytes when they are read.
        """
        key = self._opened_key(exhibit)
        self._put("exhibit-opened", exhibit, by=by, purpose=purpose)
        return self._pieces(exhibit, key)

    def _pieces(self, exhibit: Exhibit, key: bytes) -> Iterator[bytes]:
        with self._usable(), self._data(exhibit).open("rb") as file:
            yield from exhibit_file.pieces(file, key, exhibit.id)

    def _opened_key(self, exhibit: Exhibit) -> bytes:
        try:
            wrapped = self._key(exhibit).read_bytes()
        except FileNotFoundError:
            gone = self._tombstone(exhibit).exists()
            what = "This exhibit was destroyed." if gone else "The vault holds no such exhibit."
            raise VaultError(what, exhibit.id, "Its destruction is on the log." if gone else "") from None
        except OSError as error:
            raise _unusable(error) from error
        try:
            return self._master.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], _name(exhibit).encode())
        except (InvalidTag, ValueError) as error:
            raise VaultError(
                "An exhibit's key cannot be opened: it was changed, or is of another master key.",
                exhibit.id,
                "Restore the master key, or the key's file.",
            ) from error

    # Exporting ---------------------------------------------------------------------------------

    def approve(self, exhibit: Exhibit, *, by: str, purpose: str, now: datetime) -> int:
        """Approve that an exhibit leaves the vault once; returns how many people have.

        Raises
        ------
        VaultError
            If there is no such exhibit, or the log cannot be written.
        """
        self._opened_key(exhibit)
        with self._alone():
            self._put("export-approved", exhibit, now, by=by, purpose=purpose)
            return len(self._approvals(exhibit, now))

    def export(self, exhibit: Exhibit, *, by: str, purpose: str, now: datetime) -> Iterator[bytes]:
        """Yield an exhibit's bytes for who is outside, if two people have approved it for this purpose.

        The approvals are used up, also when the reading ends early.

        Raises
        ------
        VaultError
            If fewer have, or as :meth:`open_pieces`.
        """
        key = self._opened_key(exhibit)
        with self._alone():
            people = self._approvals(exhibit, now, purpose)
            if len(people) < 2:
                raise VaultError(
                    f"{len(people)} of two people have approved this export.",
                    exhibit.id,
                    "Ask another to approve it.",
                )
            self._put("exhibit-exported", exhibit, now, by=by, purpose=purpose, approved_by=sorted(people))
        return self._pieces(exhibit, key)

    def _approvals(self, exhibit: Exhibit, now: datetime, purpose: str | None = None) -> set[str]:
        """Return who has approved within the time, and since the last export."""
        people: set[str] = set()
        for entry in self._backwards(now - timedelta(seconds=APPROVAL_S)):
            if entry.get("exhibit") != exhibit.id:
                continue
            if entry["kind"] in {"exhibit-exported", "exhibit-destroyed"}:
                break
            if entry["kind"] == "export-approved" and purpose in {None, entry["purpose"]}:
                people.add(str(entry["by"]))
        return people

    def _backwards(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Yield the log's entries since then from its end; a page with nothing but older ones is the last."""
        stop = self._log.size
        while stop > 0:
            start = max(0, stop - _PAGE)
            page = list(self._log.entries(start, stop))
            times = [datetime.fromisoformat(entry["at"]) for entry in page]
            yield from (one for one, at in zip(reversed(page), reversed(times), strict=True) if at >= since)
            if max(times) < since:
                return
            stop = start

    # Destroying --------------------------------------------------------------------------------

    def destroy(self, exhibit: Exhibit, *, by: str, reason: str, now: datetime) -> str:
        """Destroy an exhibit's key for good; returns the destruction record's digest. Twice is once.

        Raises
        ------
        VaultError
            If it is on hold, there is no such exhibit, or the record cannot be written.
        """
        if exhibit.hold:
            raise VaultError(
                "This exhibit is on hold and cannot be destroyed.", exhibit.id, "Lift the hold first."
            )
        with self._usable(), self._alone():
            key, tombstone = self._key(exhibit), self._tombstone(exhibit)
            if tombstone.exists():
                record = tombstone.read_text("ascii")
            elif key.exists():
                entry = self._put("exhibit-destroyed", exhibit, now, by=by, reason=reason)
                record = digest(entry)
                self._write(tombstone, record.encode())
            else:
                raise VaultError("The vault holds no such exhibit.", exhibit.id)
            if key.exists():
                _shred(key)
            self._data(exhibit).unlink(missing_ok=True)  # nobody can read it; it only takes room
            return record

    def record_of(self, exhibit: Exhibit) -> str:
        """Return the digest of an exhibit's destruction record; nothing is destroyed by asking.

        Raises
        ------
        VaultError
            If the vault has it, as where the same bytes were met again, or never destroyed it.
        """
        with self._usable(), self._alone():
            tombstone = self._tombstone(exhibit)
            if self._key(exhibit).exists() or not tombstone.exists():
                raise VaultError(
                    "The vault does not have this exhibit as destroyed.",
                    exhibit.id,
                    "Run retention again in an hour.",
                )
            return tombstone.read_text("ascii")

    # Files and log -----------------------------------------------------------------------------

    def _put(
        self, kind: str, exhibit: Exhibit, now: datetime | None = None, **facts: object
    ) -> dict[str, Any]:
        """Put an act on the log; it is on disk when this returns."""
        at = (now or datetime.now(UTC)).astimezone(UTC).isoformat()
        entry = {"at": at, "kind": kind, "exhibit": exhibit.id, "case": exhibit.case_id, **facts}
        self._append(entry)
        return entry

    def _append(self, entry: dict[str, Any]) -> None:
        try:
            self._log.append(entry)
        except (LedgerError, InputError) as error:
            raise VaultError(
                f"The vault's log cannot be written, so nothing was done: {error.what}",
                error.where,
                error.todo,
            ) from error

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes from changing the vault meanwhile."""
        with self._usable():
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _unusable(error) from error

    def _data(self, exhibit: Exhibit) -> Path:
        name = _name(exhibit)
        return self.folder / "data" / name[:2] / name

    def _key(self, exhibit: Exhibit) -> Path:
        return self.folder / "keys" / _name(exhibit)

    def _tombstone(self, exhibit: Exhibit) -> Path:
        return self.folder / "keys" / f"{_name(exhibit)}.destroyed"

    def _write(self, path: Path, data: bytes) -> None:
        with whole(path, 0o600) as file:
            file.write(data)


def _told(exhibit: Exhibit) -> dict[str, Any]:
    """Return what the log says of an exhibit beside its case: enough to put it on record again."""
    spans = {"from_s": exhibit.from_s, "to_s": exhibit.to_s}
    until = exhibit.expires_at.astimezone(UTC).isoformat()
    return {"stream": exhibit.stream_id, "media": exhibit.media, **spans, "expires_at": until}


def _of_entry(entry: Mapping[str, Any]) -> Exhibit:
    at = datetime.fromisoformat(entry["at"])
    return Exhibit(
        str(entry["exhibit"]),
        str(entry["case"]),
        str(entry.get("stream", "")),
        float(entry.get("from_s", 0.0)),
        float(entry.get("to_s", 0.0)),
        str(entry.get("media", "application/octet-stream")),
        int(entry["size"]),
        at,
        datetime.fromisoformat(entry["expires_at"]) if "expires_at" in entry else at + timedelta(days=365),
    )


def _name(exhibit: Exhibit) -> str:
    if not _NAME.fullmatch(exhibit.id):
        raise VaultError("An exhibit's id is no SHA-256.", exhibit.id[:80], "Give 64 hexadecimal characters.")
    return exhibit.id


def _part_of(path: Path) -> str:
    """Return whose key a file was to be; empty for a file that was to be something else."""
    found = _KEY_PART.fullmatch(path.name)
    return found[1] if found else ""


def _shred(path: Path) -> None:
    """Overwrite a file before it is removed. A disk may keep old blocks; what they hold is still wrapped."""
    with path.open("r+b") as file:
        file.write(secrets.token_bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    sync(path.parent)


def _unusable(error: OSError) -> VaultError:
    return VaultError(
        f"The vault cannot be used: {error.strerror}.",
        str(error.filename or ""),
        "Check the disk and permissions.",
    )
