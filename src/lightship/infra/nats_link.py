"""A connection to NATS for threads: the client runs on a loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, Self, TypeVar

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from lightship.core.errors import StoreError

T = TypeVar("T")

_ANSWER_S = 5.0  # a server on the same network answers in milliseconds
_RETRY_S = 1


class NatsLink:
    """One connection; it comes back by itself after a break.

    Parameters
    ----------
    url
        Such as ``nats://127.0.0.1:4222``; several, separated by commas, are one cluster.

    Raises
    ------
    StoreError
        If no server answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="nats", daemon=True)
        self._thread.start()
        try:
            self.client: Client = self.ask(self._connect())
        except StoreError:
            self._end()
            raise

    async def _connect(self) -> Client:
        return await nats.connect(
            self.url.split(","),
            connect_timeout=2,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RETRY_S,
            allow_reconnect=True,
            error_cb=_quiet,
        )

    def ask(self, question: Coroutine[Any, Any, T]) -> T:
        """Run something on the client's loop and return its answer.

        Raises
        ------
        StoreError
            If no answer comes.
        """
        if not self._thread.is_alive():
            question.close()
            raise StoreError("This connection to NATS is closed.", "", "Open it again.")
        waiting = asyncio.run_coroutine_threadsafe(asyncio.wait_for(question, _ANSWER_S), self._loop)
        try:
            return waiting.result(_ANSWER_S + 1)
        except (NatsError, OSError, TimeoutError, CancelledError) as error:
            waiting.cancel()
            raise StoreError(
                f"NATS does not answer ({type(error).__name__}).",
                self._where(),
                "Start it, or check its address.",
            ) from error

    def _where(self) -> str:
        """Return the address without what may stand in it for signing in."""
        return ",".join(one.rpartition("@")[2] for one in self.url.split(","))

    def check(self) -> None:
        """Find out whether the server answers.

        Raises
        ------
        StoreError
            If it does not.
        """
        self.ask(self.client.flush(timeout=2))

    def close(self) -> None:
        """Send what is left, and close. Closing twice does nothing."""
        if self._thread.is_alive():
            try:
                self.ask(self.client.close())
            finally:
                self._end()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _quiet(_: Exception) -> None:
    """Leave errors in the background to whoever asks next: that question fails, and says so."""
