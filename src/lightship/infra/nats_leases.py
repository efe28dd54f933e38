"""Leases in a NATS key-value bucket: the server itself drops those without a sign of life; no clocks are compared."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping, Sequence

from nats.js.api import StorageType
from nats.js.errors import (
    BadRequestError,
    KeyNotFoundError,
    KeyWrongLastSequenceError,
    NoKeysError,
    NotFoundError,
)
from nats.js.kv import KeyValue

from lightship.core.errors import StoreError
from lightship.infra.nats_link import NatsLink


class NatsLeases:
    """Leases as keys; a fencing number is the revision at which the lease was taken.

    The bucket is kept on the server's disk, so that numbers go on rising after it was started again.

    Parameters
    ----------
    link
        The connection.
    ttl_s
        How long a lease lasts without a sign of life; it is the bucket's, so all that share it need the same.
    bucket
        Its name.

    Raises
    ------
    StoreError
        If NATS cannot be reached, has no JetStream, or the bucket is of another duration.
    """

    def __init__(self, link: NatsLink, ttl_s: float = 5.0, bucket: str = "lightship-leases") -> None:
        self._link, self._ttl_s = link, ttl_s
        self._keys = link.ask(self._bucket(bucket))

    async def _bucket(self, name: str) -> KeyValue:
        stream = self._link.client.jetstream()
        try:
            keys = await stream.key_value(name)
        except NotFoundError:
            with contextlib.suppress(
                BadRequestError
            ):  # another process made it meanwhile, with another duration
                await stream.create_key_value(bucket=name, ttl=self._ttl_s, storage=StorageType.FILE)
            keys = await stream.key_value(name)
        status = await keys.status()
        if status.ttl != self._ttl_s:
            raise StoreError(
                f"The leases of this cluster last {status.ttl} s, not {self._ttl_s} s.",
                name,
                "Set the same everywhere.",
            )
        return keys

    def take(self, names: Sequence[str], holder: str, ttl_s: float) -> dict[str, int]:
        """Take free or lapsed leases, and keep one's own; returns a fencing number, rising, of each that one holds.

        Raises
        ------
        StoreError
            If NATS cannot be reached, or ``ttl_s`` is not the bucket's.
        """
        if ttl_s != self._ttl_s:
            raise StoreError(f"These leases last {self._ttl_s} s, not {ttl_s} s.", "", "Ask for that.")
        return self._link.ask(self._take(sorted(set(names)), holder))

    async def _take(self, names: list[str], holder: str) -> dict[str, int]:
        fences = await asyncio.gather(*(self._take_one(_key(name), holder) for name in names))
        return {name: fence for name, fence in zip(names, fences, strict=True) if fence}

    async def _take_one(self, key: str, holder: str) -> int:
        """Return the fencing number, 0 where another holds it."""
        try:
            try:
                entry = await self._keys.get(key)
            except KeyNotFoundError:
                return await self._keys.create(key, _value(holder, 0))
            value = json.loads(entry.value or b"{}")
            if value["holder"] != holder:
                return 0
            fence = int(value["fence"] or entry.revision or 0)
            await self._keys.update(key, _value(holder, fence), last=entry.revision)
        except KeyWrongLastSequenceError:
            return 0  # another was faster, or it lapsed under our hands: then it is new the next time
        return fence

    def free(self, name: str, holder: str) -> None:
        """Give a lease back.

        Raises
        ------
        StoreError
            If NATS cannot be reached.
        """
        self._link.ask(self._free(_key(name), holder))

    async def _free(self, key: str, holder: str) -> None:
        try:
            entry = await self._keys.get(key)
            if json.loads(entry.value or b"{}")["holder"] == holder:
                await self._keys.delete(key, last=entry.revision)
        except (KeyNotFoundError, KeyWrongLastSequenceError):
            pass  # it is not ours any more

    def held(self) -> Mapping[str, str]:
        """Return who holds what now.

        Raises
        ------
        StoreError
            If NATS cannot be reached.
        """
        return self._link.ask(self._held())

    async def _held(self) -> dict[str, str]:
        try:
            keys = await self._keys.keys()
        except NoKeysError:
            return {}
        holders = await asyncio.gather(*(self._holder(key) for key in keys))
        return {_name(key): holder for key, holder in zip(keys, holders, strict=True) if holder}

    async def _holder(self, key: str) -> str:
        try:
            return str(json.loads((await self._keys.get(key)).value or b"{}")["holder"])
        except KeyNotFoundError:
            return ""


def _value(holder: str, fence: int) -> bytes:
    return json.dumps({"holder": holder, "fence": fence}).encode()


def _key(name: str) -> str:
    return f"n{name.encode().hex()}"  # a stream's name may hold what a key may not


def _name(key: str) -> str:
    return bytes.fromhex(key[1:]).decode()
