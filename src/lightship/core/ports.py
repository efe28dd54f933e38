"""What the rooms ask of each other and of a deployment, as protocols."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Literal, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from lightship.core.cases import Exhibit
from lightship.core.values import Luma, Reading, Rgb


class Identified(Protocol):
    """A value with an id of its own: what a store can keep."""

    @property
    def id(self) -> str:
        """Names it, among values of its kind."""


K = TypeVar("K", bound=Identified)


@runtime_checkable
class Picture(Protocol):
    """One video frame, whatever library holds it. Conversions are made when asked for, and only once."""

    at_s: float
    width: int
    height: int

    def rgb(self) -> Rgb:
        """Return the picture as ``(H, W, 3) uint8 RGB, 0-255``, upright."""

    def luma(self) -> Luma:
        """Return the brightness plane as ``(H, W) uint8``, upright, without a detour through RGB."""


@runtime_checkable
class Detector(Protocol):
    """Looks at pictures and says what it sees. One thread calls it at a time.

    ``takes`` names the form of picture that :meth:`read` is given. ``evidence`` says where a reading's weight
    comes from: ``"calibrated"`` scores get it from a calibration file, ``"analytic"`` scores carry it (the
    source of the bound is in the detector's docstring), ``"camera"`` scores only raise the sampling rate.
    """

    name: str
    labels: frozenset[str]
    takes: Literal["rgb", "luma"]
    evidence: Literal["calibrated", "analytic", "camera"]

    @property
    def version(self) -> str:
        """Of what looks now: lists may change while a stream runs."""

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> list[tuple[Reading, ...]]:
        """Return the readings of each frame, in order; an empty tuple means "nothing seen"."""


class HashIndex(Protocol):
    """Finds the entries of a list within a distance of a 256-bit hash."""

    radius: int

    def __len__(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it takes."""

    def pairs(self, queries: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return all ``(query, entry, distance)`` rows ``(M, 3) int64`` for ``queries`` ``(Q, 4) uint64``."""


class Ledger(Protocol):
    """An append-only log that an outsider can verify."""

    def append(self, entry: dict[str, Any]) -> int:
        """Store one entry; when this returns it is on disk. Returns its index.

        Raises
        ------
        LedgerError
            If it cannot be stored.
        """

    def append_all(self, entries: Iterable[dict[str, Any]]) -> int:
        """Store several entries in one durable write; returns the number of entries afterwards."""


class ReadableLedger(Ledger, Protocol):
    """A ledger that is also read back."""

    @property
    def size(self) -> int:
        """The number of entries on disk."""

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the entries from ``start`` up to, but not including, ``stop``."""


class StoredArrays(Protocol):
    """Named arrays as a store gives them back, with what was said of them and a digest over both."""

    @property
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The arrays by name; they cannot be written to."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What was said of them."""

    @property
    def digest(self) -> str:
        """``sha256:`` over all."""

    @property
    def sealed(self) -> bool:
        """Whether they are encrypted on disk."""


class VersionStore(Protocol):
    """Keeps versions of lists; every method raises ``ListError`` for what it cannot read or write."""

    def names(self) -> tuple[str, ...]:
        """Return the lists of which a version is in force."""

    def current(self, name: str) -> int:
        """Return the version in force, 0 if there is none."""

    def versions(self, name: str) -> tuple[int, ...]:
        """Return the versions that are kept, by rising number."""

    def read(self, name: str, version: int, *, check: bool = True) -> StoredArrays:
        """Return a version's arrays."""

    def write(
        self,
        name: str,
        version: int,
        arrays: Mapping[str, NDArray[Any]],
        facts: Mapping[str, Any],
        note: str,
        *,
        sealed: bool = True,
    ) -> str:
        """Write a version beside the one in force; returns its digest."""

    def note(self, name: str, version: int) -> str:
        """Return a version's manifest with its signatures."""

    def set_note(self, name: str, version: int, note: str) -> None:
        """Write a version's manifest."""

    def publish(self, name: str, version: int) -> None:
        """Put a version in force."""

    def canary(self, name: str, number: int) -> bytes:
        """Return 32 bytes that nobody without the store's key can tell from a hash."""

    def lock(self, name: str) -> AbstractContextManager[None]:
        """Keep other processes from changing the list meanwhile."""


class Work(Protocol):
    """One transaction on a platform's store: all of it is kept, or none."""

    def save(self, *values: Identified) -> None:
        """Keep new values, each under its id.

        Raises
        ------
        StoreError
            If one of that id is there already.
        """

    def get(self, kind: type[K], id_: str) -> K | None:
        """Return the value of an id."""

    def find(
        self,
        kind: type[K],
        where: Mapping[str, object] | None = None,
        *,
        order: Sequence[str] = (),
        limit: int | None = None,
        after: str = "",
    ) -> list[K]:
        """Return values whose fields equal those of ``where`` (a tuple: any of these), ``-field`` orders downwards.

        ``after`` is the id of the last value of the page before.
        """

    def count(self, kind: type[Identified], where: Mapping[str, object] | None = None) -> int:
        """Return how many values have these fields."""

    def tally(
        self, kind: type[Identified], fields: Sequence[str], where: Mapping[str, object] | None = None
    ) -> dict[tuple[Any, ...], int]:
        """Return how many values have each combination of some fields, without reading the values."""

    def change(self, kind: type[K], id_: str, expect: Mapping[str, object], **fields: object) -> K | None:
        """Change fields of a value where those of ``expect`` are as expected; returns the new value, None where not."""

    def record(self, entry: Mapping[str, Any]) -> None:
        """Put an entry on the ledger, with everything else of this transaction or not at all."""


class Store(Protocol):
    """A platform's streams, cases and effects, on SQLite or PostgreSQL."""

    def begin(self) -> AbstractContextManager[Work]:
        """Begin a transaction; it ends with the block, and an exception undoes it."""

    def look(self) -> AbstractContextManager[Work]:
        """Read what stands now, without keeping anybody from writing; to write there is a ``StoreError``."""


class Leases(Protocol):
    """Who works on what, for so long as they show signs of life."""

    def take(self, names: Sequence[str], holder: str, ttl_s: float) -> dict[str, int]:
        """Take free or lapsed leases, and keep one's own; returns a fencing number, rising, of each that one holds."""

    def free(self, name: str, holder: str) -> None:
        """Give a lease back."""

    def held(self) -> Mapping[str, str]:
        """Return who holds what now."""


class Bus(Protocol):
    """Messages to whoever listens now; a full queue drops the oldest and counts it."""

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Send."""

    def subscribe(self, *topics: str) -> AbstractContextManager[Iterator[Mapping[str, Any] | None]]:
        """Listen; yields None about once a second while nothing comes."""

    @property
    def dropped(self) -> int:
        """Messages that were dropped."""


class Vault(Protocol):
    """Bytes that are kept encrypted, each with a key of its own."""

    def seal(self, data: bytes, exhibit: Exhibit) -> None:
        """Keep an exhibit's bytes.

        Raises
        ------
        VaultError
            If its id is not the data's SHA-256, or it cannot be written.
        """

    def open(self, exhibit: Exhibit, *, by: str, purpose: str) -> bytes:
        """Return an exhibit's bytes; the look is itself put on the access log first.

        Raises
        ------
        VaultError
            If it was destroyed, damaged, or its log cannot be written.
        """

    def destroy(self, exhibit: Exhibit, *, by: str, reason: str, now: datetime) -> str:
        """Destroy an exhibit's key for good; returns the destruction record's digest.

        Raises
        ------
        VaultError
            If it is on hold.
        """


class PaymentJournal(Protocol):
    """Payments that were accepted and the alerts they began, in order; every method may raise ``StoreError``."""

    def known(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """Return what was accepted under these ids."""

    def begin_with(self, ids: Iterable[str]) -> None:
        """Keep the ids of the payments that accounts begin with, in rising order, in place of any kept before."""

    def begun(self, ids: Sequence[str]) -> frozenset[str]:
        """Return those ids that accounts began with."""

    def append(
        self, payments: Sequence[tuple[str, bytes]], alerts: Sequence[tuple[str, str, bytes]]
    ) -> tuple[int, int]:
        """Keep payments by id, and alerts by id and payment, in one act; on disk when this returns.

        Returns the numbers of the last payment and the last alert, both rising.
        """

    def payments(self, after: int) -> Iterator[tuple[int, bytes]]:
        """Yield payments with their numbers, from after one on."""

    def alerts(self, after: int, limit: int) -> list[tuple[int, bytes]]:
        """Return alerts with their numbers, from after one on."""

    def alerts_of(self, ids: Sequence[str]) -> Mapping[str, tuple[bytes, ...]]:
        """Return the alerts that payments began."""

    def save(self, through: int, accounts: Iterable[tuple[str, bytes]]) -> None:
        """Keep what accounts hold after payment number `through`, beside those kept before."""

    def saved(self) -> tuple[int, Iterator[tuple[str, bytes]]]:
        """Return the number up to which accounts are kept (0 where none are), and the accounts."""
