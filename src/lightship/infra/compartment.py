"""A compartment on disk: its own SQLite file, its own keys, its own ledger; nothing in it can be read without them.

Each row is found by a keyed digest of its kind and id, and holds two boxes of AES-256-GCM: the record, and the fields
that disclose an identity, under another key, so that the two can be held by different people. Boxes are filled up to
full pieces, so that lengths say little. The file is readable by its owner alone.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from lightship.core.canonical import canonical
from lightship.core.errors import StoreError
from lightship.infra.durable import make_durable
from lightship.infra.keys import load_or_create_key
from lightship.infra.ledger_file import LedgerFile
from lightship.infra.secret_file import secret_of

IDENTITY = frozenset({"identity", "identity_used"})
"""Fields under the second key (RIPA 2000 s.29(5)(e))."""
PIECE = 512
_NONCE = 12
_ACT = b"act"
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS boxes (kind BLOB, id BLOB, record BLOB NOT NULL, identity BLOB NOT NULL, "
    "PRIMARY KEY (kind, id)) WITHOUT ROWID"
)


class CompartmentFile:
    """A folder with ``store``, ``unit.key``, ``identity.key`` and the ledger of what was done.

    Parameters
    ----------
    folder
        Made when first needed, for its owner alone.
    identity_key
        Best on another medium; beside the store unless named.

    Raises
    ------
    StoreError
        If it cannot be used, or others can read a key.
    """

    def __init__(self, folder: Path, identity_key: Path | None = None) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(folder / "store", os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise StoreError(f"The compartment cannot be used: {error.strerror}.", str(folder)) from error
        unit = secret_of(folder / "unit.key", StoreError)
        self._name = hmac.digest(unit, b"names", "sha256")
        self._unit = AESGCM(hmac.digest(unit, b"records", "sha256"))
        self._identity_path = identity_key or folder / "identity.key"
        self._sealer = AESGCM(secret_of(self._identity_path, StoreError))
        with self._usable(), contextlib.ExitStack() as undo:
            self._db = undo.enter_context(
                contextlib.closing(sqlite3.connect(folder / "store", isolation_level=None))
            )
            make_durable(self._db)
            self._db.execute(_SCHEMA)
            undo.pop_all()

    @cached_property
    def ledger(self) -> LedgerFile:
        """The ledger, opened when first needed: whoever is refused before waits for none of its entries."""
        return LedgerFile(
            self.folder / "ledger",
            load_or_create_key(self.folder / "ledger.key", "compartment.invalid/ledger"),
        )

    def put(self, kind: str, id_: str, value: Mapping[str, Any]) -> None:
        """Keep a value; one of the same kind and id is replaced."""
        self.put_all(kind, {id_: value})

    def put_all(self, kind: str, values: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep values by their ids: all or none."""
        rows = [self._boxes(kind, id_, value) for id_, value in values.items()]
        with self._usable():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany("INSERT OR REPLACE INTO boxes VALUES (?, ?, ?, ?)", rows)
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _boxes(self, kind: str, id_: str, value: Mapping[str, Any]) -> tuple[bytes, bytes, bytes, bytes]:
        name = self._digest(f"{kind}/{id_}")
        plain = {field: ("" if field in IDENTITY else one) for field, one in value.items()}
        hidden = {field: one for field, one in value.items() if field in IDENTITY}
        identity = _seal(self._sealer, hidden, name) if hidden else b""
        if hidden and not any(
            hidden.values()
        ):  # an identity that was not opened is not lost by writing the rest
            row = self._row(kind, name)
            identity = row[1] if row is not None else identity
        return self._digest(kind), name, _seal(self._unit, plain, name), identity

    def get(self, kind: str, id_: str, *, identity: bool = False) -> dict[str, Any] | None:
        """Return a value, or None; without ``identity`` its identity fields are empty."""
        name = self._digest(f"{kind}/{id_}")
        row = self._row(kind, name)
        if row is None:
            return None
        found = _open(self._unit, row[0], name)
        return {**found, **_open(self._sealer, row[1], name)} if identity and row[1] else found

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield the values of a kind in the order of their ids, identity fields empty."""
        with self._usable():
            rows = self._db.execute(
                "SELECT id, record FROM boxes WHERE kind = ?", (self._digest(kind),)
            ).fetchall()
        yield from sorted(
            (_open(self._unit, record, name) for name, record in rows), key=lambda one: str(one["id"])
        )

    def note(self, entry: Mapping[str, Any]) -> None:
        """Put an act on the compartment's own ledger, sealed: the ledger shows that there was one, and no more."""
        self.ledger.append({"box": base64.b64encode(_seal(self._unit, entry, _ACT)).decode()})

    def acts(self) -> Iterator[dict[str, Any]]:
        """Yield what was done, oldest first."""
        for entry in self.ledger.entries():
            yield _open(self._unit, base64.b64decode(entry["box"]), _ACT)

    def close(self) -> None:
        """Close store and ledger."""
        if "ledger" in self.__dict__:
            self.ledger.close()
        self._db.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _row(self, kind: str, name: bytes) -> tuple[bytes, bytes] | None:
        with self._usable():
            found: tuple[bytes, bytes] | None = self._db.execute(
                "SELECT record, identity FROM boxes WHERE kind = ? AND id = ?", (self._digest(kind), name)
            ).fetchone()
        return found

    def _digest(self, text: str) -> bytes:
        return hmac.digest(self._name, text.encode(), sha256)

    @contextlib.contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"The compartment cannot be used: {error}.",
                str(self.folder),
                "If it is locked, end what holds it; if it is damaged, restore its store from a copy.",
            ) from error


def _seal(box: AESGCM, value: Mapping[str, Any], name: bytes) -> bytes:
    text, nonce = canonical(dict(value)), secrets.token_bytes(_NONCE)
    return nonce + box.encrypt(nonce, text.ljust(-(-len(text) // PIECE) * PIECE), name)


def _open(box: AESGCM, data: bytes, name: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(box.decrypt(data[:_NONCE], data[_NONCE:], name))
    except (InvalidTag, ValueError) as error:
        raise StoreError(
            "A record was changed, moved, or is of another key.",
            "",
            "Restore the store or its key from a copy.",
        ) from error
    return found
