"""The bus between processes: NATS, with a bounded queue for each listener on this side."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from lightship.core.canonical import canonical
from lightship.infra.bus import QUEUE, Inbox
from lightship.infra.nats_link import NatsLink


class NatsBus:
    """Messages to whoever listens now, in any process. What must not be lost is in the store, not here.

    Parameters
    ----------
    link
        The connection.
    size
        Messages that wait for one listener.
    prefix
        Of the subjects, so that several deployments can share a server.
    """

    def __init__(self, link: NatsLink, size: int = QUEUE, prefix: str = "lightship.bus") -> None:
        self._link, self._size, self._prefix = link, size, prefix
        self._lock = threading.Lock()
        self._open: list[Inbox] = []
        self._dropped_before = 0

    def publish(self, topic: str, message: Mapping[str, Any]) -> None:
        """Send; it has left this process when this returns.

        Raises
        ------
        StoreError
            If NATS cannot be reached.
        """
        self._link.ask(self._publish(self._subject(topic), canonical(dict(message))))

    async def _publish(self, subject: str, data: bytes) -> None:
        await self._link.client.publish(subject, data)
        await self._link.client.flush()

    @contextmanager
    def subscribe(self, *topics: str) -> Iterator[Iterator[Mapping[str, Any] | None]]:
        """Listen; yields None about once a second while nothing comes.

        Raises
        ------
        StoreError
            If NATS cannot be reached.
        """
        inbox = Inbox(self._size)
        listening = self._link.ask(self._listen(inbox, topics))
        with self._lock:
            self._open.append(inbox)
        try:
            yield iter(inbox)
        finally:
            with self._lock:
                self._open.remove(inbox)
                self._dropped_before += inbox.dropped
            self._link.ask(self._leave(listening))

    async def _listen(self, inbox: Inbox, topics: tuple[str, ...]) -> list[Subscription]:
        async def come(message: Msg) -> None:
            inbox.put(json.loads(message.data))

        client = self._link.client
        listening = [await client.subscribe(self._subject(topic), cb=come) for topic in topics]
        await client.flush()  # the server knows of it, so nothing that is sent from now on passes by
        return listening

    async def _leave(self, listening: list[Subscription]) -> None:
        for one in listening:
            await one.unsubscribe()

    def _subject(self, topic: str) -> str:
        return f"{self._prefix}.{topic.encode().hex()}"  # a topic may hold what a subject may not

    @property
    def dropped(self) -> int:
        """Messages that were dropped, of all listeners so far."""
        with self._lock:
            return self._dropped_before + sum(inbox.dropped for inbox in self._open)
